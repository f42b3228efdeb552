"""The baselines take out the meshes that they are made for."""

import cv2
import numpy as np
import pytest

from engine.evaluation.baselines import median, notch
from engine.images import Pixels


@pytest.fixture
def portrait(astronaut: Pixels) -> Pixels:
    """Of half the contrast, so that a mesh on it is not cut off at black or white."""
    small = cv2.resize(astronaut[:300, 100:400], (240, 240))
    return np.asarray(cv2.convertScaleAbs(small, alpha=0.5, beta=60), np.uint8)


def error(picture: Pixels, portrait: Pixels) -> float:
    return float(np.abs(picture.astype(float) - portrait).mean())


def test_notch_takes_out_what_repeats_across_the_picture(portrait: Pixels) -> None:
    """Waves along a diagonal."""
    rows, columns = np.ogrid[:240, :240]
    waves = 60 * np.sin(2 * np.pi * (rows + columns) / 10)[..., None]  # grey levels
    meshed = (portrait + waves).astype(np.uint8)
    assert error(notch(meshed), portrait) < 0.7 * error(meshed, portrait)


def test_median_takes_out_lines_thinner_than_half_its_window(portrait: Pixels) -> None:
    meshed = portrait.copy()
    meshed[::16] = 255
    meshed[:, ::16] = 255
    assert error(median(meshed), portrait) < 0.6 * error(meshed, portrait)
    assert np.array_equal(median(np.full_like(portrait, 90)), np.full_like(portrait, 90))
