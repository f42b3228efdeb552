"""Requests sent to a server over sockets."""

import http.client
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

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


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}
