"""One connection of waitress': what is asked on it, and how it ends."""

import socket
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from waitress.channel import HTTPChannel

from shim.discard import DISCARD_S, Discard
from shim.gate import Caller
from shim.incoming import Parser, row_1
from shim.tasks import CallTask, MalformedTask

if TYPE_CHECKING:
    from shim.server import Server

IDLE_S = 75  # between two requests of a connection
LINGER_S = 2  # of silence, for a connection once the server stops
UNREAD_S = 60  # in which a client takes nothing of its replies, however slow its line is
UNREAD = 1 << 20  # bytes of replies, beyond which what was sent ahead is not begun


class Channel(HTTPChannel):
    """One connection.

    lingers: after the last reply, keep reading for a while. A client that is still sending would
    otherwise get a reset, and lose the reply with it.
    A client that sends ahead and does not read waits by itself: a worker that waited for it, as
    waitress' do, would be lost to all others, and there are few.

    Times here are in seconds of time.monotonic: the time of day may be set while it is open.
    """

    task_class = CallTask
    error_task_class = MalformedTask
    lingers = False
    _heard = False  # anything at all
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
        self._heard = True
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

    def expects(self) -> bool:
        """Whether a head is to come: of a new connection's first request, or the rest of one."""
        request = self.request
        return not self._heard or bool(request and request.begun and not request.headers_finished)

    def look_after(self, now: float, draining: bool, last: bool = False) -> None:
        """End what takes too long, and what idles while the server stops. last: it is about to end,
        and who is refused anyhow gets to know it."""
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
                return
            since = max(request.begun, self._its_turn_since)
            hurried = last and isinstance(request.body_rcv, Discard)
            if hurried or request.late(now, since, self.last_activity):
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
