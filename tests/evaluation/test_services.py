"""Services that are busy, break off, or answer in another form."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import numpy as np
import pytest

from engine.evaluation import endpoint
from engine.evaluation.endpoint import Endpoint, EndpointError
from engine.evaluation.pairs import Pairs
from engine.evaluation.photos import Photo, SampleError
from engine.evaluation.systems import score_with_endpoint
from engine.images import Pixels, encode

PAIR = ("6222980101038034", "1234567890ABCDEFGH")


@pytest.fixture
def photo(tmp_path: Path, astronaut: Pixels) -> Path:
    path = tmp_path / "1.png"
    path.write_bytes(encode(astronaut, "png"))
    return path


class Other(BaseHTTPRequestHandler):
    """A service that calls its figures otherwise."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"errorcode": "0", "score": 0.9, "faces": [{}]}')

    def log_message(self, *_: object) -> None:
        pass


def test_answers_in_another_form_are_told_in_a_sentence(photo: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Other) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        service = Endpoint(f"http://127.0.0.1:{server.server_port}", *PAIR)
        for call, message in (
            (
                lambda: service.compare(photo, photo),
                "compare in another form: KeyError..similarity",
            ),
            (lambda: service.liveness(photo), "biodetect in another form: KeyError..bio_score"),
            (lambda: service.detect(photo), "detect in another form: KeyError..face"),
        ):
            with pytest.raises(EndpointError, match=message):
                call()
        server.shutdown()


class Busy(BaseHTTPRequestHandler):
    """A service that has no room for the first two requests, nor ever for biodetect."""

    stamps: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.stamps.append(self.headers["x-mx-timestamp"])
        busy = len(self.stamps) <= 2 or self.path.endswith("biodetect")
        self.send_response(503 if busy else 200)
        if busy:
            self.send_header("Retry-After", "0")
        self.end_headers()
        code = "503" if busy else "0"
        self.wfile.write(json.dumps({"errorcode": code, "errmsg": "busy", "faces": []}).encode())

    def log_message(self, *_: object) -> None:
        pass


def test_a_busy_service_is_asked_again(photo: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        service = Endpoint(f"http://127.0.0.1:{server.server_port}", *PAIR)
        assert service.detect(photo) == []
        assert len(Busy.stamps) == 3
        with pytest.raises(EndpointError, match="refused biodetect: errorcode 503 busy"):
            service.liveness(photo)
        server.shutdown()


class Broken(BaseHTTPRequestHandler):
    """A service that hangs up on the second and third request, and on all from the fifth on."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(self.path)
        if len(self.asked) in (1, 4):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"errorcode": "0", "faces": []}')

    def log_message(self, *_: object) -> None:
        pass


def test_a_connection_that_is_lost_is_not_the_end(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "PAUSE_S", 0)
    with HTTPServer(("127.0.0.1", 0), Broken) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        service = Endpoint(f"http://127.0.0.1:{server.server_port}", *PAIR)
        assert [service.detect(photo), service.detect(photo)] == [[], []]
        assert len(Broken.asked) == 4
        with pytest.raises(EndpointError, match="does not answer"):
            service.detect(photo)
        assert len(Broken.asked) == 5 + endpoint.BROKEN_OFF
        server.shutdown()


class Odd(BaseHTTPRequestHandler):
    """A service that answers what it is told to; the first answer is a good one."""

    answers: ClassVar[list[tuple[int, bytes]]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = self.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def odd() -> Iterator[Endpoint]:
    with HTTPServer(("127.0.0.1", 0), Odd) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield Endpoint(f"http://127.0.0.1:{server.server_port}", *PAIR)
        server.shutdown()


def test_a_proxy_s_page_is_not_the_end(
    odd: Endpoint, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "PAUSE_S", 0)
    good = 200, b'{"errorcode": "0", "faces": []}'
    Odd.answers[:] = [good, (502, b"<html>"), (200, b""), (503, b"<html>"), good]
    monkeypatch.setattr(endpoint, "_wait", lambda _: 0.0)
    assert [odd.detect(photo), odd.detect(photo)] == [[], []]
    Odd.answers[:] = [(504, b"<html>")] * (1 + endpoint.BROKEN_OFF)
    with pytest.raises(EndpointError, match=r"detect with no errorcode \(HTTP status 504\)"):
        odd.detect(photo)
    assert not Odd.answers
    Odd.answers[:] = [(503, b"<html>")] * endpoint.ATTEMPTS
    with pytest.raises(EndpointError, match=r"detect with no errorcode \(HTTP status 503\)"):
        odd.detect(photo)
    assert not Odd.answers


def test_a_proxy_is_not_for_this_machine(
    odd: Endpoint, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be given the pictures."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    Odd.answers[:] = [(200, b'{"errorcode": "0", "faces": []}')]
    assert Endpoint(odd.url, *PAIR).detect(photo) == []
    with pytest.raises(EndpointError, match="does not answer"):
        Endpoint("http://service.invalid", *PAIR).detect(photo)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            {"similarity": "nan", "ref_thres": "0.5"},
            "compare in another form: .*'nan' is no finite",
        ),
        (
            {"similarity": "0.5", "ref_thres": "inf"},
            "compare in another form: .*'inf' is no finite",
        ),
        ({"bio_score": "1", "is_alive": None}, "biodetect in another form: KeyError.*none"),
        ({"bio_score": "1", "is_alive": "maybe"}, "biodetect in another form: KeyError.*maybe"),
        ({"bio_score": "inf", "is_alive": "true"}, "biodetect in another form: .*no finite"),
        ({"faces": {}}, "detect in another form: .*faces is no list"),
    ],
)
def test_what_is_no_number_or_verdict_is_no_refusal(
    odd: Endpoint, photo: Path, answer: dict[str, object], message: str
) -> None:
    Odd.answers[:] = [(200, json.dumps({"errorcode": "0", **answer}).encode())]
    calls = {"bio_score": odd.liveness, "faces": odd.detect}
    call = calls.get(next(iter(answer)), lambda path: odd.compare(path, path))
    with pytest.raises(EndpointError, match=message):
        call(photo)


def test_a_threshold_that_changes_is_told(odd: Endpoint, photo: Path) -> None:
    """Rates at the first would not be the service's decisions."""
    reply = {"errorcode": "0", "similarity": 0.6}
    Odd.answers[:] = [(200, json.dumps({**reply, "ref_thres": t}).encode()) for t in (0.5, 0.9)]
    pairs = Pairs([Photo(photo, "ann")] * 2, np.array([0, 0]), np.array([1, 1]))
    with pytest.raises(SampleError, match=r"its threshold on the way, from 0\.5 to 0\.9: measure"):
        score_with_endpoint(pairs, odd)
