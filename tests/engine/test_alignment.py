"""Alignment: landmarks land on the template, whatever the pose, and the crop follows."""

import cv2
import numpy as np
import pytest

from engine import Engine
from engine.alignment import ARCFACE_TEMPLATE, align, similarity_transform
from engine.images import Pixels


@pytest.mark.parametrize(("angle", "scale", "shift"), [(0, 1, 0), (25, 0.3, 40), (-170, 7, -90)])
def test_transform_undoes_a_similarity(angle: float, scale: float, shift: float) -> None:
    turn = cv2.getRotationMatrix2D((56, 56), angle, scale).astype(np.float32)
    moved = ARCFACE_TEMPLATE @ turn[:, :2].T + turn[:, 2] + np.float32(shift)
    matrix = similarity_transform(moved)
    assert np.allclose(moved @ matrix[:, :2].T + matrix[:, 2], ARCFACE_TEMPLATE, atol=1e-2)


def test_transform_is_the_least_squares_one() -> None:
    """Against OpenCV's solver on landmarks that no similarity maps exactly."""
    bent = np.array([[9, 0], [0, 5], [-4, 2], [3, 3], [0, -6]], np.float32)
    crooked = ARCFACE_TEMPLATE * 2 + bent
    matrix = similarity_transform(crooked)
    residual = ((crooked @ matrix[:, :2].T + matrix[:, 2] - ARCFACE_TEMPLATE) ** 2).sum()
    other, _ = cv2.estimateAffinePartial2D(
        crooked, ARCFACE_TEMPLATE, method=cv2.LMEDS, maxIters=1000, confidence=0.999
    )
    theirs = ((crooked @ other[:, :2].T + other[:, 2] - ARCFACE_TEMPLATE) ** 2).sum()
    assert residual <= theirs + 1e-3


def test_aligned_face_has_its_landmarks_on_the_template(engine: Engine, astronaut: Pixels) -> None:
    (face,) = engine.detect(astronaut, 1)
    crop = align(astronaut, face.landmarks)
    assert crop.shape == (112, 112, 3) and crop.dtype == np.uint8
    large = cv2.resize(crop, (448, 448), interpolation=cv2.INTER_CUBIC)
    (again,) = engine.detect(np.asarray(large, np.uint8), 1)
    assert np.abs(again.landmarks / 4 - ARCFACE_TEMPLATE).mean() < 4
