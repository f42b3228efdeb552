"""Rates, their intervals, and how they are shown."""

import math

import numpy as np
import pytest

from engine.evaluation.intervals import grouped, widened, wilson, worth_of


def test_wilson_matches_published_values() -> None:
    """Newcombe, Statistics in Medicine 1998, table I, method 3."""
    for errors, trials, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        rate = wilson(errors, trials)
        assert (rate.low, rate.high) == pytest.approx((low, high), abs=5e-5)
    assert math.isnan(wilson(0, 0).value)


@pytest.mark.parametrize(
    ("errors", "trials", "shown"),
    [
        (0, 9, "0.00"),
        (5, 5, "100.00"),
        (1049, 10**6, "0.105"),
        (39707, 39708, "99.9975"),
        (3, 10**7, "3.00e-05"),
        (1, 7, "14.29"),
        (99990, 10**5, "99.99"),
        (10**9 - 1, 10**9, "99.9999999"),
    ],
)
def test_a_rate_reads_as_none_or_all_only_where_it_is(errors: int, trials: int, shown: str) -> None:
    assert str(wilson(errors, trials)).startswith(f"{shown} [")
    assert all(str(wilson(n, n)).endswith(", 100.00] %") for n in range(1, 99))


def test_what_observations_of_few_groups_tell() -> None:
    """The interval of a rate is that of the groups, where all of a group are alike."""
    groups = np.repeat(np.arange(40), 25)
    happened = groups % 4 == 0
    rate, alone = grouped(happened, groups), wilson(10, 40)
    assert rate.value == 0.25 and rate.trials == 1000
    assert (rate.low, rate.high) == pytest.approx((alone.low, alone.high), abs=0.03)
    assert worth_of(happened, groups) == pytest.approx(40, rel=0.2)
    apart = np.arange(1000)
    assert grouped(happened, apart).high == pytest.approx(wilson(250, 1000).high, abs=0.003)
    assert grouped(np.zeros(1000, bool), groups) == widened(wilson(0, 1000), 0, wilson(0, 40).high)
