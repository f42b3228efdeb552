"""Pairs of people drawn again and again, for the intervals of their error rates."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.operating import ERRORS_NEEDED

Floats = NDArray[np.float64]


class Drawn:
    """Pairs of one kind as a bootstrap over people draws them: each weighs as often as its people,
    one or two of them, are drawn.

    people: how many there are in these pairs.
    below: (replicates, thresholds), the share below each threshold, NaN where a draw of few people
    holds no such pair.
    """

    def __init__(
        self,
        scores: Floats,
        people: Sequence[NDArray[np.int64]],
        draws: Sequence[NDArray[np.int64]],
        thresholds: Floats,
    ) -> None:
        self.scores = scores
        self.people = len(np.unique(np.concatenate(people)))
        self._people = [one.astype(np.int32) for one in people]
        self._draws = draws
        self._totals = np.empty(len(draws))
        self.below = np.empty((len(draws), len(thresholds)))
        bins = np.searchsorted(thresholds, scores, "right")
        for number, draw in enumerate(draws):
            weight = self._weights(draw, slice(None))
            self._totals[number] = float(weight.sum()) or np.nan
            counts = np.bincount(bins, weight, len(thresholds) + 1)[:-1]
            self.below[number] = np.cumsum(counts) / self._totals[number]

    def share(self, chosen: NDArray[np.bool_]) -> Floats:
        """(replicates,): that of the chosen pairs."""
        few = np.flatnonzero(chosen)
        weights = [self._weights(draw, few).sum() for draw in self._draws]
        return np.asarray(weights / self._totals)

    def _weights(self, draw: NDArray[np.int64], which: slice | NDArray[np.int64]) -> Floats:
        weight = draw[self._people[0][which]].astype(np.float64)
        for others in self._people[1:]:
            weight *= draw[others[which]]
        return weight


def independent(trials: int, replicates: Floats, people: int) -> float:
    """As how many independent pairs these tell: by the variance between draws of the lowest rate
    that enough of them give, else as many as there are people."""
    told = replicates[~np.isnan(replicates).any(axis=1)]
    if len(told) > 1:
        rates, variance = told.mean(axis=0), told.var(axis=0, ddof=1)
        usable = (rates * trials >= ERRORS_NEEDED) & (rates <= 0.5) & (variance > 0)
        if usable.any():
            at = np.flatnonzero(usable)[np.argmin(rates[usable])]
            return float(np.clip(rates[at] * (1 - rates[at]) / variance[at], 1, trials))
    return min(trials, people)
