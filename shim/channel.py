"""One connection of waitress': what is asked on it, and how it ends."""

import socket
import time
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask, Task, WSGITask

from shim import contract
from shim.app import LEFT, VERDICT
from shim.discard import DISCARD_S, Discard
from shim.gate import Caller
from shim.incoming import Parser, row_1
from shim.observability import Record

if TYPE_CHECKING:
    from shim.server import Server

IDLE_S = 75  # between two requests of a connection
LINGER_S = 2  # of silence, for a connection once the server stops
UNREAD_S = 60  # in which a client takes nothing of its replies, however slow its line is
UNREAD = 1 << 20  # bytes of replies, beyond which what was sent ahead is not begun


class _Task(WSGITask):
    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[VERDICT] = self.request.verdict
        environ[LEFT] = partial(_has_left, self.channel.socket)
        environ["PATH_INFO"] = self.request.path  # waitress merges slashes at its beginning
        return environ

    def execute(self) -> None:
        options = self.request.headers.get("CONNECTION", "").lower().split(",")
        # waitress knows only the header that is exactly 'close'
        ends = "close" in [option.strip() for option in options]
        last = len(self.channel.requests) == 1  # of requests that arrived together
        if self.request.hang_up or (self.channel.server.draining and last):
            self.channel.lingers = ends = True
        if ends:
            _end(self)
        super().execute()


class _ErrorTask(ErrorTask):
    """What is not HTTP, or has a head without end: row 1 or 2, in the contract's words."""

    def execute(self) -> None:
        server = self.channel.server
        record = Record()
        endpoint, problem = row_1(self.request.request_line)
        if self.request.error.code == contract.FAULT.status:
            problem = contract.FAULT
        body = orjson.dumps(
            contract.envelope(endpoint, problem.code, problem.message, {}, server.aliases)
        )
        record.code = problem.code
        self.status = f"{problem.status} {HTTPStatus(problem.status).phrase}"
        self.response_headers += [
            ("Content-Type", "application/json"),
            ("X-Request-Id", record.id),
        ]
        self.channel.lingers = True
        _end(self)
        self.content_length = len(body)
        self.write(body)
        server.journal.write(record, endpoint, problem.status, len(body))


def _end(task: Task) -> None:
    """The reply is the connection's last, and says so."""
    task.request.headers["CONNECTION"] = "close"  # to HTTP/1.0 waitress would promise to keep it
    task.set_close_on_finish()


class Channel(HTTPChannel):
    """One connection.

    lingers: after the last reply, keep reading for a while. A client that is still sending would
    otherwise get a reset, and lose the reply with it.
    A client that sends ahead and does not read waits by itself: a worker that waited for it, as
    waitress' do, would be lost to all others, and there are few.

    Times here are in seconds of time.monotonic: the time of day may be set while it is open.
    """

    task_class = _Task
    error_task_class = _ErrorTask
    lingers = False
    _lingering_since = 0.0
    _parked = False  # the next request is begun once the client has read

    def __init__(self, server: "Server", *args: Any, **kwargs: Any) -> None:
        self.parser_class = partial(Parser, gate=server.gate)
        super().__init__(server, *args, **kwargs)
        self._its_turn_since = time.monotonic()  # the client's, to send: all is answered and read

    @property
    def last_activity(self) -> float:
        """When a byte last came or went."""
        return self._last_activity

    @last_activity.setter
    def last_activity(self, _time_of_day: float) -> None:
        self._last_activity = time.monotonic()

    def readable(self) -> bool:
        return bool(self._lingering_since or super().readable())

    def received(self, data: bytes) -> bool:
        return not self._lingering_since and bool(super().received(data))

    def service(self) -> None:
        with self.outbuf_lock:  # as writing takes: handle_write sees that this waits for it
            self._parked = self.connected and self.total_outbufs_len > UNREAD
        if not self._parked:
            self._its_turn_since = time.monotonic()  # at the earliest
            super().service()

    def handle_write(self) -> None:
        super().handle_write()
        if self._parked and self.total_outbufs_len <= UNREAD:
            self._parked = False
            self.server.add_task(self)

    def handle_close(self) -> None:
        if self.lingers and self.connected:
            self.lingers = self.will_close = False
            self._lingering_since = time.monotonic()
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
        else:
            super().handle_close()

    def look_after(self, now: float, draining: bool) -> None:
        """End what takes too long, and what idles while the server stops."""
        if self._lingering_since:
            silent = now - max(self._lingering_since, self.last_activity)
            if now - self._lingering_since > DISCARD_S or (draining and silent > LINGER_S):
                self.handle_close()
            return
        if self.total_outbufs_len:
            self._its_turn_since = now
            if now - self.last_activity > UNREAD_S:
                self._abandon()
            return
        with self.requests_lock:
            request = self.request
            if self.requests:
                self._its_turn_since = now
                return
            if request is None or not request.begun:
                idle = draining and now - self.last_activity > LINGER_S
                # Whatever it sends: blank lines are no request.
                self.close_when_flushed |= idle or now - self._its_turn_since > IDLE_S
            elif request.late(now, max(request.begun, self._its_turn_since), self.last_activity):
                self._give_up(request, now)

    def finished(self) -> bool:
        """Whether nothing is left to do for its client; what is, goes to the journal as lost."""
        arriving = self.request
        left = list(self.requests)
        if arriving is not None and isinstance(arriving.verdict, Caller):
            left.append(arriving)
        for request in left:
            endpoint, _ = row_1(request.request_line)
            age = time.monotonic() - request.begun
            self.server.journal.lost(endpoint, request.app_id, age)
        if self.total_outbufs_len:
            self.server.journal.unread(self.total_outbufs_len)
        return not left and not self.total_outbufs_len

    def _abandon(self) -> None:
        """Close at once: where nothing more can be written there is no end to wait for."""
        self.server.journal.unread(self.total_outbufs_len)
        self.lingers = False
        self.handle_close()

    def _give_up(self, request: Parser, now: float) -> None:
        if isinstance(request.body_rcv, Discard):  # it was refused long ago: say so now
            request.hang_up = request.completed = True
            self.requests.append(request)
            self.request = None
            self.server.add_task(self)
        else:
            self.server.journal.cut_off(row_1(request.request_line)[0], now - request.begun)
            self.will_close = True


def _has_left(connection: socket.socket) -> bool:
    """Whether a client has closed its side of a connection, which is in non-blocking mode."""
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:  # it waits
        return False
    except OSError:
        return True
