"""Bodies that are refused: what brings the reply, and what becomes of the connection."""

import json
import select
import socket
import time
from collections.abc import Iterator

import pytest
from raw_socket import HANG_S, MIB, connect, good, read
from shim_client import head
from shim_server import Served
from threaded import running

from engine import Engine
from shim import Settings, channel, create_app, discard, incoming
from shim.keys import DEMO, KeyStore
from shim.server import Server

WRONG = {"Authorization": "0" * 64}


@pytest.fixture
def server(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """One that waits for the rest of a body longer than a test does: no silence brings a reply."""
    monkeypatch.setattr(incoming, "STALL_S", 10 * HANG_S)
    with running(engine, drain_s=0.1) as server:
        yield server


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=HANG_S)


def test_who_expects_continue_has_sent_none(server: Server) -> None:
    """Nobody knows whether it will: what comes next is no request for sure."""
    with connected(server) as connection:
        connection.sendall(head("detect", MIB, Expect="100-continue", **WRONG))
        status, fields, members = read(connection)
    assert (status, fields["Connection"]) == (401, "close")
    assert members == {"errorcode": "5", "errormsg": "signature verification failed"}


def test_the_end_of_the_chunks_in_two_parts(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(head("detect", 2, Transfer_Encoding="chunked") + b"2\r\n{}\r\n0\r")
        time.sleep(0.2)
        connection.sendall(b"\n\r\n")
        status, fields, members = read(connection)
    assert (status, fields["Connection"]) == (400, "close")
    assert members == {"errorcode": "1", "errormsg": "request loss header field"}


def test_more_than_is_thrown_away(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is answered then, and the rest is not taken for requests."""
    for module in (discard, incoming):
        monkeypatch.setattr(module, "MAX_DISCARD", MIB)
    with connected(server) as connection:
        connection.sendall(head("detect", 1 << 40) + bytes(MIB))
        status, fields, members = read(connection)
    assert (status, fields["Connection"]) == (413, "close")
    assert members == {"errorcode": "7", "errormsg": "request entity too large"}


def test_who_trickles_is_not_listened_to_for_ever(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "DISCARD_S", 0.5)
    ended = time.monotonic() + HANG_S
    with connected(server) as connection:
        connection.sendall(head("detect", MIB, **WRONG))
        while time.monotonic() < ended and not select.select([connection], [], [], 0.1)[0]:
            connection.sendall(b"x")
        status, fields, members = read(connection)
    assert (status, fields["Connection"], members["errorcode"]) == (401, "close", "5")
    assert members["errormsg"] == "signature verification failed"


def test_who_goes_on_after_the_reply_is_hung_up_on(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "DISCARD_S", 0.5)
    ended = time.monotonic() + HANG_S
    with connected(server) as connection:
        connection.sendall(b"GET\r\n\r\n")
        assert read(connection)[0] == 400
        with pytest.raises(ConnectionError):
            while time.monotonic() < ended:
                connection.sendall(b"x")
                time.sleep(0.1)


CHUNKS = head("detect", 5, Transfer_Encoding="chunked", Connection="keep-alive") + b"0\r\n\r\n"
"""In HTTP/1.0 there are none, and where such a body ends nobody knows (RFC 9112, section 6.1)."""

NO_FIELD = head("detect", 0, Connection="keep-alive").removesuffix(b"\r\n") + b"no colon\r\n\r\n"


@pytest.mark.parametrize("request_", [CHUNKS, NO_FIELD], ids=["chunks", "no field"])
def test_http_1_0_is_not_promised_a_connection_that_ends(
    served: Served, selfie: bytes, request_: bytes
) -> None:
    with connect(served) as connection, connection.makefile("rb") as stream:
        connection.sendall(request_.replace(b"HTTP/1.1", b"HTTP/1.0", 1) + good("detect", selfie))
        start = b"".join(iter(stream.readline, b"\r\n")).decode()
        assert start.startswith("HTTP/1.0 400 ")
        assert [line for line in start.split("\r\n") if line.startswith("Connection:")] == [
            "Connection: close"
        ]
        members = {"errorcode": "1", "errormsg": "request loss header field"}
        assert json.loads(stream.read()) == members  # and nothing else


class Body:
    """What another server hands on as a request's body: so many bytes, and then its end."""

    def __init__(self, size: int) -> None:
        self.left, self.reads = size, 0

    def read(self, size: int) -> bytes:
        self.reads += 1
        assert self.reads < 2000, "it is read for ever"
        taken = min(size, self.left)
        self.left -= taken
        return bytes(taken)


@pytest.mark.parametrize(
    ("length", "sent", "left"),
    [
        (str(20 * MIB), 20 * MIB + 7, 7),
        (str(20 * MIB), MIB, 0),
        (str(1 << 40), 1 << 40, (1 << 40) - discard.MAX_DISCARD),
        ("1" + "0" * 5000, MIB, MIB),
        ("none", MIB, MIB),
    ],
    ids=["whole", "cut off", "beyond the limit", "beyond all numbers", "no number"],
)
def test_with_another_server_too_it_is_read(
    engine: Engine, length: str, sent: int, left: int
) -> None:
    stream = Body(sent)
    app = create_app(engine, Settings(), KeyStore(DEMO))
    given = {"wsgi.input": stream, "CONTENT_LENGTH": length, "HTTP_AUTHORIZATION": ""}
    reply = app.test_client().post("/openapi/face/v2/compare", environ_overrides=given)
    assert reply.status_code == 400
    assert reply.json == {"errorcode": "1", "errmsg": "request loss header field"}
    assert stream.left == left
