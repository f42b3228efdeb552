"""The commands themselves, on a handful of real pictures: figures, resuming, reports."""

import argparse
import hashlib
import json
import os
import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Engine
from engine.evaluation.__main__ import main
from engine.evaluation.provenance import provenance
from engine.images import Pixels, encode
from engine.packs import DEFAULT_PACK


def _metrics_alone(out: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((out / "metrics.json").read_text("utf-8"))
    return result


def _metrics(out: Path) -> dict[str, Any]:
    page = (out / "report.html").read_text("utf-8")
    assert page.startswith("<!doctype html>") and "data:image/png;base64," in page
    assert 'src="http' not in page and "href=" not in page
    return _metrics_alone(out)


def test_verification(people: Path, tmp_path: Path, engine: Engine) -> None:
    out = tmp_path / "report"
    assert main(["verification", str(people), "--out", str(out), "--replicates", "20"]) == 0
    figures = _metrics(out)["systems"]["engine"]
    assert figures["threshold"] == 0.497
    assert figures["fmr"]["value"] == 0 and figures["fmr"]["trials"] == 4
    assert figures["fnmr"]["value"] == 0 and figures["fnmr"]["trials"] == 2
    assert [Path(p).name for p in figures["failure_to_enrol"]["photos"]] == ["3.png"]
    assert figures["failure_to_enrol"]["pairs"] == 4
    assert figures["fnmr_at_fmr"] == []  # six pairs support none of the rates
    assert "ann/1.png · ann/2.png</figcaption>" in (out / "report.html").read_text("utf-8")


def test_copies_of_a_file_are_told(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And that they are of two people, whom one of the labels names wrongly."""
    assert main(["verification", str(people), "--out", str(tmp_path / "report")]) == 0
    assert "copies" not in capsys.readouterr().err
    for name in ("ann/3", "tom/4"):
        (people / f"{name}.png").write_bytes((people / "ann" / "1.png").read_bytes())
    assert main(["verification", str(people), "--out", str(tmp_path / "report")]) == 0
    line = "2 files are copies of others, 1 of them labelled otherwise, such as"
    assert f"{line} {people / 'ann' / '1.png'} (ann) and" in capsys.readouterr().err
    assert line in (tmp_path / "report" / "report.html").read_text("utf-8")


def test_a_stopped_command_says_what_is_kept(
    people: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C ends in a line, and the embeddings until then are not computed again."""
    command = ["verification", str(people), "--out", str(tmp_path / "report")]
    embed, left = Engine.embed, [True] * 4

    def stopped(engine: Engine, image: bytes) -> Any:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return embed(engine, image)

    monkeypatch.setattr(Engine, "embed", stopped)
    assert main(command) == 130
    told = "stopped before the end; embeddings so far are kept, and the same command goes on from"
    assert capsys.readouterr().err == f"{told} there\n"
    left.append(True)
    assert main(command) == 0


def test_a_command_that_keeps_nothing_says_so(
    people: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stopped(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.evaluation.gate.load", stopped)
    assert main(["gate", str(people), "--out", str(tmp_path / "report")]) == 130
    assert capsys.readouterr().err == "stopped before the end\n"


def test_verification_of_a_table(people: Path, tmp_path: Path) -> None:
    table, out = people / "people.csv", tmp_path / "report"
    rows = ["path,person", "ann/1.png,Ann", "ann/2.png,Ann", "tom/1.png,Tom", "tom/2.png,Tom"]
    table.write_text("\n".join(rows))
    assert main(["verification", str(table), "--out", str(out)]) == 0
    figures = _metrics(out)["systems"]["engine"]
    assert figures["fmr"]["trials"] == 4 and figures["fnmr"]["trials"] == 2
    page = (out / "report.html").read_text("utf-8")
    assert ", Ann · ann/1.png · ann/2.png</figcaption>" in page and ", Ann and Tom · ann/" in page


def test_names_of_any_bytes_are_in_the_report(people: Path, tmp_path: Path) -> None:
    """As archives from other systems leave them; and on a terminal that knows ASCII alone."""
    odd = people.with_name(os.fsdecode(b"\xc4\xe3 & <b>, x"))
    people.rename(odd)
    (odd / "ann" / "1.png").rename(odd / "ann" / os.fsdecode(b"\xd0\xc2.png"))
    command = [sys.executable, "-m", "engine.evaluation", "verification", str(odd)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*command, "--out", str(tmp_path / "out")], env=environment)
    assert done.returncode == 0
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "udcc4\\udce3 &amp; &lt;b&gt;, x" in page and "udcd0\\udcc2.png" in page


def test_verification_scores_are_the_library_s(
    people: Path, tmp_path: Path, engine: Engine
) -> None:
    table = people / "pairs.csv"
    table.write_text("a,b,same\nann/1.png,ann/2.png,1\nann/1.png,tom/1.png,0\n")
    out = tmp_path / "report"
    arguments = ["verification", str(people), "--pairs", str(table), "--out", str(out)]
    assert main([*arguments, "--fmr", "0.0002", "--no-thumbnails", "--providers", "cpu"]) == 0
    assert _metrics(out)["systems"]["engine"]["threshold"] > 0.497
    page = (out / "report.html").read_text("utf-8")
    assert "image/jpeg" not in page
    base = sqlite3.connect(out / "embeddings.sqlite")
    kept = [
        np.frombuffer(row[0], np.float32) for row in base.execute("SELECT vector FROM embeddings")
    ]
    vector = engine.embed(people / "ann" / "1.png")
    assert max(float(vector @ one) for one in kept) == pytest.approx(1, abs=1e-5)


def test_detection(
    tmp_path: Path, group: Pixels, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "group.png").write_bytes(encode(group, "png"))
    boxes = [face.box for face in engine.detect(group)]
    rows = [f"group.png,{x + 3},{y - 2},{w},{h}" for x, y, w, h in boxes]
    rows += ["group.png,5,5,40,40"]  # where there is no face: missed
    rows += ["broken.png,,,,"]
    (tmp_path / "broken.png").write_bytes(b"no picture")
    truth = tmp_path / "truth.csv"
    truth.write_text("\n".join(["file,x,y,width,height", *rows]) + "\n")
    out = tmp_path / "report"
    assert main(["detection", str(truth), "--out", str(out)]) == 0
    figures = _metrics(out)["systems"]["engine"]
    assert figures["recall"]["value"] == pytest.approx(6 / 7)
    assert figures["precision"]["value"] == 1
    assert figures["average_precision"] == pytest.approx(6 / 7)
    assert figures["landmark_error"] is None and figures["pictures_refused"] == 1
    truth.write_text("file,x,y,width,height\nbroken.png,,,,\n")
    assert main(["detection", str(truth), "--out", str(out)]) == 0
    assert _metrics(out)["systems"]["engine"]["average_precision"] is None
    for twice, message in ((True, "listed twice: each picture"), (False, "there is no file")):
        assert main(["detection", *[str(truth)] * (1 + twice), "--out", str(out)]) == 1
        assert message in capsys.readouterr().err
        (tmp_path / "broken.png").unlink(missing_ok=True)


def test_detection_against_dlib_s_truth(shared: Path, tmp_path: Path) -> None:
    folder = shared / "detection" / "dlib_faces"
    listings = [str(folder / f"{part}_with_face_landmarks.xml") for part in ("testing", "training")]
    assert main(["detection", *listings, "--out", str(tmp_path)]) == 0
    figures = _metrics(tmp_path)["systems"]["engine"]
    assert figures["recall"]["value"] == 1 and figures["average_precision"] > 0.99
    assert 0 < figures["landmark_error"] < 0.15 and figures["landmark_faces"] == 43


def test_a_report_says_what_it_was_made_with(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And is not replaced by one of another command."""
    out = tmp_path / "report"
    assert main(["speed", str(people), "--out", str(out), "--count", "1"]) == 0
    made = _metrics(out)["made_with"]
    assert (made["command"], made["pack"]) == ("speed", "default")
    assert made["arguments"]["photos"] == str(people) and made["arguments"]["count"] == 1
    manifest = (DEFAULT_PACK / "pack.toml").read_bytes()
    assert made["pack_sha256"] == hashlib.sha256(manifest).hexdigest()
    page = (out / "report.html").read_text()
    assert made["pack_sha256"] in page and made["date"] in page
    assert main(["gate", str(people), "--out", str(out)]) == 1
    assert "holds the report of another command, speed: give an" in capsys.readouterr().err
    assert _metrics(out)["made_with"] == made


def test_a_report_inside_its_sample_does_not_count(people: Path, tmp_path: Path) -> None:
    """Its sheets are pictures, too."""
    shown = []
    for _ in range(2):
        assert main(["gate", str(people), "--out", str(people / "report")]) == 0
        (people / "report" / "worst.jpg").write_bytes((people / "ann" / "1.png").read_bytes())
        shown.append(_metrics_alone(people / "report")["photos"])
    assert shown[0] == shown[1]


def test_a_report_without_room_leaves_the_one_before(people: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    command = [sys.executable, "-m", "engine.evaluation", "speed", str(people), "--out", str(out)]
    assert subprocess.run([*command, "--count", "1"], capture_output=True).returncode == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    limited = f"ulimit -f 1; exec {shlex.join(command)}"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True)
    assert done.returncode == 1 and "error: [Errno 27] File too large" in done.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_no_key_is_in_a_report() -> None:
    """Of a service that was measured."""
    given = argparse.Namespace(pack=None, endpoint=["http://x"], app_key=["secret"], run=main)
    made = provenance(given)
    assert "secret" not in json.dumps(made) and made["arguments"]["endpoint"] == ["http://x"]


def test_the_first_picture_need_not_have_a_face(tmp_path: Path, astronaut: Pixels) -> None:
    """Every stage is timed as often as it occurs, after a run that is not counted."""
    for name, pixels in (("1", np.full((90, 90, 3), 9, np.uint8)), ("2", astronaut)):
        (tmp_path / f"{name}.png").write_bytes(encode(pixels, "png"))
    out = tmp_path / "report"
    assert main(["speed", str(tmp_path), "--out", str(out)]) == 0
    stages = _metrics(out)["stages"]
    assert stages["decode"]["runs"] == 2 and stages["embed"]["runs"] == 1


def test_speed(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report"
    assert main(["speed", str(people), "--out", str(out), "--threads", "1"]) == 0
    stages = _metrics(out)["stages"]
    assert {"decode", "detect one", "levelling", "align", "embed", "liveness"} <= set(stages)
    assert stages["decode"]["runs"] == 5 and stages["embed"]["runs"] == 4
    table = people / "photos.csv"
    table.write_text("\n".join(["path", *(str(path) for path in people.rglob("*.png"))]), "utf-8")
    assert main(["speed", str(table), "--out", str(out), "--count", "2"]) == 0
    stages = json.loads((out / "metrics.json").read_text())["stages"]
    assert stages["decode"]["runs"] == 2
    first = next(people.rglob("*.png"))
    again = first.parent / ".." / first.parent.name / first.name
    table.write_text(f"path\n{first}\n{again}", "utf-8")
    assert main(["speed", str(table), "--out", str(out)]) == 1
    assert f"photos.csv, line 3: {first} is in line 2 already" in capsys.readouterr().err
    (people / "broken.png").write_bytes(b"no picture")
    assert main(["speed", str(people), "--out", str(out)]) == 1
    assert "broken.png: the picture is not a PNG, JPEG or BMP" in capsys.readouterr().err
