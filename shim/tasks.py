"""What a worker of waitress' does for one request."""

import socket
from functools import partial
from http import HTTPStatus
from typing import Any

import orjson
from waitress.task import ErrorTask, Task, WSGITask

from shim import contract
from shim.app import LEFT, VERDICT
from shim.incoming import row_1
from shim.observability import Record


class CallTask(WSGITask):
    """A request whose head can be read: the application answers it."""

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


class MalformedTask(ErrorTask):
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
        record.enter("encode")
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


def _has_left(connection: socket.socket) -> bool:
    """Whether a client has closed its side of a connection, which is in non-blocking mode."""
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:  # it waits
        return False
    except OSError:
        return True
