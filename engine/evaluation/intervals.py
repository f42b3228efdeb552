"""Measured rates and their 95 % intervals."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rate:
    """A measured rate, its 95 % interval, and how many trials it comes from."""

    value: float
    low: float
    high: float
    trials: int

    def __str__(self) -> str:
        if not self.trials:
            return "none"
        shown = (_percent(100 * part) for part in (self.value, self.low, self.high))
        return "{} [{}, {}] %".format(*shown)

    def plain(self) -> dict[str, float | int | None]:
        """As JSON has it; without trials there is no value and no interval."""
        if not self.trials:
            return {"value": None, "low": None, "high": None, "trials": 0}
        return {"value": self.value, "low": self.low, "high": self.high, "trials": self.trials}


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean, and half the width of its 95 % interval (NaN for a single value)."""

    value: float
    margin: float

    def __format__(self, spec: str) -> str:
        if math.isnan(self.value):
            return "none"
        margin = "" if math.isnan(self.margin) else f" ± {self.margin:{spec}}"
        return f"{self.value:{spec}}{margin}"

    def plain(self) -> dict[str, float | None]:
        """As JSON has it, which knows no NaN."""
        parts = {"value": self.value, "margin": self.margin}
        return {name: None if math.isnan(part) else part for name, part in parts.items()}


def mean_of(values: NDArray[np.float64]) -> Mean:
    """By the standard error, for independent values; NaN for none."""
    count = len(values)
    margin = 1.959964 * float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return Mean(float(values.mean()) if count else math.nan, margin)


def wilson(errors: float, trials: float) -> Rate:
    """The score interval of a binomial rate at 95 %, for independent trials, parts of them too.

    Wilson, "Probable inference", JASA 1927; unlike the normal one it holds for rare errors.
    """
    if not trials:
        return Rate(math.nan, 0.0, 1.0, 0)
    z, rate = 1.959964, errors / trials
    centre = rate + z * z / (2 * trials)
    spread = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    low, high = (centre - spread) / scale, (centre + spread) / scale
    return Rate(rate, max(0.0, low) if errors else 0.0, min(1.0, high), round(trials))


def widened(rate: Rate, low: float, high: float) -> Rate:
    """Pairs that share people tell less than independent ones, so a bootstrap that comes out
    narrower than Wilson's interval has met too few errors to go by. NaN widens nothing."""
    low, high = np.fmin(rate.low, low), np.fmax(rate.high, high)
    return Rate(rate.value, float(low), float(high), rate.trials)


def _percent(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 or value == 0 else f"{value:.2g}"
