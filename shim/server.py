"""Waitress, taught to judge a request by its head and to stop without losing one.

Waitress reads from all clients in one thread and hands a request to a worker only once it is
complete, so clients that trickle cost no worker. What it lacks for this contract is added here:
a request that the gate refuses has its body thrown away as it arrives instead of stored; a chunked
body counts as one without Content-Length; and every reply, to a malformed request too, is the
contract's JSON.
"""

import resource
import socket
import sys
import time
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask

from shim import contract
from shim.app import VERDICT, Service
from shim.incoming import Discard, Parser
from shim.observability import Record

IDLE_S = 75  # between two requests of a connection
LINGER_S = 2  # for an idle connection once the server stops, and after a reply sent too early
_SPARE_THREADS = 8  # beyond those that run or wait: they turn the rest away


class _Task(WSGITask):
    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[VERDICT] = self.request.verdict
        environ["PATH_INFO"] = self.request.path  # waitress merges slashes at its beginning
        return environ

    def execute(self) -> None:
        if self.request.hang_up or self.channel.server.draining:
            self.channel.lingers = self.request.hang_up
            self.set_close_on_finish()
        super().execute()


class _ErrorTask(ErrorTask):
    """What is not HTTP, or has a head without end: row 2, in the contract's words."""

    def execute(self) -> None:
        is_fault = self.request.error.code == contract.FAULT.status
        problem = contract.FAULT if is_fault else contract.MISSING_HEADER
        body = orjson.dumps(contract.envelope(None, problem.code, problem.message, {}))
        record = Record()
        record.code = problem.code
        self.status = f"{problem.status} {HTTPStatus(problem.status).phrase}"
        self.response_headers += [
            ("Content-Type", "application/json"),
            ("X-Request-Id", record.id),
        ]
        self.channel.lingers = True
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
        self.channel.server.journal.write(record, "-", problem.status, len(body))


class _Channel(HTTPChannel):
    """One connection.

    lingers: after the last reply, keep reading for a while. A client that is still sending would
    otherwise get a reset, and lose the reply with it.
    """

    task_class = _Task
    error_task_class = _ErrorTask
    lingers = False
    _lingering_since = 0.0

    def __init__(self, server: "Server", *args: Any, **kwargs: Any) -> None:
        self.parser_class = partial(Parser, gate=server.gate)
        super().__init__(server, *args, **kwargs)

    def readable(self) -> bool:
        return bool(self._lingering_since or super().readable())

    def received(self, data: bytes) -> bool:
        return not self._lingering_since and bool(super().received(data))

    def handle_close(self) -> None:
        if self.lingers and self.connected:
            self.lingers = self.will_close = False
            self._lingering_since = time.time()
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
        else:
            super().handle_close()

    def look_after(self, now: float, draining: bool) -> None:
        """End what takes too long, and what idles while the server stops."""
        if self._lingering_since:
            if now - self._lingering_since > LINGER_S:
                self.handle_close()
            return
        with self.requests_lock:
            request = self.request
            if self.requests:
                return
            if request is None:
                if draining and now - self.last_activity > LINGER_S:
                    self.close_when_flushed = True
            elif request.late(now, self.last_activity):
                self._give_up(request)

    def _give_up(self, request: Parser) -> None:
        if isinstance(request.body_rcv, Discard):  # it was refused long ago: say so now
            request.hang_up = request.completed = True
            self.requests.append(request)
            self.request = None
            self.server.add_task(self)
        else:
            self.will_close = True


class Server(TcpWSGIServer):
    """Serves one application of create_app.

    Raises OSError when the address cannot be bound. `port` is the one really bound.
    """

    channel_class = _Channel

    def __init__(self, app: Flask) -> None:
        service: Service = app.extensions["shim"]
        self.gate = service.gate
        self.journal = service.journal
        self.draining = False
        self._drain_s = service.settings.drain_s
        self._stop_asked = False
        adjustments = Adjustments(
            host=service.settings.host,
            port=service.settings.port,
            threads=service.admission.places + _SPARE_THREADS,
            connection_limit=_connections(),
            asyncore_use_poll=True,
            recv_bytes=1 << 18,
            inbuf_overflow=16 << 20,  # bodies stay in memory
            outbuf_overflow=16 << 20,
            max_request_header_size=32 << 10,
            max_request_body_size=sys.maxsize,  # the gate judges lengths
            channel_timeout=IDLE_S,
            cleanup_interval=1,
            log_socket_errors=False,
            clear_untrusted_proxy_headers=False,
            ident=None,
        )
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(adjustments.threads)
        super().__init__(
            app, dispatcher=dispatcher, adj=adjustments, sockinfo=adjustments.listen[0]
        )
        self.port = int(self.effective_port)

    def stop(self, *_: object) -> None:
        """Ask run() to return; fit for a signal handler."""
        self._stop_asked = True
        self.pull_trigger()

    def run(self) -> bool:
        """Serve until stop(), then finish what was accepted.

        Returns False when requests were still running at the end of Settings.drain_s.
        """
        while not self._stop_asked:
            wasyncore.poll2(1, self._map)
        self._close_door()
        deadline = time.time() + self._drain_s
        while self.active_channels and time.time() < deadline:
            self.maintenance(time.time())
            wasyncore.poll2(0.1, self._map)
        lost = any(channel.requests for channel in self.active_channels.values())
        wasyncore.close_all(self._map)
        return not lost

    def _close_door(self) -> None:
        """Take in whom the kernel has let in for us, read what is there, and let in no more."""
        self._accept_waiting()
        wasyncore.poll2(0, self._map)
        self.gate.draining = self.draining = True
        self._accept_waiting()
        wasyncore.dispatcher.close(self)

    def _accept_waiting(self) -> None:
        known = -1
        while known != len(self.active_channels):
            known = len(self.active_channels)
            self.handle_accept()

    def maintenance(self, now: float) -> None:
        """Called once a second."""
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            channel.look_after(now, self.draining)


def _connections() -> int:
    """As many as there are file descriptors for, less what the rest of the process needs."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(32, min(1000, files - 128))
