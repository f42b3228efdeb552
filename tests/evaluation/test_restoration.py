"""Means and shares over pairs, some of which are of one photo."""

import numpy as np
import pytest

from engine.evaluation.intervals import mean_of, wilson
from engine.evaluation.restoration import DESCREENED, Row, figures


def rows(photos: list[int], psnrs: list[float]) -> list[Row]:
    return [
        {"method": DESCREENED, "photo": photo, "psnr": psnr, "ssim": 0.9, "recognised": 1.0}
        for photo, psnr in zip(photos, psnrs, strict=True)
    ]


def test_draws_of_one_photo_tell_no_more_than_one() -> None:
    """Ten photos drawn once, or a hundred times each with the same outcome."""
    psnrs = [30.0 + number for number in range(10)]
    once = figures(rows(list(range(10)), psnrs))
    again = figures(rows([*range(10)] * 100, psnrs * 100))
    assert once.psnr.margin == pytest.approx(2.262157 * np.std(psnrs, ddof=1) / 10**0.5)
    assert again.psnr.value == once.psnr.value
    assert again.psnr.margin == pytest.approx(once.psnr.margin)
    assert again.recognised is not None and again.recognised.trials == 1000
    assert again.recognised.low == pytest.approx(wilson(10, 10).low)


def test_a_mean_of_nothing_and_of_one_photo_has_no_margin() -> None:
    none = mean_of(np.empty(0), np.empty(0, np.int64))
    one = mean_of(np.array([1.0, 3.0]), np.zeros(2, np.int64))
    assert f"{none:.1f}" == "none" and f"{one:.1f}" == "2.0"
