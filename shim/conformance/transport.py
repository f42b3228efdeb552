"""Two ways to a server: over a socket, and straight into a WSGI application."""

import http.client
import io
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from shim.conformance.builder import Request

TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]  # with names in lower case
    body: bytes


Send = Callable[[Request], Reply]


def reach(url: str, seconds: float) -> OSError | None:
    """Wait until somebody takes connections there; the reason when nobody did for so long.

    What is wrong with TLS stays so: ssl.SSLError comes at once.
    """
    end = time.monotonic() + seconds
    while True:
        connection = _connection(url, min(TIMEOUT_S, max(1.0, seconds)))
        try:
            connection.connect()
        except OSError as error:
            if isinstance(error, ssl.SSLError) or time.monotonic() > end:
                return error
            time.sleep(0.1)
        else:
            return None
        finally:
            connection.close()


def over_socket(url: str) -> Send:
    """One connection per request. Raises OSError or http.client.HTTPException."""

    def send(request: Request) -> Reply:
        body = request.body
        if request.chunked:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        with closing(_connection(url, TIMEOUT_S)) as connection:
            connection.putrequest(request.method, request.path, True, True)
            for name, value in request.headers:
                is_host = name.lower() == "host" and value.strip()
                connection.putheader(name, urlsplit(url).netloc if is_host else value)
            connection.endheaders()
            with suppress(OSError):  # a server may answer, and hang up, before it has read all
                connection.send(body)
            answer = connection.getresponse()
            return Reply(answer.status, _lower(answer.getheaders()), answer.read())

    return send


def _connection(url: str, timeout_s: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=timeout_s)


def into(app: Flask) -> Send:
    """Calls the application in this thread, without a server."""

    def send(request: Request) -> Reply:
        status_line: list[Any] = []

        def start_response(*arguments: Any) -> Callable[[bytes], object]:
            status_line[:] = arguments
            return lambda _: None

        chunks = app.wsgi_app(_environ(request), start_response)
        body = b"".join(chunks)
        status, headers = status_line[:2]
        return Reply(int(status.split()[0]), _lower(headers), body)

    return send


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


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
