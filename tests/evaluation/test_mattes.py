"""The outlines of people that are kept for portraits."""

from pathlib import Path

import cv2
import numpy as np
from mattes import outlines

from engine.images import Pixels


def test_kept_outlines_serve_only_the_same_portraits(tmp_path: Path, astronaut: Pixels) -> None:
    upright, mirrored = tmp_path / "ann.png", tmp_path / "bob.png"
    cv2.imwrite(str(upright), astronaut)
    cv2.imwrite(str(mirrored), astronaut[:, ::-1])
    cache = tmp_path / "kept" / "mattes.npy"
    first = outlines([upright], cache)
    (kept,) = cache.parent.iterdir()
    written = kept.stat().st_mtime_ns
    assert np.array_equal(outlines([upright], cache), first)
    assert kept.stat().st_mtime_ns == written
    assert not np.array_equal(outlines([mirrored], cache), first)
    assert np.array_equal(outlines([upright], cache), first)
