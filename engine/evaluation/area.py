"""The area under the curve of live captures and attacks, and its interval."""

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.intervals import FEW, Rate, middle, widened, wilson

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def numbered(subjects: NDArray[np.str_]) -> NDArray[np.int64]:
    """A number for each capture, equal for those of one subject, by the names of the subjects.
    Captures of nobody known are of a subject each."""
    names = [subject or f"\0{index:09}" for index, subject in enumerate(subjects)]
    return np.unique(names, return_inverse=True)[1]


def area(
    scores: Floats, live: Flags, subjects: NDArray[np.str_], replicates: int, seed: int
) -> Rate:
    """The chance that a live capture scores above one that is not, of all of these: the statistic
    of Mann & Whitney (1947). The interval is that of subjects drawn, or of captures drawn one by
    one where that makes it wider."""
    pairs = int(live.sum()) * int((~live).sum())
    if not pairs:
        return wilson(0, 0)
    _, rank = np.unique(scores, return_inverse=True)
    value = _weighted(rank, live, np.ones(len(live)))
    fewest = min(int(numbered(subjects[kind]).max()) + 1 for kind in (live, ~live))
    rng = np.random.default_rng(seed)
    rate = Rate(value, value, value, pairs)
    each, grouped = np.arange(len(live)), numbered(subjects)
    for code in [each] if np.array_equal(each, grouped) else [each, grouped]:
        number = int(code.max()) + 1
        draws = rng.multinomial(number, [1 / number] * number, replicates)
        drawn = [_weighted(rank, live, draw[code].astype(np.float64)) for draw in draws]
        rate = widened(rate, *middle(np.array(drawn), min(number, fewest)))
    wrong = min(value, 1 - value) * min(int(live.sum()), int((~live).sum()))
    if wrong >= 1 and fewest >= FEW:
        return rate
    # A bootstrap of a perfect sample sees no errors. The variance of an area is at most that of
    # a rate with as many trials as the smaller group has (van Dantzig 1951).
    plain = wilson(value * fewest, fewest)
    return widened(rate, plain.low, plain.high)


def _weighted(rank: NDArray[np.int64], live: Flags, weight: Floats) -> float:
    """Mann & Whitney's statistic of weighted captures; NaN without one of the two kinds."""
    alive = np.bincount(rank, weight * live)
    attack = np.bincount(rank, weight * ~live)
    below = np.cumsum(attack) - attack / 2
    total = alive.sum() * attack.sum()
    return float((alive * below).sum() / total) if total else float("nan")
