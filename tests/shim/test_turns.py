"""Time counts against a client only while it is its turn to send."""

import socket
import time
from typing import BinaryIO

import pytest
from raw_socket import HANG_S, good
from shim_client import head, read_reply
from threaded import occupied, running

from engine import Engine
from shim import incoming
from shim.server import Server

ASK = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=HANG_S)


def errorcode(stream: BinaryIO) -> str:
    reply = read_reply(stream)
    assert reply is not None
    code: str = reply[2]["errorcode"]
    return code


def test_an_extra_line_after_a_body_is_no_begun_request(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As some clients send it: the next request has all its time from its own first byte."""
    monkeypatch.setattr(incoming, "HEAD_S", 0.5)
    with running(engine) as server, connect(server) as connection:
        stream = connection.makefile("rb")
        for _ in range(2):
            connection.sendall(head("detect", 2) + b"{}" + b"\r\n")
            assert errorcode(stream) == "2"
            time.sleep(2.5)
    assert "request did not arrive in time" not in caplog.text


def test_a_request_that_could_not_be_read_is_not_late(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, selfie: bytes
) -> None:
    """Its beginning came with the request before, which took longer than a head may."""
    monkeypatch.setattr(incoming, "HEAD_S", 2)
    with running(engine, slots=1) as server, connect(server) as connection:
        stream = connection.makefile("rb")
        with occupied(server):
            connection.sendall(good("detect", selfie) + ASK[:5])
            time.sleep(2.5)
        assert errorcode(stream) == "0"
        time.sleep(1.2)
        connection.sendall(ASK[5:])
        assert errorcode(stream) == "404"
