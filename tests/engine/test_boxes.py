"""Boxes of a detector: which of several are one face, and what stays of it."""

import numpy as np

from engine.boxes import Rows, suppress, suppress_nested


def row(score: float, left: float, right: float, landmarks: float = 0.0) -> Rows:
    """A box 100 pixels high, whose landmarks all lie in one place."""
    return np.array([[score, left, 0, right, 100, *[landmarks] * 10]], np.float32)


def test_the_best_of_what_overlaps_stays() -> None:
    others = row(0.7, 50, 150), row(0.9, 0, 100), row(0.8, 25, 125)  # shares of 1/3 and 0.6
    found = suppress(np.concatenate(others), 0.5)
    assert np.allclose(found[:, 0], [0.9, 0.7])
    found = suppress(np.concatenate(others), 0.3)
    assert np.allclose(found[:, :5], row(0.9, 0, 100)[:, :5])


def test_landmarks_are_the_mean_of_those_of_one_face() -> None:
    """By the scores; not of another face that overlaps it, whether or not that one stays."""
    one, same, other = row(0.9, 0, 100, 10), row(0.6, 10, 110, 20), row(0.8, 25, 125, 99)
    for overlap, count in ((0.5, 1), (0.65, 2)):
        found = suppress(np.concatenate([same, other, one]), overlap)
        assert len(found) == count
        assert np.allclose(found[0], row(0.9, 0, 100, (0.9 * 10 + 0.6 * 20) / 1.5))


def test_a_box_without_area_keeps_its_landmarks() -> None:
    (found,) = suppress(row(0.9, 50, 50, 7), 0.5)
    assert np.allclose(found, row(0.9, 50, 50, 7))


def test_a_part_of_a_face_is_none_of_its_own() -> None:
    whole, part, beside = row(0.9, 0, 100), row(0.8, 20, 50), row(0.7, 90, 190)
    found = suppress_nested(np.concatenate([beside, part, whole]))
    assert np.allclose(found[:, 0], [0.9, 0.7])
    surer = suppress_nested(np.concatenate([row(0.85, 0, 100), row(0.95, 20, 50)]))
    assert np.allclose(surer, row(0.95, 20, 50))
