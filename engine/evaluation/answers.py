"""What a system said of live captures and attacks, and how often it was wrong."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.captures import LIVE, Capture
from engine.evaluation.intervals import Rate, widened, wilson
from engine.evaluation.systems import progress

Floats = NDArray[np.float64]
Judge = Callable[[Path], tuple[float, bool] | None]
"""Score and verdict, or None where the system gives none."""


class Answers:
    """A system's scores and verdicts over captures; NaN where it gave none (non-response).

    Rates are over the captures that were answered (ISO/IEC 30107-3, 13.2); their 95 % intervals
    come from a bootstrap over subjects, or are Wilson's where subjects are not known.
    """

    def __init__(self, sample: Sequence[Capture], judge: Judge, replicates: int) -> None:
        answers = [judge(capture.path) for capture in progress(sample, "liveness")]
        self.scores = np.array([np.nan if a is None else a[0] for a in answers])
        self.alive = np.array([a is not None and a[1] for a in answers], bool)
        self.answered = ~np.isnan(self.scores)
        self.species = np.array([capture.species for capture in sample])
        self._subject = np.array([capture.subject for capture in sample])
        self._replicates = replicates
        self.threshold = self._boundary()

    def _boundary(self) -> float:
        """Between the lowest score called live and the highest that is not."""
        called = self.scores[self.answered & self.alive]
        refused = self.scores[self.answered & ~self.alive]
        edges = [*np.sort(called)[:1], *np.sort(refused)[-1:]]
        return round(float(np.mean(edges)), 3) + 0.0 if edges else 0.0

    def error(self, species: str, threshold: float | None = None) -> Rate:
        """APCER of an attack species, or BPCER of LIVE; None is the system's own verdict."""
        chosen = self.answered & (self.species == species)
        called = self.alive if threshold is None else self.scores > threshold
        wrong = called[chosen] == (species != LIVE)
        rate = wilson(int(wrong.sum()), len(wrong))
        subjects = self._subject[chosen]
        if len(set(subjects)) < 2 or not wrong.any():
            return rate
        _, code = np.unique(subjects, return_inverse=True)
        total, errors = np.bincount(code), np.bincount(code, wrong)
        drawn = np.random.default_rng(0).integers(0, len(total), (self._replicates, len(total)))
        shares = errors[drawn].sum(1) / total[drawn].sum(1)
        low, high = np.percentile(shares, [2.5, 97.5])
        return widened(rate, float(low), float(high))

    def non_response(self, species: str) -> Rate:
        """APNRR of an attack species, or BPNRR of LIVE."""
        chosen = self.species == species
        return wilson(int((~self.answered[chosen]).sum()), int(chosen.sum()))

    def attacks(self) -> list[str]:
        return sorted(set(self.species.tolist()) - {LIVE})

    def curve(self) -> tuple[Floats, Floats, Floats]:
        """Thresholds, the worst species' APCER and BPCER."""
        grid = np.unique(self.scores[self.answered])
        live = np.sort(self.scores[self.answered & (self.species == LIVE)])
        bpcer = np.searchsorted(live, grid, "right") / max(len(live), 1)
        apcer = np.zeros(len(grid))
        for species in self.attacks():
            attack = np.sort(self.scores[self.answered & (self.species == species)])
            passed = 1 - np.searchsorted(attack, grid, "right") / max(len(attack), 1)
            apcer = np.maximum(apcer, passed)
        return grid, apcer, bpcer
