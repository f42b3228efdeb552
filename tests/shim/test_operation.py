"""What the operator sees, and what nobody may see."""

import http.client
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from conftest import Start
from shim_client import APP_ID, APP_KEY, Client, body, head, image, sign
from shim_server import END_S, Served, environment

from engine import Engine
from shim import Settings, create_app
from shim.keys import DEMO, KeyStore
from shim.ops import Readiness, create_ops_app


def get(url: str, path: str) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    connection.request("GET", path)
    reply = connection.getresponse()
    return reply.status, reply.read().decode()


def lines(log: Path) -> list[dict[str, Any]]:
    # Libraries that decode pictures print warnings of their own in between.
    written = log.read_text().splitlines()
    return [json.loads(line) for line in written if line.startswith("{") and line.endswith("}")]


def test_the_operations_port(served: Served, client: Client, selfie: bytes) -> None:
    client.ask("detect", image=image(selfie))
    assert get(served.ops_url, "/healthz") == (200, "ok\n")
    assert get(served.ops_url, "/readyz") == (200, "ok\n")
    status, text = get(served.ops_url, "/metrics")
    assert status == 200
    for figure in (
        'bioauth_requests_total{endpoint="detect",errorcode="0"}',
        'bioauth_request_seconds_bucket{endpoint="detect"',
        'bioauth_stage_seconds_count{stage="engine"}',
        "bioauth_waiting 0.0",
        "bioauth_running 0.0",
        'bioauth_engine_info{pack="default",providers="CPUExecutionProvider"} 1.0',
        'bioauth_network_seconds_total{network="detector"}',
        'bioauth_network_runs_total{network="embedding"}',
        "process_resident_memory_bytes",
    ):
        assert figure in text


def test_they_are_not_on_the_public_port(served: Served) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert get(served.url, path)[0] == 404
        assert get(served.ops_url, "/openapi/face/v2/detect")[0] == 404


def test_readiness_has_a_reason() -> None:
    readiness = Readiness()
    pages = create_ops_app(readiness, lambda: None).test_client()
    assert pages.get("/healthz").status_code == 200
    assert (pages.get("/readyz").status_code, pages.get("/readyz").text) == (503, "starting\n")
    assert pages.get("/metrics").text == ""
    readiness.reason = ""
    assert pages.get("/readyz").status_code == 200


def test_operations_can_be_off(start: Start, selfie: bytes) -> None:
    served = start("--demo", ops=0)
    assert served.client().ask("detect", image=image(selfie))
    assert "operations" not in served.log.read_text()


def test_one_line_per_request(served: Served, client: Client, selfie: bytes) -> None:
    _, fields, _ = client.post("detect", image=image(selfie))
    (line,) = [
        line for line in lines(served.log) if line.get("request_id") == fields["X-Request-Id"]
    ]
    stages = line.pop("ms")
    assert sorted(stages) == ["encode", "engine", "queue", "total", "validate"]
    assert all(0 <= value < 60_000 for value in stages.values())
    assert line.pop("time").endswith("Z")
    assert line.pop("bytes_in") > len(selfie)
    assert line.pop("bytes_out") == int(fields["Content-Length"])
    line.pop("request_id")
    assert line == {
        "level": "info",
        "event": "request",
        "endpoint": "detect",
        "app_id": APP_ID,
        "status": 200,
        "errorcode": "0",
    }


def test_nothing_personal_is_logged(start: Start, selfie: bytes, party: bytes) -> None:
    """A full run: good and bad requests of every kind, then a search of everything written."""
    served = start("--demo")
    client = served.client()
    secret = {
        "person_id": "11010119900307461X",
        "terminal": {"type": "T-7", "system": "x", "sdk": "y"},
    }
    pictures = {"image": image(selfie), "image1": image(selfie), "image2": image(party)}
    scores = []
    for call in ("detect", "compare", "biodetect", "erasemark"):
        reply = client.ask(call, **pictures, **secret)
        scores += [reply[name] for name in ("similarity", "bio_score") if name in reply]
        for changes in (
            {"app_id": "somebody-else"},
            {"image": image(selfie, token="0" * 64), "image1": image(selfie, token="0" * 64)},
            {"image": image(b"no picture"), "image1": image(b"no picture")},
            {"person_id": ["11010119900307461X"]},
        ):
            client.post(call, **{**pictures, **secret, **changes})
    client.connection.request("POST", f"/openapi/face/v2/detect?key={APP_KEY}", b"{}")
    client.connection.getresponse().read()
    Client(served.url, "my-key-by-mistake", "wrong").post("detect", **pictures)
    served.stop()
    written = served.log.read_text()
    tokens = [sign(picture["data"].encode()) for picture in pictures.values()]
    data = [picture["data"][:40] for picture in pictures.values()]
    for text in (
        *(APP_KEY, "bioauth1234", "11010119900307461X", "T-7", "my-key-by-mistake", "127.0.0.1:"),
        *(*tokens, *data, *scores, "0" * 64, "no picture", "somebody-else", "Authorization"),
    ):
        hits = [line for line in written.splitlines() if text in line]
        assert all('"event": "operations"' in line for line in hits), text
    assert len([line for line in lines(served.log) if line["event"] == "request"]) == 22


def test_a_fault_is_told_without_its_insides(engine: Engine, selfie: bytes) -> None:
    class Broken:
        info = engine.info

        def detect(self, *_: object, **__: object) -> None:
            raise RuntimeError("secret detail")

    app = create_app(Broken(), Settings(), KeyStore(DEMO))  # type: ignore[arg-type]
    data = json.dumps(body(image=image(selfie)))
    fields = dict(
        line.split(": ", 1) for line in head("detect", len(data)).decode().split("\r\n")[1:-2]
    )
    reply = app.test_client().post("/openapi/face/v2/detect", data=data, headers=fields)
    assert reply.status_code == 500
    assert reply.json == {"errorcode": "500", "errormsg": "internal server error"}


def test_the_demo(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "shim.demo", "--out", str(tmp_path)]
    result = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=END_S, check=True
    )
    assert result.stdout.count('"errorcode": "0"') == 5
    made = sorted(path.name for path in tmp_path.iterdir())
    pictures = ["biodetect.jpg", "compare_different.jpg", "compare_same.jpg", "detect.jpg"]
    assert made == [*pictures, "erasemark.png", "shim.log"]
