"""Detections held against true faces, by hand."""

from pathlib import Path

import numpy as np
import pytest

from engine.evaluation.matching import Found, judge
from engine.evaluation.truth import TrueFace, TruePicture

FIVE = np.array([[3, 4], [7, 4], [5, 6], [3, 8], [7, 8]], np.float32)


def test_the_best_scored_takes_a_face_and_ignored_faces_count_for_nobody() -> None:
    """Handed over worst first: the better of two on one face is right, and the other is false."""
    picture = TruePicture(Path("a"), [TrueFace((0, 0, 10, 10)), TrueFace((50, 0, 20, 10))])
    blurred = TruePicture(Path("b"), [TrueFace((0, 0, 10, 10), ignored=True)])
    broken = TruePicture(Path("c"), [TrueFace((0, 0, 30, 10))])
    detections = {
        "a": [Found((1, 0, 10, 10), 0.3), Found((90, 90, 9, 9), 0.5), Found((0, 0, 10, 9), 0.9)],
        "b": [Found((0, 0, 10, 10), 0.8), Found((40, 40, 10, 10), 0.7)],
    }
    judged = judge([picture, blurred, broken], lambda path: detections.get(str(path)))
    assert judged.hits == [(0.9, True), (0.5, False), (0.3, False), (0.7, False)]
    assert judged.found == [True, False, False] and judged.sizes == [10, 20, 30]
    assert judged.unread == 1 and judged.errors == []


def test_half_of_the_union_finds_a_face() -> None:
    """A box of half the face is half of their union; one pixel row less is not."""
    for height, found in ((5, True), (4, False)):
        aside = FIVE + np.array([2, 0], np.float32)
        one = Found((0, 0, 10, height), landmarks=aside)
        truth = TruePicture(Path("a"), [TrueFace((0, 0, 10, 10), FIVE.astype(np.float64))])
        judged = judge([truth], lambda _, one=one: [one])  # type: ignore[misc]
        assert judged.found == [found]
        assert judged.errors == pytest.approx([0.5] * found)  # 2 pixels, of 4 between the eyes
