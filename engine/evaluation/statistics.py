"""Error rates of scored pairs, with intervals that know that pairs share people."""

import math

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.draws import Drawn, independent
from engine.evaluation.intervals import FEW, Rate, middle, widened, wilson
from engine.evaluation.pairs import Pairs
from engine.operating import ERRORS_NEEDED

Floats = NDArray[np.float64]

DECIMALS = 5
"""Of a threshold that a report gives."""


class ErrorRates:
    """False match and false non-match rates at any threshold (ISO/IEC 19795-1, section 8).

    scores: (N,), NaN where a photo could not be enrolled; such pairs are in no rate, and who is in
    no other pair is none of the people.
    Intervals come from a bootstrap that draws people, not pairs (Bolle, Ratha & Pankanti, "Error
    analysis of pattern recognition systems", CVIU 2004): pairs that share a person err together.
    Fewer errors than ERRORS_NEEDED, or as few pairs without one, hardly vary between draws, so
    there the interval is at least Wilson's of as many independent pairs as these are worth (Korn &
    Graubard, "Confidence intervals for proportions with small expected number of positive counts",
    Survey Methodology 1998), and of under FEW people, of as many pairs as there are people.
    """

    def __init__(self, pairs: Pairs, scores: Floats, replicates: int = 1000, seed: int = 0) -> None:
        scored = ~np.isnan(scores)
        pairs, scores = pairs.take(scored), scores[scored]
        genuine = pairs.same
        ends = pairs.people[np.stack([pairs.a, pairs.b])]
        involved, people = np.unique(ends, return_inverse=True)
        a, b = people.reshape(ends.shape)
        self.people = len(involved)
        self.genuine = np.sort(scores[genuine])
        self.impostor = np.sort(scores[~genuine])
        self._grid = _grid(self.genuine, self.impostor)
        self._replicates, self._seed = replicates, seed
        rng = np.random.default_rng(seed)
        self._draws = [
            np.bincount(rng.integers(0, self.people, self.people), minlength=self.people)
            for _ in range(replicates)
        ]
        others = [a[~genuine], b[~genuine]]
        self._same = Drawn(scores[genuine], [a[genuine]], self._draws, self._grid)
        self._different = Drawn(scores[~genuine], others, self._draws, self._grid)
        self._fnmr = self._same.below
        self._fmr = 1 - self._different.below

    def of(self, pairs: Pairs, scores: Floats) -> "ErrorRates":
        """Those of other pairs, by as many draws."""
        return ErrorRates(pairs, scores, self._replicates, self._seed)

    def fmr(self, threshold: float) -> Rate:
        """The share of impostor pairs at or above a threshold."""
        errors = len(self.impostor) - int(np.searchsorted(self.impostor, threshold, "left"))
        return self._rate(errors, self._different, self._different.scores >= threshold, self._fmr)

    def fnmr(self, threshold: float) -> Rate:
        """The share of genuine pairs below a threshold."""
        errors = int(np.searchsorted(self.genuine, threshold, "left"))
        return self._rate(errors, self._same, self._same.scores < threshold, self._fnmr)

    def _rate(
        self, errors: int, drawn: Drawn, wrong: NDArray[np.bool_], replicates: Floats
    ) -> Rate:
        trials = len(wrong)
        plain = wilson(errors, trials)
        if not trials or not len(replicates):
            return plain
        people = drawn.people
        if people < FEW or min(errors, trials - errors) < ERRORS_NEEDED:
            alone: float = min(trials, people)
            if people >= FEW:
                alone = independent(trials, replicates, people)
            few = wilson(errors * alone / trials, alone)
            plain = widened(plain, few.low, few.high)
        if not errors:
            return plain
        return widened(plain, *middle(drawn.share(wrong), people))

    def threshold_at(self, fmr: float) -> float:
        """The lowest threshold at which the false match rate is at most that."""
        allowed = math.floor(fmr * len(self.impostor) + 1e-9)
        if allowed >= len(self.impostor):
            return float(self.impostor[0])
        return float(np.nextafter(self.impostor[len(self.impostor) - 1 - allowed], np.inf))

    def supports(self, fmr: float) -> bool:
        """Whether there are impostor pairs enough to speak of such a rate."""
        return len(self.impostor) * fmr >= ERRORS_NEEDED - 1e-6

    def fnmr_at(self, fmr: float) -> Rate:
        """The false non-match rate where the false match rate is that (the measure of NIST's
        FRTE 1:1); its interval lets the threshold vary with the sample too."""
        rate = self.fnmr(rounded_up(self.threshold_at(fmr)))
        if not rate.trials or not len(self._fmr):
            return rate
        values = [  # both fall or rise with the threshold: between two of the grid, in proportion
            np.interp(-fmr, -false, missed)
            for false, missed in zip(self._fmr, self._fnmr, strict=True)
            if not np.isnan(false[0])
        ]
        return widened(rate, *middle(np.array(values), self._same.people))

    def equal_error_rate(self) -> float:
        """Where the two rates cross, with every score for a threshold: on a grid, few pairs that
        are told apart without an error would have one."""
        fmr, fnmr = self._rates(np.concatenate([self.genuine, self.impostor]))
        at = int(np.argmin(np.abs(fmr - fnmr)))
        return float((fmr[at] + fnmr[at]) / 2)

    def curve(self) -> tuple[Floats, Floats, Floats]:
        """Thresholds, FMR and FNMR, along the grid of the intervals."""
        return self._grid, *self._rates(self._grid)

    def _rates(self, thresholds: Floats) -> tuple[Floats, Floats]:
        """FMR and FNMR at each."""
        below = np.searchsorted(self.impostor, thresholds, "left") / max(len(self.impostor), 1)
        missed = np.searchsorted(self.genuine, thresholds, "left") / max(len(self.genuine), 1)
        return 1 - below, missed

    def bands(self) -> tuple[Floats, Floats]:
        """(2, thresholds) each: the 95 % intervals of FMR and FNMR along the curve."""
        return (
            middle(self._fmr, self._different.people),
            middle(self._fnmr, self._same.people),
        )


def rounded_up(threshold: float) -> float:
    """To DECIMALS: whoever types it in lets no more pass than by the exact one."""
    scale = 10.0**DECIMALS
    return math.ceil(threshold * scale) / scale


def _grid(genuine: Floats, impostor: Floats) -> Floats:
    """Thresholds dense where either rate is small."""
    rare = np.logspace(0, -7, 281)
    parts = [np.empty(0)]
    parts += [np.quantile(impostor, 1 - rare)] if len(impostor) else []
    parts += [np.quantile(genuine, rare)] if len(genuine) else []
    return np.unique(np.concatenate(parts))
