"""What the operator sees, and what nobody may see."""

import hashlib
import json
import logging
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Start
from raw_socket import connect, read
from shim_client import APP_ID, APP_KEY, Client, body, head, image, sign
from shim_server import END_S, Served, environment, run, wait_for

from engine import Engine, images
from engine.images import Pixels
from engine.packs import DEFAULT_PACK
from shim import Settings, create_app
from shim.keys import DEMO, KeyStore
from shim.observability import JsonLines


def lines(log: Path) -> list[dict[str, Any]]:
    # Libraries that decode pictures print warnings of their own in between.
    written = log.read_text().splitlines()
    return [json.loads(line) for line in written if line.startswith("{") and line.endswith("}")]


def test_one_line_per_request(served: Served, client: Client, selfie: bytes) -> None:
    _, fields, _ = client.post("detect", image=image(selfie))
    (line,) = [
        line for line in lines(served.log) if line.get("request_id") == fields["X-Request-Id"]
    ]
    stages = line.pop("ms")
    assert sorted(stages) == ["encode", "engine", "head", "queue", "total", "validate"]
    assert all(0 <= value < 60_000 for value in stages.values())
    assert stages.pop("total") == pytest.approx(sum(stages.values()), abs=0.05)
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


@pytest.mark.parametrize(
    ("app_key", "changes", "came_to"),
    [
        ("wrong", {}, ["head"]),
        (APP_KEY, {"person_id": ""}, ["head", "queue", "validate"]),
        (APP_KEY, {"image": image(b"no picture")}, ["head", "queue", "validate", "engine"]),
    ],
)
def test_a_failure_is_filed_under_its_stage(
    served: Served, app_key: str, changes: dict[str, Any], came_to: list[str]
) -> None:
    refused = Client(served.url, APP_ID, app_key).post("detect", **changes)
    (line,) = [
        line for line in lines(served.log) if line.get("request_id") == refused[1]["X-Request-Id"]
    ]
    assert list(line["ms"]) == [*came_to, "encode", "total"]


def test_a_head_that_cannot_be_read_has_its_stages(start: Start) -> None:
    served = start("--demo")
    with connect(served) as connection:
        connection.sendall(b"hello\r\n\r\n")
        reply = read(connection)
    wait_for(served.log, '"event": "request"')
    (line,) = [line for line in lines(served.log) if line["event"] == "request"]
    assert line["request_id"] == reply[1]["X-Request-Id"]
    assert list(line["ms"]) == ["head", "encode", "total"]


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


