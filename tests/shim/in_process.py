"""The application called in this thread, without a server."""

import io
from collections.abc import Callable
from typing import Any

from flask import Flask

from shim.conformance.builder import Request
from shim.conformance.transport import Reply, Send


def into(app: Flask) -> Send:
    def send(request: Request) -> Reply:
        status_line: list[Any] = []

        def start_response(*arguments: Any) -> Callable[[bytes], object]:
            status_line[:] = arguments
            return lambda _: None

        chunks = app.wsgi_app(_environ(request), start_response)
        body = b"".join(chunks)
        status, headers = status_line[:2]
        return Reply(int(status.split()[0]), {name.lower(): value for name, value in headers}, body)

    return send


def _environ(request: Request) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path.partition("?")[0],
        "QUERY_STRING": request.path.partition("?")[2],
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        name = name.upper().replace("-", "_")
        plain = name in ("CONTENT_LENGTH", "CONTENT_TYPE")
        environ[name if plain else f"HTTP_{name}"] = value.strip()
    return environ
