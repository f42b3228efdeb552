"""The same measurements through the HTTP API of a real server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine import Engine
from engine.evaluation.__main__ import main
from engine.evaluation.endpoint import Endpoint, EndpointError
from engine.images import Pixels, encode

ROOT = Path(__file__).parents[2]
PAIR = ("6222980101038034", "1234567890ABCDEFGH")


@contextmanager
def serve(**settings: str) -> Iterator[str]:
    """A server in a process of its own, with the document's sample key pair."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BIOAUTH_")}
    command = [sys.executable, "-m", "shim", "--demo", "--port", "0"]
    chosen = {**kept, "BIOAUTH_PROVIDERS": "cpu", **settings}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=chosen, cwd=ROOT) as one:
        assert one.stdout
        line = one.stdout.readline().strip()
        assert line.startswith("http://")
        yield line
        one.terminate()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve() as url:
        yield url


@pytest.fixture
def photos(tmp_path: Path, astronaut: Pixels, hanks: Pixels) -> Path:
    dark = np.asarray(cv2.convertScaleAbs(astronaut, alpha=0.6), np.uint8)
    blank = np.full((200, 200, 3), 127, np.uint8)
    files = {"ann_live/1": astronaut, "ann_live/2": dark, "tom_print/1": hanks}
    for name, pixels in {**files, "tom_print/2": blank}.items():
        path = tmp_path / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(pixels, "png"))
    return tmp_path / "photos"


def test_calls_give_the_library_s_numbers(url: str, photos: Path, engine: Engine) -> None:
    service = Endpoint(url, *PAIR)
    one, two = photos / "ann_live" / "1.png", photos / "ann_live" / "2.png"
    answer, expected = service.compare(one, two), engine.compare(one, two)
    assert answer is not None
    assert answer == pytest.approx((expected.similarity, expected.threshold), abs=1e-4)
    score = service.liveness(one)
    assert score is not None and score[0] == pytest.approx(engine.liveness(one).score, abs=1e-4)
    boxes = service.detect(one)
    assert boxes is not None and np.allclose(boxes, [engine.detect(one)[0].box], atol=1)
    blank = photos / "tom_print" / "2.png"
    assert service.detect(blank) == []
    assert service.compare(one, blank) is None and service.liveness(blank) is None


def test_another_false_match_rate_moves_the_threshold_only(url: str, photos: Path) -> None:
    pair = photos / "ann_live" / "1.png", photos / "tom_print" / "1.png"
    usual = Endpoint(url, *PAIR).compare(*pair)
    with serve(BIOAUTH_FMR="2e-4") as strict:
        moved = Endpoint(strict, *PAIR).compare(*pair)
    assert usual is not None and moved is not None
    assert moved[0] == usual[0] and moved[1] > usual[1] == 0.497


def test_a_wrong_key_is_an_error_and_not_a_figure(url: str, photos: Path) -> None:
    with pytest.raises(EndpointError, match="errorcode 5"):
        Endpoint(url, PAIR[0], "wrong").detect(photos / "ann_live" / "1.png")


def test_what_is_no_service_is_told_in_a_sentence(url: str, tmp_path: Path) -> None:
    with pytest.raises(EndpointError, match="write http://HOST:PORT"):
        Endpoint("localhost:8081", *PAIR)
    (tmp_path / "1.png").touch()
    with pytest.raises(EndpointError, match="does not answer"):
        Endpoint(f"{url} 80", *PAIR).detect(tmp_path / "1.png")


def test_pictures_too_large_for_a_request_are_refusals(
    url: str, photos: Path, tmp_path: Path
) -> None:
    """Of one picture, and of two whose request the service does not even store."""
    noise = np.random.default_rng(0).integers(0, 256, (1600, 1600, 3), np.uint8)
    (tmp_path / "large.png").write_bytes(encode(noise, "png"))
    service, one = Endpoint(url, *PAIR), photos / "ann_live" / "1.png"
    assert service.compare(one, tmp_path / "large.png") is None
    assert service.compare(tmp_path / "large.png", tmp_path / "large.png") is None
    assert service.detect(tmp_path / "large.png") is None


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("verification", ["--fmr", "0.01"]),
        ("verification", ["--cache", "embeddings.sqlite"]),
        ("liveness", ["--bpcer", "0.1"]),
        ("liveness", ["--robustness"]),
        ("liveness", ["--providers", "cpu"]),
    ],
)
def test_options_of_the_library_need_it(
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    option: list[str],
) -> None:
    service = ["--endpoint", "http://127.0.0.1:1", "--app-id", "a", "--app-key", "b"]
    assert main([command, str(photos), *service, *option, "--out", str(tmp_path / "report")]) == 1
    assert f"error: {option[0]}: of the library alone, so add --with-library" in (
        capsys.readouterr().err
    )