def test_a_fault_is_told_without_its_insides(
    engine: Engine, selfie: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """To the client; the log has them, with the request's name."""

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
    (fault,) = (record for record in caplog.records if record.message == "fault")
    assert fault.__dict__["fields"] == {"request_id": reply.headers["X-Request-Id"]}
    assert fault.exc_info is not None and str(fault.exc_info[1]) == "secret detail"


def own_pack(folder: Path) -> Path:
    """The default pack's first network with a table of two operating points."""
    base = DEFAULT_PACK / "pack.toml"
    network = DEFAULT_PACK / "liveness_minifasnet.onnx"
    similarity = base.read_text().split("[similarity]")[1].split("\n[")[0]
    (folder / network.name).write_bytes(network.read_bytes())
    (folder / "pack.toml").write_text(
        '[pack]\nextends = "default"\n[liveness]\nkind = "crop_classifier"\n'
        f'file = "{network.name}"\nlicence = "MIT"\norigin = "a copy"\nsize = 128\n'
        f'sha256 = "{hashlib.sha256(network.read_bytes()).hexdigest()}"\ncrop = 2.7\n'
        "live_class = 0\nslope = 0.1\nintercept = 0\nthreshold = -11.0\n"
        "bpcer = [{ bpcer = 0.05, threshold = -11.0, captures = 700 },\n"
        "         { bpcer = 0.2, threshold = 11.0, captures = 700 }]\n"
        f"[similarity]{similarity}\n"
    )
    return folder


def test_the_log_is_in_universal_time(monkeypatch: pytest.MonkeyPatch) -> None:
    record = logging.LogRecord("shim", logging.INFO, "", 0, "a line\nand another", None, None)
    record.created, record.msecs = 1476414567.061, 61.0
    with monkeypatch.context() as there:
        there.setenv("TZ", "CST-8")
        time.tzset()
        line = JsonLines().format(record)
    time.tzset()
    assert json.loads(line) == {
        "time": "2016-10-14T03:09:27.061Z",
        "level": "info",
        "event": "a line\nand another",
    }
    assert "\n" not in line


def test_another_false_match_rate_moves_the_threshold(
    start: Start, served: Served, selfie: bytes, party: bytes
) -> None:
    strict = start("--demo", fmr="2e-4").client()
    pair = {"image1": image(selfie), "image2": image(party)}
    ours, usual = strict.ask("compare", **pair), served.client().ask("compare", **pair)
    assert (ours["ref_thres"], usual["ref_thres"]) == ("0.659", "0.497")
    assert ours["similarity"] == usual["similarity"]


def test_another_operating_point_moves_the_verdict_only(
    start: Start, tmp_path: Path, selfie: bytes
) -> None:
    pack = own_pack(tmp_path)
    replies = [
        start("--demo", pack=pack, **setting).client().ask("biodetect", image=image(selfie))
        for setting in ({}, {"bpcer": 0.05}, {"bpcer": 0.2}, {"liveness_threshold": 11})
    ]
    assert [reply["is_alive"] for reply in replies] == ["true", "true", "false", "false"]
    assert len({reply["bio_score"] for reply in replies}) <= 2  # rounded towards the verdict
    assert all(reply["errorcode"] == "0" for reply in replies)
    refused = run(tmp_path, "--demo", pack=pack, bpcer=0.01, ops=0)
    assert refused.returncode == 1 and not refused.stdout
    assert "a BPCER of 0.01 takes 3,000 live captures" in refused.stderr
    assert "its lowest rate is 0.05" in refused.stderr and "Traceback" not in refused.stderr


def test_a_picture_that_cannot_be_judged_is_not_alive(
    start: Start, tmp_path: Path, astronaut: Pixels
) -> None:
    """With a threshold of -11, which every score exceeds; a face is found, so the call succeeds."""
    served = start("--demo", pack=own_pack(tmp_path))
    dark = images.encode((astronaut * 0.12).astype("uint8"), "png")
    reply = served.client().ask("biodetect", image=image(dark, content_type="png"))
    assert reply["is_alive"] == "false" and reply["face_detect_result"] == "Have face"
    assert -12 <= float(reply["bio_score"]) <= -11  # is_alive is whether it exceeds the threshold
    turned = images.encode(np.rot90(astronaut), "png")
    reply = served.client().ask("biodetect", image=image(turned, content_type="png"))
    assert reply["is_alive"] == "true" and float(reply["bio_score"]) > -11


def test_the_demo(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "shim.demo", "--out", str(tmp_path)]
    result = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=END_S, check=True
    )
    assert result.stdout.count('"errorcode": "0"') == 5
    made = sorted(path.name for path in tmp_path.iterdir())
    pictures = ["biodetect.jpg", "compare_different.jpg", "compare_same.jpg", "detect.jpg"]
    assert made == [*pictures, "erasemark.png", "shim.log"]


def test_the_demo_without_its_pictures(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['skimage'] = None; from shim.demo import main; exit(main())"
    command = [sys.executable, "-c", hidden, "--out", str(tmp_path / "demo")]
    result = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("The pictures are in packages that are missing (")
    assert result.stderr.count("\n") == 1 and "pip install onnx requests" in result.stderr
    assert not list(tmp_path.iterdir())
