"""Load: requests made in advance, sent by so many clients at a time, each on one connection."""

import http.client
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

from engine.evaluation.bench.server import Server
from engine.evaluation.bench.timing import Work
from engine.evaluation.endpoint import EndpointError
from shim.client import Signer

TIMEOUT_S = 120


class Request:
    """One signed request, encoded once and sent any number of times (no freshness is asked for)."""

    def __init__(self, server: Server, call: str, pictures: Sequence[bytes], **more: Any) -> None:
        signer = Signer(server.app_id, server.app_key)
        names = ["image"] if len(pictures) == 1 else ["image1", "image2"]
        images = {n: signer.image(p) for n, p in zip(names, pictures, strict=True)}
        self.path = f"/openapi/face/v2/{call}"
        self.body = signer.body(**images, **more)
        self.headers = signer.head()


class Client:
    """One connection that stays open."""

    def __init__(self, server: Server) -> None:
        address = urlsplit(server.url)
        self._connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=TIMEOUT_S
        )

    def send(self, request: Request) -> bytes:
        """The reply's body. Raises EndpointError unless the call succeeds."""
        self._connection.request("POST", request.path, request.body, request.headers)
        answer = self._connection.getresponse()
        reply = answer.read()
        if answer.status != 200:
            raise EndpointError(f"{request.path} answered {answer.status} {reply[:200]!r}")
        return reply


def for_seconds(seconds: float) -> Callable[[], bool]:
    """Whether to go on, from now for so long."""
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() < end


def times_over(count: int) -> Callable[[], bool]:
    """Whether to go on, so many times in all; safe to ask from many threads."""
    numbers = iter(range(count))
    return lambda: next(numbers, None) is not None


def together(
    prepare: Callable[[], Work], clients: int, go_on: Callable[[], bool]
) -> tuple[list[float], float]:
    """So many threads that each prepare a work and repeat it.

    Returns the seconds that each turn took, and those from the first's start to the last's end.
    """

    def one(_: int) -> list[float]:
        work, taken = prepare(), []
        while go_on():
            started = time.perf_counter()
            work()
            taken.append(time.perf_counter() - started)
        return taken

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        taken = [seconds for part in pool.map(one, range(clients)) for seconds in part]
    return taken, time.perf_counter() - started


def client(server: Server, requests: Sequence[Request]) -> Work:
    """A client of its own that sends the requests in turn."""
    connection, turns = Client(server), cycle(requests)
    return lambda: connection.send(next(turns))