def test_service_and_library_in_one_report(url: str, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    service = ["--endpoint", url, "--app-id", PAIR[0], "--app-key", PAIR[1], "--with-library"]
    assert main(["verification", str(photos), *service, "--out", str(out)]) == 0
    systems = json.loads((out / "metrics.json").read_text())["systems"]
    assert set(systems) == {"engine", url}
    theirs, ours = systems[url], systems["engine"]
    assert theirs["threshold"] == pytest.approx(ours["threshold"])
    for key in ("fmr", "fnmr", "failure_to_enrol"):
        assert theirs[key] == ours[key]
    assert theirs["failure_to_enrol"]["pairs"] == 3
    assert theirs["failure_to_enrol"]["genuine_pairs"] == 1
    assert PAIR[1] not in (out / "report.html").read_text()
    few = ["--calls", "2", "--seed", "1"]  # neither of the two pairs has the photo without a face
    assert main(["verification", str(photos), *service, *few, "--out", str(out)]) == 0
    systems = json.loads((out / "metrics.json").read_text())["systems"]
    for name in (url, "engine"):
        assert systems[name]["failure_to_enrol"] == {"photos": [], "pairs": 0, "genuine_pairs": 0}


def test_a_service_that_does_not_tell_what_it_did_not_judge(
    url: str, photos: Path, tmp_path: Path, hanks: Pixels, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its errors are of more captures than the library's, so all verdicts are held side by side."""
    small = np.asarray(cv2.resize(hanks, (64, 64), interpolation=cv2.INTER_AREA), np.uint8)
    (photos / "tom_print" / "3.png").write_bytes(encode(small, "png"))
    out, species = tmp_path / "report", "photos: print"
    service = ["--endpoint", url, "--app-id", PAIR[0], "--app-key", PAIR[1], "--with-library"]
    assert main(["liveness", str(photos), *service, "--out", str(out)]) == 0
    systems = json.loads((out / "metrics.json").read_text())["systems"]
    theirs, ours = systems[url], systems["engine"]
    assert (ours["errors"][species]["trials"], theirs["errors"][species]["trials"]) == (1, 2)
    assert theirs["wrong_verdicts"] == ours["wrong_verdicts"]
    assert ours["wrong_verdicts"][species]["trials"] == 2
    assert theirs["non_response"] == ours["non_response"]
    assert theirs["not_assessable"][species] is None and theirs["threshold_estimated"] == "about"
    assert ours["not_assessable"][species]["value"] == pytest.approx(1 / 3)
    printed = capsys.readouterr().out
    assert "Wrong verdicts on all answered captures" in printed and "not told" in printed
    assert "its threshold, about" in printed and "by its verdicts" in printed


def test_detection_through_the_service(url: str, tmp_path: Path, group: Pixels) -> None:
    (tmp_path / "group.png").write_bytes(encode(group[:, :700], "png"))
    (tmp_path / "truth.csv").write_text("file,x,y,width,height\ngroup.png,1,1,9,9\n")
    service = ["--endpoint", url, "--app-id", PAIR[0], "--app-key", PAIR[1], "--with-library"]
    out = tmp_path / "report"
    assert main(["detection", str(tmp_path / "truth.csv"), *service, "--out", str(out)]) == 0
    report = json.loads((out / "metrics.json").read_text())
    metrics = report["systems"]
    assert report["made_with"]["pack"] == "default"
    assert metrics[url]["average_precision"] is None  # it gives no scores to rank by
    assert metrics["engine"]["average_precision"] is not None
    assert metrics[url]["false_alarms"] == metrics["engine"]["false_alarms"] > 0


@pytest.mark.parametrize("command", ["verification", "liveness"])
def test_nobody_knows_a_service_s_networks(
    url: str, photos: Path, tmp_path: Path, command: str
) -> None:
    """So the report of a service alone names none."""
    service = ["--endpoint", url, "--app-id", PAIR[0], "--app-key", PAIR[1]]
    assert main([command, str(photos), *service, "--out", str(tmp_path / "report")]) == 0
    made = json.loads((tmp_path / "report" / "metrics.json").read_text())["made_with"]
    assert made["arguments"]["endpoint"] == [url]
    assert not {"pack", "pack_sha256", "onnxruntime"} & set(made)


def test_no_system_has_more_faces_than_a_service_returns(
    url: str, tmp_path: Path, group: Pixels, engine: Engine
) -> None:
    """Eighteen people, of whom a service finds the sixteen largest: so does the library beside it,
    and all of them alone."""
    crowd = np.concatenate([group] * 3)
    (tmp_path / "crowd.jpg").write_bytes(encode(crowd, "jpeg"))
    boxes = [face.box for face in engine.detect(tmp_path / "crowd.jpg", max_faces=1000)]
    assert len(boxes) == 18
    rows = [f"crowd.jpg,{x},{y},{w},{h}" for x, y, w, h in boxes]
    (tmp_path / "truth.csv").write_text("\n".join(["file,x,y,width,height", *rows]))
    service = ["--endpoint", url, "--app-id", PAIR[0], "--app-key", PAIR[1], "--with-library"]
    found = {}
    for name, options in (("alone", []), ("beside", service)):
        out = tmp_path / name
        assert main(["detection", str(tmp_path / "truth.csv"), *options, "--out", str(out)]) == 0
        metrics = json.loads((out / "metrics.json").read_text())["systems"]
        found[name] = {system: one["recall"]["value"] for system, one in metrics.items()}
        said = "The 16 largest faces of a picture at most" in (out / "report.html").read_text()
        assert said == (name == "beside")
    assert found["alone"] == {"engine": 1}
    assert found["beside"]["engine"] == found["beside"][url] == pytest.approx(16 / 18)
