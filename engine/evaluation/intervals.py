"""Measured rates and their 95 % intervals."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.operating import ERRORS_NEEDED

FEW = 5
"""Fewer people say next to nothing of how much others differ, and one nothing at all: there every
interval is at least Wilson's of as many trials as there are people."""
FEW_SAID = f"of fewer than {FEW} people at least Wilson's of as many trials as people"


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
    """A mean, and half the width of its 95 % interval (NaN for a single group)."""

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


def mean_of(values: NDArray[np.float64], groups: NDArray[np.int64]) -> Mean:
    """By the standard error where only groups are independent of each other (Liang & Zeger,
    "Longitudinal data analysis using generalized linear models", Biometrika 1986), and Student's t
    of as many groups; NaN for none.

    values, groups: (N,); groups are numbered from 0.
    """
    from scipy.special import stdtrit

    if not len(values):
        return Mean(math.nan, math.nan)
    mean, number = float(values.mean()), int(groups.max()) + 1
    if number == 1:
        return Mean(mean, math.nan)
    away = np.bincount(groups, values - mean, number)
    error = math.sqrt(number / (number - 1) * float((away**2).sum())) / len(values)
    return Mean(mean, float(stdtrit(number - 1, 0.975)) * error)


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


def grouped(
    happened: NDArray[np.bool_],
    groups: NDArray[np.int64],
    replicates: int = 1000,
    seed: int = 0,
    worth: float | None = None,
) -> Rate:
    """The share of observations that happened, where those of one group (a subject, a person, a
    photo) are alike and only groups are independent of each other.

    happened, groups: (N,); groups are numbered from 0.
    The interval is Wilson's, or that of a bootstrap over groups where this is wider. Few errors
    hardly vary between draws: with fewer than ERRORS_NEEDED, or as few of the other kind, it is at
    least Wilson's of as many observations as these are worth (Korn & Graubard, as in ErrorRates);
    None, or under FEW groups, takes as many as there are groups.
    """
    errors, trials = int(happened.sum()), len(happened)
    rate = wilson(errors, trials)
    if not trials:
        return rate
    number = int(groups.max()) + 1
    if number < FEW or min(errors, trials - errors) < ERRORS_NEEDED:
        alone = number if worth is None or number < FEW else worth
        few = wilson(rate.value * alone, alone)
        rate = widened(rate, few.low, few.high)
    if 0 < errors < trials:
        draws = drawn(happened, groups, replicates, seed)
        rate = widened(rate, *middle(draws, number))
    return rate


def worth_of(
    happened: NDArray[np.bool_], groups: NDArray[np.int64], replicates: int = 1000, seed: int = 0
) -> float:
    """As how many independent observations these tell of such a rate, by its variance, and fewer
    where that comes from few groups (Korn & Graubard's degrees of freedom)."""
    from scipy.special import stdtrit

    rate, variance = happened.mean(), drawn(happened, groups, replicates, seed).var(ddof=1)
    alone = np.clip(rate * (1 - rate) / max(variance, 1e-12), 1, len(happened))
    freedom = len(happened) - 1, max(int(groups.max()), 1)
    every, few = stdtrit(freedom, 0.975)
    return float(max(1, alone * (every / few) ** 2))


def drawn(
    happened: NDArray[np.bool_],
    groups: NDArray[np.int64],
    replicates: int = 1000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """(replicates,): the share that happened in draws of groups, with replacement."""
    number = int(groups.max()) + 1
    draws = np.random.default_rng(seed).multinomial(number, [1 / number] * number, replicates)
    shares = (draws @ np.bincount(groups, happened, number)) / (draws @ np.bincount(groups))
    return np.asarray(shares)


def middle(draws: NDArray[np.float64], groups: int) -> NDArray[np.float64]:
    """(2, ...): the middle 95 % of a bootstrap's (replicates, ...), and more of it where it draws
    from few groups, as these differ more than it can show; NaN where no draw says anything.

    The expanded percentile interval of Hesterberg, "What Teachers Should Know About the Bootstrap",
    The American Statistician 2015.
    """
    from scipy.special import ndtr, stdtrit

    if np.isnan(draws).all():
        return np.full((2, *draws.shape[1:]), np.nan)
    reach = math.sqrt(groups / (groups - 1)) * stdtrit(groups - 1, 0.975) if groups > 1 else 99.0
    tail = 100 * float(ndtr(-reach))
    return np.asarray(np.nanpercentile(draws, [tail, 100 - tail], axis=0))


def widened(rate: Rate, low: float, high: float) -> Rate:
    """Pairs that share people tell less than independent ones, so a bootstrap that comes out
    narrower than Wilson's interval has met too few errors to go by. NaN widens nothing."""
    low, high = np.fmin(rate.low, low), np.fmax(rate.high, high)
    return Rate(rate.value, float(low), float(high), rate.trials)


def _percent(value: float) -> str:
    """Two decimals, and below one percent three digits; what is less than all never reads 100."""
    value = round(value, 10)  # all of them may come out as a last digit less
    if 0 < value < 1:
        return f"{value:#.3g}"
    if value < 100 and f"{value:.2f}" == "100.00":
        return f"{100 - float(f'{100 - value:.2g}'):.12g}"
    return f"{value:.2f}"
