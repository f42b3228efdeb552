"""Services that are busy, break off, or answer in another form."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from engine.evaluation import endpoint
from engine.evaluation.endpoint import Endpoint, EndpointError
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
