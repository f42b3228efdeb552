"""Clients that send ahead and do not read what they are answered."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

import pytest
from raw_socket import HANG_S
from shim_client import read_reply
from threaded import running

from engine import Engine
from shim import channel
from shim.server import Server

AHEAD = 100
"""Requests in one write: their replies are more than two sockets of a few KB take."""


@pytest.fixture
def server(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """One with few workers, and little that it writes ahead."""
    monkeypatch.setattr(channel, "UNREAD", 1000)
    with running(engine, slots=1, queue=0, drain_s=0.1) as server:
        server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        yield server


def ask(server: Server, requests: int) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(HANG_S)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(requests * b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    return connection


def answers(stream: BinaryIO, count: int) -> None:
    for _ in range(count):
        reply = read_reply(stream)
        assert reply is not None
        assert (reply[0], reply[2]) == (404, {"errorcode": "404", "errmsg": "not found"})


def unread(server: Server) -> list[int]:
    return [it.total_outbufs_len for it in list(server.active_channels.values())]


def test_they_hold_nobody_up_and_lose_nothing(server: Server) -> None:
    clients = server.adj.threads + 3
    with ExitStack() as open_ones:
        deaf = [open_ones.enter_context(ask(server, AHEAD)) for _ in range(clients)]
        while sum(size > channel.UNREAD for size in unread(server)) < clients:
            time.sleep(0.01)
        other = open_ones.enter_context(ask(server, 1))
        answers(other.makefile("rb"), 1)
        assert max(unread(server)) < 2 * channel.UNREAD  # the others' next ones are not begun
        for connection in deaf:
            answers(connection.makefile("rb"), AHEAD)


@pytest.mark.parametrize("limit", [1000, 1 << 20])
def test_they_are_not_kept_for_ever(
    server: Server, limit: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether or not there are requests left to begin."""
    monkeypatch.setattr(channel, "UNREAD", limit)
    with ask(server, AHEAD):
        while sum(unread(server)) < min(limit, 5000):
            time.sleep(0.01)
        (kept,) = list(server.active_channels.values())
        if limit > 1000:
            while kept.requests:
                time.sleep(0.01)
        time.sleep(0.3)
        assert bool(kept.requests) == (limit == 1000)
        monkeypatch.setattr(channel, "UNREAD_S", 0.1)
        ended = time.monotonic() + HANG_S
        while server.active_channels and time.monotonic() < ended:
            time.sleep(0.05)
    assert not server.active_channels
    (line,) = [it for it in caplog.records if it.message == "replies were not read in time"]
    assert line.__dict__["fields"]["bytes_unread"] > 0


def test_a_stop_tells_of_them(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(channel, "UNREAD", 1 << 20)
    with ask(server, AHEAD):
        while sum(unread(server)) < 5000:
            time.sleep(0.01)
        (kept,) = list(server.active_channels.values())
        while kept.requests:
            time.sleep(0.01)
        server.stop()
        while server.active_channels:
            time.sleep(0.01)
    (line,) = [it for it in caplog.records if it.message == "replies were not read in time"]
    assert line.__dict__["fields"]["bytes_unread"] > 0


def test_who_reads_slowly_is_not_late(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "UNREAD_S", 3)
    with ask(server, AHEAD) as connection, connection.makefile("rb") as stream:
        for _ in range(5):
            time.sleep(0.7)
            answers(stream, AHEAD // 5)


def test_who_reads_for_long_does_not_idle(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replies that take longer to read than a client may say nothing do not end its connection."""
    monkeypatch.setattr(channel, "UNREAD", 1 << 20)
    monkeypatch.setattr(channel, "IDLE_S", 2)
    with ask(server, 3 * AHEAD) as connection, connection.makefile("rb") as stream:
        for _ in range(5):
            time.sleep(0.7)
            answers(stream, 3 * AHEAD // 5)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        answers(stream, 1)
