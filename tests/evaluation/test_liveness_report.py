"""Liveness measured: error rates, areas, peers, altered pictures, and what was not judged."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest

from engine import Engine
from engine.evaluation.__main__ import main
from engine.evaluation.alterations import compressed, exposed, halved, paler
from engine.evaluation.captures import LIVE
from engine.images import Pixels, decode, encode, load
from engine.packs import DEFAULT_PACK, read_pack

NETWORK = DEFAULT_PACK / "liveness_minifasnet.onnx"


@pytest.fixture
def taken(tmp_path: Path, astronaut: Pixels, hanks: Pixels) -> Path:
    """Live: two good. Print: a good one, one too small to count, one without a face."""
    files = {
        "ann_live/1": astronaut,
        "ann_live/2": cv2.convertScaleAbs(astronaut, alpha=0.6),
        "tom_print/1": hanks,
        "tom_print/2": cv2.resize(hanks, (64, 64), interpolation=cv2.INTER_AREA),
        "tom_print/3": np.full((200, 200, 3), 127, np.uint8),
    }
    for name, pixels in files.items():
        path = tmp_path / "taken" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(np.asarray(pixels, np.uint8), "png"))
    return tmp_path / "taken"


def measured(taken: Path, out: Path, *options: str) -> dict[str, Any]:
    assert main(["liveness", str(taken), "--out", str(out), "--replicates", "20", *options]) == 0
    text = (out / "metrics.json").read_text("utf-8")
    assert "NaN" not in text
    result: dict[str, Any] = json.loads(text)
    return result


def test_figures_are_the_library_s_verdicts(taken: Path, tmp_path: Path, engine: Engine) -> None:
    out = tmp_path / "report"
    figures = measured(taken, out)["systems"]["engine"]
    assert figures["threshold"] == read_pack().entry("liveness").settings["threshold"]
    live = [engine.liveness(load(path)) for path in sorted((taken / "ann_live").iterdir())]
    print_ = engine.liveness(taken / "tom_print" / "1.png")
    too_small = engine.liveness(taken / "tom_print" / "2.png")
    assert print_.assessable and not too_small.assessable
    species = "taken: print"
    assert figures["errors"][LIVE]["value"] == 1 - np.mean([one.is_alive for one in live])
    assert figures["errors"][species]["value"] == float(print_.is_alive)
    assert figures["errors"][species]["trials"] == 1
    for kind in ("not_assessable", "non_response"):
        assert figures[kind][species]["value"] == pytest.approx(1 / 3)
        assert figures[kind][species]["trials"] == 3
    acer = (figures["errors"][species]["value"] + figures["errors"][LIVE]["value"]) / 2
    assert figures["acer"][species] == figures["worst_acer"] == acer
    scores = [(one.score > other.score) for one in live for other in (print_, too_small)]
    assert figures["auc"][species]["value"] == np.mean(scores)
    assert figures["auc"][species]["trials"] == 4
    for name in ("worst_live.jpg", "worst_attacks.jpg"):
        assert decode((out / name).read_bytes()).shape[1] == 5 * 220


def test_every_score_is_written(taken: Path, tmp_path: Path, engine: Engine) -> None:
    """So that figures can be computed again; also under a name that is no text."""
    odd = taken / "tom_print" / os.fsdecode("新".encode("gbk") + b".png")
    (taken / "tom_print" / "1.png").rename(odd)
    figures = measured(taken, tmp_path / "report")["systems"]["engine"]
    with (tmp_path / "report" / "scores.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    rows = {"/".join(Path(row["path"]).parts[-2:]): row for row in found}
    assert len(rows) == 5 and {row["system"] for row in found} == {"engine"}
    live = rows["ann_live/1.png"]
    assert live["path"] == str(taken / "ann_live" / "1.png")
    assert (live["label"], live["subject"]) == (LIVE, "taken/ann")
    said = engine.liveness(taken / "ann_live" / "1.png")
    assert float(live["score"]) == pytest.approx(said.score, abs=1e-4)
    assert (live["live"], live["assessable"]) == (str(int(said.is_alive)), "1")
    small, blank = rows["tom_print/2.png"], rows["tom_print/3.png"]
    assert small["assessable"] == small["live"] == "0"
    assert blank["score"] == blank["live"] == blank["assessable"] == ""
    judged = [one["live"] for one in found if one["label"] == LIVE and one["assessable"] == "1"]
    assert figures["errors"][LIVE]["value"] == judged.count("0") / len(judged)


def test_a_capture_that_is_live_and_an_attack(
    taken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (taken / "tom_print" / "4.png").write_bytes((taken / "ann_live" / "1.png").read_bytes())
    measured(taken, tmp_path / "report")
    error = capsys.readouterr().err
    assert "1 files are copies of others, 1 of them labelled otherwise" in error
    assert "1.png (live, taken/ann) and" in error and "4.png (taken: print, taken/tom)" in error


def test_a_sheet_of_names_of_any_bytes(taken: Path, tmp_path: Path) -> None:
    for file in taken.glob("*/1.png"):
        file.rename(file.with_name(os.fsdecode("新".encode("gbk") + b".png")))
    measured(taken, tmp_path / "report")
    assert (tmp_path / "report" / "worst_live.jpg").is_file()


def test_pictures_are_left_out_when_asked(taken: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    measured(taken, out)
    assert {path.stem for path in out.glob("*.jpg")} == {"worst_live", "worst_attacks"}
    measured(taken, out, "--no-thumbnails")  # into the same folder, to be handed on
    assert {path.name for path in out.iterdir()} == {"report.html", "metrics.json", "scores.csv"}
    assert "image/jpeg" not in (out / "report.html").read_text("utf-8")


def test_peers_judge_the_same_faces(taken: Path, tmp_path: Path) -> None:
    """The pack's own network as a peer: another scale, so another threshold, but the same order."""
    spec = f"{NETWORK}:crop=2.7,size=128,channels=bgr,scale=1,live=0"
    options = ["--peer", spec, "--robustness"]
    metrics = measured(taken, tmp_path / "report", *options)
    ours, theirs = metrics["systems"]["engine"], metrics["systems"][NETWORK.stem]
    assert theirs["errors"]["taken: print"]["trials"] == 2  # a peer has no gate
    altered = {"JPEG quality 60", "half the size", "2 stops brighter", "2 stops darker"}
    altered.add("0.7 of the contrast")
    for name in ("engine", NETWORK.stem):
        figures = metrics["robustness"][name]["taken: print"]
        assert set(figures["lost"]) == altered
        assert figures["auc"] == metrics["systems"][name]["auc"]["taken: print"]["value"]
    if "texture" not in (DEFAULT_PACK / "pack.toml").read_text():  # one network, one order
        assert ours["auc"] == theirs["auc"]


