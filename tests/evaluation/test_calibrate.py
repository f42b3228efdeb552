"""Calibration of a pack in one command: what it writes, what it leaves out, what it refuses."""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import calibrate
import cv2
import numpy as np
import operating_points
import pytest
import second_look

from engine import Engine
from engine.embedding import unit
from engine.evaluation.__main__ import main
from engine.evaluation.pairs import all_pairs
from engine.evaluation.photos import Photo, SampleError, leave_out, read_folder
from engine.images import Pixels, load
from engine.packs import read_pack
from engine.similarity import SimilarityScale

ROOT = Path(__file__).parents[2]

PACK = """[pack]
name = "own"
extends = "default"

[detector]
kind = "insightface"
file = "scrfd_500m_bnkps.onnx"
sha256 = "{detector}"
licence = "non-commercial research only"
commercial_use = false
origin = "the operator"

[embedding]
kind = "insightface"
file = "arcface_mobilefacenet_128d.onnx"
sha256 = "{embedding}"
licence = "unknown"
commercial_use = false
origin = "the operator"

[similarity]
cosine = 0.4
steepness = 12.0
"""


@pytest.fixture
def own_pack(shared: Path, tmp_path: Path) -> Path:
    """An operator's own networks, beside each other in a folder."""
    from hashlib import sha256

    folder = tmp_path / "own"
    folder.mkdir()
    sums = {}
    files = {"detector": "scrfd_500m_bnkps.onnx", "embedding": "arcface_mobilefacenet_128d.onnx"}
    for role, name in files.items():
        data = (shared / "models" / name).read_bytes()
        (folder / name).write_bytes(data)
        sums[role] = sha256(data).hexdigest()
    (folder / "pack.toml").write_text(PACK.format(**sums))
    return folder


def _run(*arguments: object) -> int:
    return calibrate.main([str(argument) for argument in arguments])


def test_a_pack_is_calibrated_and_then_used(
    own_pack: Path,
    shared: Path,
    tmp_path: Path,
    hanks: Pixels,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """250 women have 31,125 pairs: enough for 1e-3. One of them is there twice, under two names."""
    photos = tmp_path / "women"
    photos.mkdir()
    scut = shared / "portraits" / "scut"
    known = leave_out(read_folder(scut), ROOT / "weights" / "build" / "scut_duplicates.txt")
    # To this light network AF322 is so like AF264 that she is at the limit of suspicion.
    women = [p for p in known if p.person.startswith("AF") and p.person != "AF322"]
    for photo in women[:250]:
        (photos / photo.path.name).symlink_to(photo.path)
    double = load(scut / "AF1.jpg")
    cv2.imwrite(str(photos / "AF9999.jpg"), cv2.resize(double[20:], None, fx=0.8, fy=0.8))
    out = tmp_path / "report"
    assert _run(photos, "--pack", own_pack, "--out", out, "--steepness", "12") == 0

    section = read_pack(own_pack).similarity
    assert section["left_out"] == ["AF9999"] and section["data"] == "women"
    assert section["build"] == "python weights/build/calibrate.py women --pack own --steepness 12.0"
    assert section["without_face"] == 0
    reference = {row["fmr"]: row for row in section["matched"]}
    assert min(reference) == 1e-3 and reference[1e-3]["similarity"] == 0.497
    assert reference[1e-3]["pairs"] == 250 * 249 / 2 and reference[1e-3]["people"] == 250
    assert SimilarityScale(section)(section["cosine"]) == pytest.approx(0.497)
    made = json.loads((out / "metrics.json").read_text())["made_with"]
    assert made["command"] == "calibrate" and made["pack"] == "own"
    assert main(["gate", str(photos), "--out", str(out)]) == 1
    assert "holds the report of another command, calibrate: give" in capsys.readouterr().err
    text = (own_pack / "pack.toml").read_text()
    assert text.startswith('[pack]\nname = "own"') and text.count("[similarity]") == 1
    with Engine(own_pack, ["cpu"], fmr=0.01) as engine:
        assert engine.compare(hanks, hanks).threshold == reference[0.01]["similarity"] < 0.497


def test_a_sample_too_small_is_refused(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(ROOT / "weights" / "default", pack)
    before = (pack / "pack.toml").read_text()
    photos = tmp_path / "few"
    photos.mkdir()
    for number in range(1, 11):
        (photos / f"{number}.jpg").symlink_to(shared / "portraits" / "scut" / f"CF{number}.jpg")
    assert _run(photos, "--pack", pack, "--out", tmp_path / "report") == 1
    error = capsys.readouterr().err
    assert "takes 30,000 pairs" in error and "246 people" in error and "has 45 pairs" in error
    assert (pack / "pack.toml").read_text() == before


def test_what_cannot_work_is_told_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "1.png").touch()
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert _run(tmp_path, "--out", tmp_path / "out") == 1
    assert "tqdm is missing: pip install '.[eval]'" in capsys.readouterr().err


def test_files_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "1.png").touch()
    assert _run(tmp_path, "--out", tmp_path / "1.png") == 1
    assert _run(tmp_path, "--out", tmp_path / "out", "--leave-out", tmp_path / "none.txt") == 1
    assert "none.txt" in capsys.readouterr().err


