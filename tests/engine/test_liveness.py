"""Liveness: a score, a probability and a decision that agree."""

import math

import cv2
import numpy as np
import pytest

from engine import Engine
from engine.images import Pixels
from engine.liveness import context_crop
from engine.results import Face


def test_score_probability_and_decision_agree(engine: Engine, astronaut: Pixels) -> None:
    result = engine.liveness(astronaut)
    assert -12 <= result.score <= 12
    assert result.probability == pytest.approx(1 / (1 + math.exp(-result.score)))
    assert np.allclose(result.face.box, engine.detect(astronaut, 1)[0].box)


def test_a_portrait_is_more_alive_than_its_photo_of_a_photo(
    engine: Engine, astronaut: Pixels
) -> None:
    small = cv2.resize(astronaut, (300, 300), interpolation=cv2.INTER_AREA)
    print_ = np.full((640, 640, 3), (70, 90, 110), np.uint8)
    print_[170:470, 170:470] = cv2.GaussianBlur(cv2.convertScaleAbs(small, alpha=0.8), (0, 0), 1.5)
    live, spoof = engine.liveness(astronaut), engine.liveness(print_)
    assert live.is_alive and live.probability > 0.5
    assert spoof.score < live.score


def test_context_crop_stays_inside_the_picture() -> None:
    ramp = np.arange(100 * 80 * 3, dtype=np.uint32).reshape(100, 80, 3) % 251
    image = ramp.astype(np.uint8)
    for box in ((0.0, 0.0, 30.0, 40.0), (60.0, 70.0, 20.0, 30.0), (0.0, 0.0, 80.0, 100.0)):
        face = Face(box, 1.0, np.zeros((5, 2), np.float32))
        assert context_crop(image, face, 2.7, 128).shape == (128, 128, 3)
