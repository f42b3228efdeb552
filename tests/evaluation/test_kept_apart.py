"""Nobody whom a training sees counts as kept apart from it."""

import csv
from hashlib import sha256
from pathlib import Path

import cv2
import liveness_data
import numpy as np
import pytest
from kept_apart import SEEN_PORTRAITS, SEEN_SUBJECTS, held_out, kept_subjects, unseen
from portraits import Portraits, portrait_files

from engine import Engine
from engine.images import Pixels, encode, load

SEEN, DOUBLE = "us-governors_ned-lamont", "us-governors_edward-lamont"
KEPT, TRAINED = "us-house_jim-jordan", "us-house_ann"


@pytest.fixture
def folder(tmp_path: Path, astronaut: Pixels) -> Path:
    """Four portraits: two held out, of which one shows who is also trained on."""
    (tmp_path / "us_officials").mkdir()
    for name in (SEEN, DOUBLE, KEPT, TRAINED):
        (tmp_path / "us_officials" / f"{name}.png").write_bytes(encode(astronaut, "png"))
    return tmp_path


def test_who_is_trained_on_under_another_name_is_neither_trained_nor_judged(folder: Path) -> None:
    names = {path.stem: path for path in portrait_files(folder)}
    assert {name for name, path in names.items() if held_out(path)} == {SEEN, KEPT}
    assert {name for name, path in names.items() if unseen(path)} == {KEPT}
    assert len(Portraits(folder, folder / "mattes.npy")) == 2
    assert len(Portraits(folder, folder / "mattes.npy", validation=True)) == 1


def test_simulated_captures_show_none_of_them(
    folder: Path, astronaut: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "setNumThreads", lambda count: None)
    monkeypatch.setattr(liveness_data, "present", lambda *_: (b"", (0.0, 0.0, 1.0, 1.0)))
    every = liveness_data._simulate((folder, 1, 0, 40, False, False))
    assert {(one.subject, one.kept) for one in every} == {
        (KEPT, True),
        (DOUBLE, False),
        (TRAINED, False),
    }
    kept = liveness_data._simulate((folder, 1, 0, 40, True, False))
    assert {one.subject for one in kept} == {KEPT} and len(kept) == 40


def test_captured_subjects(tmp_path: Path, astronaut: Pixels) -> None:
    """Which of them are kept depends on all, those left out among them."""
    prints = tmp_path / "prints_cn"
    prints.mkdir()
    (tmp_path / "replay_small").mkdir()
    (prints / "1.png").write_bytes(encode(astronaut, "png"))
    subjects = ["29", "3", "30", "31", "32", "33"]
    rows = "".join(f"1.png,live,{subject}\n" for subject in subjects)
    (prints / "labels.csv").write_text(f"path,label,subject\n{rows}")
    found = {sample.subject: sample.kept for sample in liveness_data.shared(tmp_path)}
    assert found == {"29": True, "3": False, "30": False, "31": False, "33": False}


def test_no_portrait_that_is_judged_on_is_trained_on_too(shared: Path) -> None:
    paths = portrait_files(shared / "portraits")
    sums = {path: sha256(load(path).tobytes()).digest() for path in paths}
    trained = {sums[path] for path in paths if not held_out(path)}
    assert {path.stem for path in paths if held_out(path) and sums[path] in trained} == (
        SEEN_PORTRAITS
    )


def test_no_subject_that_is_judged_on_is_trained_on_too(shared: Path, engine: Engine) -> None:
    """Eight captures of each are enough: two people's are alike by 0.3 at most."""
    prints = shared / "liveness" / "prints_cn"
    captures: dict[str, list[Path]] = {}
    with (prints / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            captures.setdefault(row["subject"], []).append(prints / row["path"])
    means = {}
    for subject, paths in captures.items():
        some = [paths[i] for i in np.linspace(0, len(paths) - 1, 8).astype(int)]
        means[subject] = np.mean([engine.embed(load(path)) for path in some], axis=0)
    kept = kept_subjects(set(captures))
    trained = np.stack([mean for subject, mean in means.items() if subject not in kept])
    assert {name for name in kept if (trained @ means[name]).max() > 0.42} == SEEN_SUBJECTS
