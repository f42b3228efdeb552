"""The operator's port."""

import http.client
import os
import resource
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from conftest import Start
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
from shim_client import Client, image
from shim_server import Served

from shim import ops
from shim.observability import Journal
from shim.ops import Readiness, create_ops_app, serve


def get(url: str, path: str) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    connection.request("GET", path)
    reply = connection.getresponse()
    return reply.status, reply.read().decode()


def test_who_says_nothing_takes_the_operations_port_from_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Waitress takes a hundred connections, and would keep silent ones for two minutes."""
    monkeypatch.setattr(ops, "IDLE_S", 1)
    port = serve(create_ops_app(Readiness(), CollectorRegistry()), "127.0.0.1", 0)
    with ExitStack() as opened:
        for _ in range(120):
            silent = socket.create_connection(("127.0.0.1", port))
            opened.enter_context(silent)
        assert get(f"http://127.0.0.1:{port}", "/healthz") == (200, "ok\n")


def test_the_operations_port(served: Served, client: Client, selfie: bytes) -> None:
    client.ask("detect", image=image(selfie))
    assert get(served.ops_url, "/healthz") == (200, "ok\n")
    assert get(served.ops_url, "/readyz") == (200, "ok\n")
    status, text = get(served.ops_url, "/metrics")
    assert status == 200
    asked = http.client.HTTPConnection(urlsplit(served.ops_url).netloc, timeout=20)
    asked.request("GET", "/metrics")
    assert asked.getresponse().headers["Content-Type"] == CONTENT_TYPE_LATEST
    for figure in (
        'bioauth_requests_total{endpoint="detect",errorcode="0"}',
        'bioauth_request_seconds_bucket{endpoint="detect"',
        'bioauth_stage_seconds_count{stage="engine"}',
        "bioauth_waiting 0.0",
        "bioauth_running 0.0",
        "bioauth_connections ",
        'bioauth_engine_info{pack="default",providers="CPUExecutionProvider"} 1.0',
        'bioauth_network_seconds_total{network="detector"}',
        'bioauth_network_runs_total{network="embedding"}',
        "process_resident_memory_bytes",
    ):
        assert figure in text


def test_more_files_than_select_can_name() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < 1300:
        pytest.skip(f"a process may open {before[1]} files here")
    files: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
        files += (os.open(os.devnull, os.O_RDONLY) for _ in range(1100))
        port = serve(create_ops_app(Readiness(), Journal().registry), "127.0.0.1", 0)
        assert [get(f"http://127.0.0.1:{port}", "/healthz") for _ in range(3)] == 3 * [
            (200, "ok\n")
        ]
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_operations_port_that_fails_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("what nobody thought of")

    monkeypatch.setattr("waitress.wasyncore.poll2", fail)
    serve(create_ops_app(Readiness(), Journal().registry), "127.0.0.1", 0)
    while "the operations port is served no more" not in caplog.text:
        time.sleep(0.01)
    assert "what nobody thought of" in caplog.text


def test_they_are_not_on_the_public_port(served: Served) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert get(served.url, path)[0] == 404
        assert get(served.ops_url, "/openapi/face/v2/detect")[0] == 404


def test_readiness_has_a_reason() -> None:
    readiness = Readiness()
    pages = create_ops_app(readiness, Journal().registry).test_client()
    assert pages.get("/healthz").status_code == 200
    assert (pages.get("/readyz").status_code, pages.get("/readyz").text) == (503, "starting\n")
    assert "bioauth_request_seconds" in pages.get("/metrics").text
    readiness.reason = ""
    assert pages.get("/readyz").status_code == 200


def test_operations_can_be_off(start: Start, selfie: bytes) -> None:
    served = start("--demo", ops=0)
    assert served.client().ask("detect", image=image(selfie))
    assert "operations" not in served.log.read_text()
