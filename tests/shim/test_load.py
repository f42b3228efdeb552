"""Too many clients, and too slow ones."""

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from conftest import Start
from raw_socket import read
from shim_client import APP_ID, body, head, image, read_reply
from shim_server import Served
from threaded import occupied, running

from engine import Engine
from shim import channel, incoming, server

CLIENTS = 24


def rush(served: Served, clients: int, selfie: bytes) -> Counter[str]:
    """All at once, one request each: how often which errorcode came."""
    barrier = threading.Barrier(clients)

    def go(_: int) -> str:
        client = served.client()
        barrier.wait()
        status, fields, reply = client.post("biodetect", image=image(selfie))
        client.close()
        assert (status == 503) == ("Retry-After" in fields) == (reply["errorcode"] == "503")
        if status == 503:
            assert fields["Retry-After"] == "1"
            assert reply == {"errorcode": "503", "errmsg": "server busy"}
        code: str = reply["errorcode"]
        return code

    with ThreadPoolExecutor(clients) as pool:
        return Counter(pool.map(go, range(clients)))


def test_no_more_wait_than_may(start: Start, selfie: bytes) -> None:
    served = start("--demo", slots=1, queue=2)
    codes = rush(served, CLIENTS, selfie)
    assert set(codes) == {"0", "503"}
    assert codes["0"] >= 3
    assert rush(served, 3, selfie) == {"0": 3}


def test_waiting_has_an_end(start: Start, selfie: bytes) -> None:
    served = start("--demo", slots=1, queue=100, queue_timeout_s=0.05)
    codes = rush(served, CLIENTS, selfie)
    assert set(codes) == {"0", "503"}
    assert codes["0"] >= 1
    late = [json.loads(line) for line in served.log.read_text().splitlines() if '"503"' in line]
    assert late and all(list(line["ms"]) == ["head", "queue", "encode", "total"] for line in late)
    assert all(line["ms"]["queue"] >= 50 and line["app_id"] == APP_ID for line in late)
    assert any(rush(served, 1, selfie) == {"0": 1} for _ in range(20))


@pytest.mark.parametrize("at_once", [False, True], ids=["closed", "reset"])
def test_who_hung_up_is_not_worked_on(
    engine: Engine, selfie: bytes, caplog: pytest.LogCaptureFixture, at_once: bool
) -> None:
    """Clients that time out and try again would keep an overload going."""
    caplog.set_level("INFO", "shim")
    data = json.dumps(body(image=image(selfie))).encode()
    with (
        running(engine, slots=1, queue=100, queue_timeout_s=60) as server,
        occupied(server) as done,
    ):
        address = "127.0.0.1", server.port
        connections = [socket.create_connection(address, timeout=20) for _ in range(20)]
        for connection in connections:
            connection.sendall(head("biodetect", len(data)) + data)
        while server.application.extensions["shim"].admission.waiting < len(connections):
            time.sleep(0.001)
        for connection in connections:
            if at_once:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        done.set()
        with socket.create_connection(address, timeout=20) as asked:
            asked.sendall(head("detect", len(data)) + data)
            assert read(asked)[2]["errorcode"] == "0"
    requests = [it.__dict__["fields"] for it in caplog.records if it.message == "request"]
    codes = Counter((line["endpoint"], line["errorcode"]) for line in requests)
    assert codes == {("biodetect", "503"): len(connections), ("detect", "0"): 1}


def test_half_a_connection_is_enough_where_nobody_waits(served: Served, selfie: bytes) -> None:
    """A client may say that it sends no more, and read on."""
    data = json.dumps(body(image=image(selfie))).encode()
    with socket.create_connection(served.client().address, timeout=60) as connection:
        connection.sendall(head("detect", len(data)) + data)
        connection.shutdown(socket.SHUT_WR)
        reply = read_reply(connection.makefile("rb"))
    assert reply is not None and reply[2]["errorcode"] == "0"


def test_a_free_slot_is_not_waited_for(start: Start, selfie: bytes) -> None:
    client = start("--demo", slots=1, queue_timeout_s=0).client()
    for _ in range(20):
        client.ask("detect", image=image(selfie))


def test_everybody_is_served_when_there_is_room(served: Served, selfie: bytes) -> None:
    assert rush(served, CLIENTS, selfie) == {"0": CLIENTS}


