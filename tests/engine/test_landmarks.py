"""Landmarks: a closer look at small faces, and tilted ones looked at turned and mirrored."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.detection import Detection
from engine.images import Pixels
from engine.landmarks import RAMP, UPRIGHT
from engine.networks import Networks
from engine.packs import read_pack
from engine.results import Face
from engine.runtime import Runtime


@pytest.fixture(scope="module")
def detection() -> Detection:
    return Networks(read_pack(), Runtime(["cpu"])).detection


@pytest.fixture
def face(detection: Detection, astronaut: Pixels) -> Face:
    (face,) = detection.largest(astronaut)
    return face


@pytest.fixture
def tilted(astronaut: Pixels) -> tuple[Pixels, NDArray[np.float64]]:
    """The astronaut turned about her face, and the way there."""
    turn = cv2.getRotationMatrix2D((225, 118), 30, 1)
    view = cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(view, np.uint8), turn


def error(face: Face, truth: NDArray[np.floating]) -> float:
    """How far its landmarks are off, over the distance between the eyes."""
    off = np.linalg.norm(face.landmarks - truth, axis=1).mean()
    return float(off / np.linalg.norm(truth[0] - truth[1]))


def test_small_faces_are_looked_at_closely(
    detection: Detection, astronaut: Pixels, face: Face
) -> None:
    """Of some 36 pixels, in slightly different sizes: nearly twice as exact as by one look."""
    once, again = [], []
    for side in range(176, 192, 2):
        small = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
        truth = (face.landmarks + 0.5) * side / 512 - 0.5
        (first,) = detection.largest(small, refined=False)
        (second,) = detection.largest(small)
        assert np.array_equal(second.landmarks, detection.closer(small, first).landmarks)
        once.append(error(first, truth))
        again.append(error(second, truth))
    assert np.mean(again) < 0.7 * np.mean(once)


def test_no_close_look_where_a_level_one_replaces_it(
    detection: Detection, astronaut: Pixels
) -> None:
    """But where it keeps some of the landmarks, they are the close look's."""
    shrunk = np.asarray(cv2.resize(astronaut, (180, 180), interpolation=cv2.INTER_AREA), np.uint8)
    for small, replaced in ((shrunk, True), (np.ascontiguousarray(astronaut[:372, 39:411]), False)):
        (face,) = detection.largest(small, levelled=True)
        assert (face.score <= UPRIGHT - RAMP) == replaced and face.score < UPRIGHT
        once, again = (detection.largest(small, refined=refined)[0] for refined in (False, True))
        assert not np.array_equal(once.landmarks, again.landmarks)
        expected = once if replaced else again
        assert np.array_equal(face.landmarks, expected.landmarks)


def test_an_upright_face_that_is_in_doubt_keeps_its_landmarks(
    detection: Detection, astronaut: Pixels, face: Face
) -> None:
    """A mirror swaps left and right: not swapped back, the eyes would meet in the middle."""
    level = detection.level(astronaut, replace(face, score=0.5))
    assert error(level, face.landmarks) < 0.04


def test_a_tilted_face_is_looked_at_turned(
    detection: Detection, tilted: tuple[Pixels, NDArray[np.float64]], face: Face
) -> None:
    image, turn = tilted
    (found,) = detection.largest(image)
    level = detection.level(image, found)
    truth = face.landmarks @ turn[:, :2].T + turn[:, 2]
    assert error(level, truth) < 0.08 < 0.2 < error(found, truth)
    assert level.score > found.score + 0.03, "of the surest look"


def test_half_in_doubt_is_half_the_way(
    detection: Detection, tilted: tuple[Pixels, NDArray[np.float64]]
) -> None:
    image, _ = tilted
    (found,) = detection.largest(image)
    fully = detection.level(image, replace(found, score=UPRIGHT - RAMP))
    half = detection.level(image, replace(found, score=UPRIGHT - RAMP / 2))
    assert np.allclose(half.landmarks, (found.landmarks + fully.landmarks) / 2, atol=1e-3)
    assert half.score == fully.score
    sure = replace(found, score=UPRIGHT)
    assert detection.level(image, sure) is sure
