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
    """Against numpy's solver on landmarks that no similarity maps exactly."""
    bent = np.array([[9, 0], [0, 5], [-4, 2], [3, 3], [0, -6]], np.float32)
    crooked = ARCFACE_TEMPLATE * 2 + bent
    matrix = similarity_transform(crooked)
    (x, y), one, zero = crooked.T, np.ones(5), np.zeros(5)
    equations = np.vstack([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    (a, b, right, down), *_ = np.linalg.lstsq(equations, ARCFACE_TEMPLATE.T.ravel(), rcond=None)
    assert np.allclose(matrix, [[a, -b, right], [b, a, down]], rtol=1e-4)


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0, 20.0])
def test_the_crop_follows_the_landmarks(scale: float) -> None:
    """Dots painted where the landmarks are come out where the template wants them."""
    turn = cv2.getRotationMatrix2D((56, 56), 20, scale).astype(np.float32)
    landmarks = ARCFACE_TEMPLATE @ turn[:, :2].T + turn[:, 2] + np.float32(60 * scale)
    side = int(230 * scale)
    for point, wanted in zip(landmarks, ARCFACE_TEMPLATE, strict=True):
        picture = np.zeros((side, side, 3), np.uint8)
        cv2.circle(
            picture, np.rint(point).astype(int).tolist(), max(2, int(3 * scale)), (255,) * 3, -1
        )
        crop = align(picture, landmarks)
        assert crop.shape == (112, 112, 3) and crop.dtype == np.uint8
        light = crop[:, :, 0].astype(float)
        y, x = (np.indices(light.shape) * light).sum((1, 2)) / light.sum()
        assert np.allclose((x, y), wanted, atol=1.3 if scale < 1 else 0.8)


@pytest.mark.parametrize("factor", [1.5, 3.0, 6.5, 12.0])
def test_a_larger_picture_gives_the_same_crop(
    engine: Engine, astronaut: Pixels, factor: float
) -> None:
    """Enlarged, with the noise of a sensor on every pixel: the crop is as clean as before."""
    (face,) = engine.detect(astronaut, 1)
    cut = astronaut[30:230, 120:320]
    landmarks = face.landmarks - np.array([120, 30], np.float32)
    side = round(200 * factor)
    large = cv2.resize(cut, (side, side), interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).normal(0, 8, large.shape)
    large = np.clip(large + noise, 0, 255).astype(np.uint8)
    # Positions are of pixels' centres, and the first one's is half a pixel inside.
    crop = align(large, ((landmarks + 0.5) * side / 200 - 0.5).astype(np.float32))
    expected = align(np.ascontiguousarray(cut), landmarks)
    assert np.abs(crop.astype(int) - expected).mean() < 6


def test_a_face_beyond_the_edge_is_black_there(astronaut: Pixels) -> None:
    large = cv2.resize(astronaut, (4000, 4000), interpolation=cv2.INTER_LINEAR)
    assert align(np.asarray(large, np.uint8), ARCFACE_TEMPLATE * 9 - 2000).max() == 0


def test_landmarks_in_one_point_give_a_crop_all_the_same(astronaut: Pixels) -> None:
    assert align(astronaut, np.full((5, 2), 100, np.float32)).shape == (112, 112, 3)


@pytest.mark.parametrize("degrees", [-50, -30, -20, 0, 20, 35, 50])
def test_a_tilted_head_is_still_itself(engine: Engine, astronaut: Pixels, degrees: int) -> None:
    """The detector places landmarks as if every face were upright."""
    turn = cv2.getRotationMatrix2D((225, 118), degrees, 1)
    view = cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REFLECT)
    result = engine.compare(astronaut, np.asarray(view, np.uint8))
    assert result.is_match and result.cosine > 0.8