def _photos(people: int, cohorts: Sequence[str]) -> list[Photo]:
    return [
        Photo(Path(f"{cohort}{n}"), f"{cohort}{n}", cohort)
        for cohort in cohorts
        for n in range(people)
    ]


def test_the_worst_cohort_sets_the_scale() -> None:
    pairs = all_pairs(_photos(250, "ab"), 10**6)
    rng = np.random.default_rng(0)
    spread = np.where(pairs.cohorts["a"], 0.14, 0.1)
    section = operating_points.calibrate(pairs, rng.normal(0.1, spread), 1e-3, 12.0)
    assert section["cosine"] == pytest.approx(0.1 + 3.09 * 0.14, abs=0.03)
    assert all(row["cohort"] == "a" for row in section["matched"])
    assert section["random"][-1]["pairs"] == len(pairs) > section["matched"][-1]["pairs"]
    rates = {row["name"]: row["fmr"] for row in section["cohorts"]}
    assert rates["b"] < 1e-4 < rates["a"] <= 1e-3
    with pytest.raises(SampleError, match=r"1e-05 takes 3,000,000 pairs .* has 31,125 pairs"):
        operating_points.calibrate(pairs, rng.normal(0.1, spread), 1e-5, 12.0)
    for steepness, message in ((200.0, "at most 100"), (1e-3, "too low for that cosine")):
        with pytest.raises(SampleError, match=f"--steepness {steepness:g} .*{message}"):
            operating_points.calibrate(pairs, rng.normal(0.1, spread), 1e-3, steepness)


def test_a_small_cohort_that_is_the_hardest_for_the_rates_it_supports() -> None:
    """The table goes on to 1e-3 without it, for which it is too small."""
    small, large = _photos(100, "a"), _photos(260, "b")
    pairs = all_pairs([*small, *large], 10**6)
    spread = np.where(pairs.cohorts["a"], 0.2, 0.1)
    scores = np.random.default_rng(0).normal(0.1, spread)
    section = operating_points.calibrate(pairs, scores, 1e-3, 12.0)
    found = [(row["fmr"], row["cohort"]) for row in section["matched"]]
    assert found[0] == (0.01, "a") and found[3:] == [(0.001, "b")]


def test_suspects_are_what_no_normal_tail_explains() -> None:
    pairs = all_pairs(_photos(300, "a"), 10**6)
    scores = np.random.default_rng(1).normal(0.1, 0.1, len(pairs))
    assert operating_points.suspects(pairs, scores) == []
    scores[[5, 7000]] = 0.9, 0.75
    assert operating_points.suspects(pairs, scores) == [5, 7000]


def test_what_a_second_look_changes(
    astronaut: Pixels,
    hanks: Pixels,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One clear pair of one person and one in doubt, two strangers: too few for a threshold."""
    poor = cv2.resize(astronaut[:300, 80:380], (50, 50), interpolation=cv2.INTER_AREA)
    portrait = astronaut[:300, 80:380]
    for name, pixels in (
        ("ann/1", astronaut),
        ("ann/2", poor),
        ("ann/3", portrait),
        ("tom/1", hanks),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / f"{name}.png"), pixels)
    monkeypatch.setattr("sys.argv", ["second_look", str(tmp_path), str(tmp_path)])
    second_look.main()
    said = capsys.readouterr().out
    assert "no cohort has the 30,000 pairs" in said
    assert "genuine: 3 pairs, 66.7 % looked at twice" in said
    assert "strangers: 3 pairs, 0.0 % looked at twice" in said
    assert said.count("0 decided otherwise") == len(read_pack().similarity["matched"])


def test_a_threshold_is_put_to_people_it_was_not_set_on() -> None:
    """The rate holds for others where people differ by chance alone, and not for too few."""
    rng = np.random.default_rng(1)
    photos = [Photo(Path(f"{person}.jpg"), str(person)) for person in range(520)]
    pairs = all_pairs(photos, 10**9)
    vectors = unit(rng.normal(size=(520, 64)).astype(np.float32))
    scores = (vectors[pairs.a] * vectors[pairs.b]).sum(axis=1).astype(np.float64)
    rates = operating_points.on_others(pairs, scores)
    assert len(rates) == operating_points.HALVINGS
    assert rates.mean() == pytest.approx(1e-3, rel=0.15)
    few = pairs.take(np.flatnonzero((pairs.a < 300) & (pairs.b < 300))).alone()
    assert not len(operating_points.on_others(few, np.zeros(len(few))))