def test_a_full_server_refuses_by_the_head_alone(engine: Engine) -> None:
    """And does not use up its timestamp: the same head may be sent again."""
    data = json.dumps(body(image=image(b"no picture"))).encode()
    request = head("biodetect", len(data))
    settings = {"slots": 1, "queue": 0, "max_skew_s": 60}
    with running(engine, **settings) as server, occupied(server) as done:
        admission = server.application.extensions["shim"].admission
        address = "127.0.0.1", server.port
        with socket.create_connection(address, timeout=20) as asked:
            asked.sendall(request[:-2] + b"Expect: 100-continue\r\n\r\n")
            status, fields, reply = read(asked)
        assert (status, fields["Retry-After"]) == (503, "1")
        assert reply == {"errorcode": "503", "errmsg": "server busy"}
        done.set()
        while admission.is_full():
            time.sleep(0.001)
        for code in ("10", "5"):
            with socket.create_connection(address, timeout=20) as asked:
                asked.sendall(request + data)
                assert read(asked)[2]["errorcode"] == code


def test_trickling_clients_hold_nobody_up(served: Served, selfie: bytes) -> None:
    request = head("detect", 1000) + bytes(1000)
    tricklers = [socket.create_connection(served.client().address) for _ in range(100)]
    stop = threading.Event()

    def trickle() -> None:
        for byte in request:
            for trickler in tricklers:
                trickler.send(bytes([byte]))
            if stop.wait(1):
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    client = served.client()
    for _ in range(10):
        started = time.monotonic()
        client.ask("detect", image=image(selfie))
        assert time.monotonic() - started < 10  # far above the 2 s that are promised
    stop.set()
    thread.join()
    for trickler in tricklers:
        trickler.close()


def test_blank_lines_are_no_requests(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """They do not keep a connection open for ever."""
    monkeypatch.setattr(channel, "IDLE_S", 1)
    received, started = None, time.monotonic()
    with connected(engine, timeout=0.2) as connection:
        while received is None and time.monotonic() < started + 20:
            with suppress(TimeoutError):
                connection.sendall(b"\r\n\r\n")
                received = connection.recv(1)
    assert received == b""


def test_a_connection_that_is_used_stays(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long ago it was made."""
    monkeypatch.setattr(channel, "IDLE_S", 5)
    with connected(engine, timeout=20) as connection:
        for pause in (0, 2, 2, 2):
            time.sleep(pause)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert read(connection)[0] == 404


def test_a_head_that_does_not_end(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(incoming, "HEAD_S", 0.5)
    with connected(engine, timeout=20) as connection:
        connection.sendall(b"POST /openapi/face/v2/compare HTTP/1.1\r\nHost: here\r\n")
        assert connection.recv(1) == b""
    (late,) = [it for it in caplog.records if it.message == "request did not arrive in time"]
    assert late.__dict__["fields"]["endpoint"] == "compare"


def test_a_full_server_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "_connections", lambda: 4)
    with connected(engine, timeout=20) as connection:
        more = [socket.create_connection(connection.getpeername()) for _ in range(4)]
        while "no longer accepting new connections" not in caplog.text:
            time.sleep(0.01)
        for one in more:
            one.close()


@pytest.mark.parametrize(("slowest", "answered"), [(10_000, True), (10**9, False)])
def test_a_weak_line(
    engine: Engine,
    selfie: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    slowest: int,
    answered: bool,
) -> None:
    """A request may take longer than others when its body is large."""
    monkeypatch.setattr(incoming, "BODY_S", 1)
    monkeypatch.setattr(incoming, "SLOWEST", slowest)
    data = json.dumps(body(image=image(selfie))).encode()
    with connected(engine, timeout=20) as connection, connection.makefile("rb") as stream:
        connection.sendall(head("detect", len(data)))
        with suppress(ConnectionError):
            for part in range(10):
                connection.sendall(data[part * len(data) // 10 : (part + 1) * len(data) // 10])
                time.sleep(0.4)
        reply = None
        with suppress(ConnectionError):
            reply = read_reply(stream)
    late = [it for it in caplog.records if it.message == "request did not arrive in time"]
    if answered:
        assert reply is not None and reply[2]["errorcode"] == "0" and not late
    else:
        assert reply is None and len(late) == 1


@contextmanager
def connected(engine: Engine, timeout: float) -> Iterator[socket.socket]:
    """A connection to a server in this process, whose limits of time can be changed."""
    with (
        running(engine) as serving,
        socket.create_connection(("127.0.0.1", serving.port), timeout) as connection,
    ):
        yield connection
