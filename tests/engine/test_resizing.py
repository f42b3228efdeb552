"""Resizing: the size asked for, nothing moved, and no pixel noise where many pixels become one."""

import cv2
import numpy as np
import pytest

from engine.images import Pixels
from engine.resizing import halve, shrink


@pytest.mark.parametrize(
    ("width", "height"), [(512, 512), (160, 160), (160, 90), (300, 255), (1, 1), (900, 700)]
)
def test_the_size_asked_for(astronaut: Pixels, width: int, height: int) -> None:
    small = shrink(astronaut, width, height)
    assert small.shape == (height, width, 3) and small.dtype == np.uint8


@pytest.mark.parametrize("side", [400, 160, 100, 20])
def test_nothing_moves(astronaut: Pixels, side: int) -> None:
    """Against the average of all pixels; moved by one of its own it would be twice as far off."""
    small = shrink(astronaut, side, side).astype(float)
    average = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA).astype(float)
    off = np.abs(small - average)[1:-1, 1:-1].mean()
    for axis in (0, 1):
        for step in (-1, 1):
            moved = np.roll(average, step, axis)
            assert off < 0.5 * np.abs(small - moved)[1:-1, 1:-1].mean()


@pytest.mark.parametrize(("side", "limit"), [(160, 0.27), (640, 0.52)])
def test_grain_is_averaged(side: int, limit: float) -> None:
    """A plain of grey with noise on every pixel: far less of it is left, and the grey is kept."""
    noise = np.random.default_rng(0).normal(128, 16, (1920, 1920, 3)).astype(np.uint8)
    small = shrink(noise, side, side)
    assert small.std() < limit * noise.std()
    assert small.mean() == pytest.approx(noise.mean(), abs=0.7)


def test_a_half_is_the_mean_of_four() -> None:
    odd = np.random.default_rng(0).integers(0, 256, (51, 38, 3)).astype(np.uint8)
    blocks = odd[:50].reshape(25, 2, 19, 2, 3).mean(axis=(1, 3))
    assert np.abs(halve(odd) - blocks).max() <= 0.5
