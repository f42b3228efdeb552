"""Stopping: what was accepted is finished, for as long as that may take."""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from conftest import Start
from raw_socket import REPLIES, connect, good, read, without
from shim_client import APP_ID, Client, body, head, image, read_reply
from shim_server import Served, command, environment
from threaded import running

from engine import Engine
from engine.images import encode
from shim import server


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_under_load_loses_nothing(
    start: Start, selfie: bytes, number: signal.Signals
) -> None:
    """Every request gets a whole reply, or its connection was never taken."""
    served = start("--demo")
    ends: list[str] = []

    def work(keep: bool) -> None:
        client, is_new = served.client(), True
        while True:
            try:
                code = client.post("detect", image=image(selfie))[2]["errorcode"]
            except http.client.RemoteDisconnected as error:  # taken, and lost
                return ends.append(repr(error))
            except (ConnectionRefusedError, ConnectionResetError) as error:
                # The kernel resets a connection that it took and the server had not yet.
                return ends.append("refused" if is_new else repr(error))
            except (OSError, http.client.HTTPException) as error:
                return ends.append(repr(error))
            is_new = not keep or client.connection.sock is None
            if code == "503":
                return ends.append(code)
            assert code == "0"
            if not keep:
                client.close()

    threads = [threading.Thread(target=work, args=(index % 2 == 0,)) for index in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    assert served.stop(number) == 0
    for thread in threads:
        thread.join(60)
    assert len(ends) == 8 and set(ends) <= {"503", "refused"}


def test_stopping_with_nobody_there(start: Start) -> None:
    served = start("--demo")
    operations = urlsplit(served.ops_url).netloc
    idle = socket.create_connection(served.client().address)
    served.process.send_signal(signal.SIGTERM)
    codes = set()
    with suppress(OSError, http.client.HTTPException):  # until the process is gone
        while True:
            asked = http.client.HTTPConnection(operations, timeout=20)
            asked.request("GET", "/readyz")
            reply = asked.getresponse()
            codes.add((reply.status, reply.read()))
    assert served.process.wait(20) == 0
    assert (503, b"stopping\n") in codes
    assert idle.recv(1) == b""


def test_what_is_running_is_finished(start: Start, selfie: bytes) -> None:
    served = start("--demo", slots=1)
    with ThreadPoolExecutor(8) as pool:
        clients: list[Client] = [served.client() for _ in range(8)]
        for client in clients:
            client.connection.connect()
        waiting = [pool.submit(client.post, "biodetect", image=image(selfie)) for client in clients]
        while "errorcode" not in served.log.read_text():
            time.sleep(0.01)
        assert served.stop() == 0
        codes = [future.result()[2]["errorcode"] for future in waiting]
    assert set(codes) <= {"0", "503"}
    assert codes.count("0") == served.log.read_text().count('"errorcode": "0"') >= 1


def test_what_runs_too_long_is_given_up(start: Start) -> None:
    served = start("--demo", slots=1, drain_s=0.2)
    connections = busy(served, 6)
    assert served.stop() == 1
    assert '"finished": false' in served.log.read_text()
    lines = map(json.loads, served.log.read_text().splitlines())
    lost = [line for line in lines if line["event"] == "request lost"]
    assert lost and all(line["seconds"] >= 0.2 for line in lost)
    assert {(line["endpoint"], line["app_id"]) for line in lost} == {("erasemark", APP_ID)}
    for connection in connections:
        connection.close()


def test_what_arrives_for_too_long_is_given_up(start: Start) -> None:
    """A body, of a request whose head was accepted; one that was refused gets to know it."""
    served = start("--demo", drain_s=0.2)
    with connect(served) as accepted, connect(served) as refused:
        accepted.sendall(head("detect", 1000) + b"{")
        refused.sendall(without("Authorization", head("compare", 1000)) + b"{")
        assert served.stop() == 1
        status, _, members = read(refused)
        assert (status, members) == (400, {"errorcode": "1", "errmsg": REPLIES["1"][1]})
    lines = map(json.loads, served.log.read_text().splitlines())
    lost = [(it["endpoint"], it["app_id"]) for it in lines if it["event"] == "request lost"]
    assert lost == [("detect", APP_ID)]


def test_a_refused_body_that_arrives_for_long_is_answered(start: Start) -> None:
    """Byte by byte, so that it is never silent; nothing was accepted, and nothing is lost."""
    served = start("--demo", drain_s=1)
    with connect(served) as refused:
        refused.sendall(without("Authorization", head("compare", 1000)) + b"{")
        served.process.send_signal(signal.SIGTERM)
        with suppress(OSError):
            for _ in range(5):
                time.sleep(0.3)
                refused.sendall(b" ")
        assert read(refused)[0] == 400
    assert served.process.wait(20) == 0
    assert '"errorcode": "1"' in served.log.read_text()


@pytest.mark.parametrize("sent", [0, 20])
def test_a_request_on_its_way_is_answered(
    engine: Engine, selfie: bytes, sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a connection that was taken before the server was told to stop: a proxy that has sent it
    on asks no other server."""
    monkeypatch.setattr(server, "_EXPECTED_S", 20)
    request = good("detect", selfie)
    with running(engine) as stopping:
        address = ("127.0.0.1", stopping.port)
        with socket.create_connection(address, timeout=20) as connection:
            connection.sendall(request[:sent])
            while not stopping.active_channels:
                time.sleep(0.01)
            stopping.stop()
            with suppress(ConnectionRefusedError, ConnectionResetError):
                while True:  # until its door is closed
                    socket.create_connection(address, timeout=20).close()
            assert not stopping.draining
            connection.sendall(request[sent:])
            status, headers, members = read(connection)
    assert (status, members["errorcode"], headers["Connection"]) == (200, "0", "close")


def test_a_log_that_nobody_reads_does_not_keep_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        command("--demo", "--port", "0"), env=environment(drain_s=0.2), stderr=subprocess.PIPE
    ) as process:
        assert process.stderr
        reader, said = process.stderr.fileno(), b""
        while b'"serving"' not in said:
            said += (more := os.read(reader, 1 << 16))
            assert more, said
        full = os.open(f"/proc/self/fd/{reader}", os.O_WRONLY | os.O_NONBLOCK)
        with suppress(BlockingIOError):
            while os.write(full, bytes(512)):
                pass
        os.close(full)
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(20) == 1
        finally:
            process.kill()


def test_the_second_signal_does_not_wait(start: Start) -> None:
    served = start("--demo", slots=1)
    connections = busy(served, 12)
    served.process.send_signal(signal.SIGTERM)
    wait_for_stopping(served)
    assert served.stop(signal.SIGTERM) == -signal.SIGTERM
    assert '"event": "stopped"' not in served.log.read_text()
    for connection in connections:
        connection.close()


def busy(served: Served, clients: int) -> list[socket.socket]:
    """The connections of as many who asked for work of seconds, of which one is under way."""
    scan = encode(np.full((3000, 3000, 3), 200, np.uint8), "jpeg")
    data = json.dumps(body(image=image(scan))).encode()
    connections = [socket.create_connection(served.client().address) for _ in range(clients)]
    for connection in connections:
        connection.sendall(head("erasemark", len(data)) + data)
    while "bioauth_running 1" not in served.metrics():
        time.sleep(0.01)
    return connections


def wait_for_stopping(served: Served) -> None:
    operations = urlsplit(served.ops_url).netloc
    page = b""
    while page != b"stopping\n":
        asked = http.client.HTTPConnection(operations, timeout=20)
        asked.request("GET", "/readyz")
        page = asked.getresponse().read()


def test_requests_sent_ahead_are_finished_too(start: Start) -> None:
    """Several in one write, of which one is under way when the server is told to stop."""
    served = start("--demo", slots=1)
    scan = encode(np.full((600, 600, 3), 200, np.uint8), "jpeg")
    data = json.dumps(body(image=image(scan))).encode()
    with socket.create_connection(served.client().address, timeout=60) as connection:
        connection.sendall(4 * (head("erasemark", len(data)) + data))
        with connection.makefile("rb") as stream:
            replies = [read_reply(stream)]
            assert served.stop() == 0
            replies += [read_reply(stream) for _ in range(3)]
    ends = [(reply[2]["errorcode"], reply[1].get("Connection")) for reply in replies if reply]
    assert ends == [("0", None)] * 3 + [("0", "close")]