def test_a_peer_that_ends_in_a_softmax(taken: Path, tmp_path: Path) -> None:
    network = onnx.load(NETWORK)
    (out,) = network.graph.output
    network.graph.node.append(onnx.helper.make_node("Softmax", [out.name], ["shares"], axis=1))
    out.name = "shares"
    onnx.save(network, tmp_path / "softmax.onnx")
    peers = f"{NETWORK}:crop=2.7", f"{tmp_path / 'softmax.onnx'}:crop=2.7,softmax=1"
    options = [part for peer in peers for part in ("--peer", peer)]
    plain, softmax = (
        measured(taken, tmp_path / "report", *options)["systems"][name]
        for name in ("liveness_minifasnet", "softmax")
    )
    assert plain == softmax


def test_a_peer_at_a_threshold_of_its_own(taken: Path, tmp_path: Path) -> None:
    """All pass below the lowest score, none above the highest, and the order stays."""
    found = {}
    for threshold in ("-99", "0", "99"):
        spec = f"{NETWORK}:crop=2.7,threshold={threshold}"
        metrics = measured(taken, tmp_path / "report", "--peer", spec)
        found[threshold] = metrics["systems"][NETWORK.stem]
        assert found[threshold]["threshold"] == float(threshold)
    passed = {name: one["errors"]["taken: print"]["value"] for name, one in found.items()}
    assert passed["-99"] == 1.0 and passed["99"] == 0.0
    assert found["-99"]["auc"] == found["0"]["auc"] == found["99"]["auc"]


def test_one_network_with_several_crops(taken: Path, tmp_path: Path) -> None:
    specs = [f"{NETWORK}:crop={crop}" for crop in (1.5, 2.7)]
    peers = [part for spec in specs for part in ("--peer", spec)]
    systems = measured(taken, tmp_path / "report", *peers)["systems"]
    assert set(systems) == {"engine", NETWORK.stem, specs[1]}


def test_attacks_without_any_face(taken: Path, tmp_path: Path) -> None:
    """They are in no figure, and do not keep the others from theirs."""
    (taken / "eve_mask").mkdir()
    (taken / "tom_print" / "3.png").rename(taken / "eve_mask" / "1.png")
    metrics = measured(taken, tmp_path / "report", "--robustness")
    assert metrics["systems"]["engine"]["errors"]["taken: mask"]["value"] is None
    assert metrics["systems"]["engine"]["bpcer_at_apcer"] == {}  # two attacks support none
    lost = metrics["robustness"]["engine"]
    assert lost["non_response"]["taken: mask"]["JPEG quality 60"]["value"] == 1
    assert lost["error"]["live"]["JPEG quality 60"]["trials"] > 0
    assert lost["taken: mask"]["auc"] is None and set(lost["taken: mask"]["lost"].values()) == {
        None
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("crop=wide", "could not convert"),
        ("crop", "could not convert"),
        ("zoom=2", "it knows no zoom"),
        ("channels=hsv", "channels is BGR or RGB"),
        ("scale=0", "scale is not 0"),
        ("threshold=nan", "threshold is a finite number"),
        ("size=64", "takes no picture of that kind"),
        ("live=9", "takes no picture of that kind"),
    ],
)
def test_a_peer_that_cannot_be_used(
    taken: Path, tmp_path: Path, options: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["liveness", str(taken), "--out", str(tmp_path), "--peer", f"{NETWORK}:{options}"]
    assert main(command) == 1
    error = capsys.readouterr().err
    assert message in error and "it is written FILE:crop=1.5,size=128" in error


def test_a_missing_peer_and_operating_point(
    taken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["liveness", str(taken), "--out", str(tmp_path)]
    assert main([*command, "--peer", "nowhere.onnx"]) == 1
    assert "No such file" in capsys.readouterr().err
    assert main([*command, "--bpcer", "0.0123"]) == 1
    assert "BPCER" in capsys.readouterr().err


def test_alterations(astronaut: Pixels) -> None:
    assert halved(astronaut).shape == (256, 256, 3)
    assert 0 < np.abs(compressed(astronaut).astype(int) - astronaut).mean() < 5
    middle = np.full((2, 2, 3), 128, np.uint8)
    assert exposed(middle, 0)[0, 0, 0] == 128
    assert abs(int(exposed(exposed(middle, -2), 2)[0, 0, 0]) - 128) <= 2
    # A quarter of the light of sRGB 128, which is 21.6 %, is 5.4 %: sRGB 66.
    assert exposed(middle, -2)[0, 0, 0] == 66
    assert (exposed(np.full((1, 1, 3), 200, np.uint8), 2) == 255).all()
    pair = np.array([[[100] * 3, [200] * 3]], np.uint8)
    assert paler(pair)[0, :, 0].tolist() == [115, 185]
