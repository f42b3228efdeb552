"""Where the score of liveness lies, and which threshold refuses how many."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from presentations import SPECIES

from engine.evaluation.photos import SampleError
from engine.operating import trials_needed

RATES = (0.02, 0.05, 0.1, 0.2)
STEPS = 50
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """Raw log-odds of every assessed capture; `context` is NaN where there was none."""

    texture: Floats
    context: Floats
    live: NDArray[np.bool_]
    species: NDArray[np.str_]
    source: NDArray[np.str_]
    subject: NDArray[np.str_]

    def weights(self) -> Floats:
        """1 in all for each source and class."""
        weight = np.zeros(len(self.live))
        for name in np.unique(self.source):
            for kind in (True, False):
                group = (self.source == name) & (self.live == kind)
                weight[group] = 1 / max(group.sum(), 1)
        return weight


def fit(evidence: Floats, live: NDArray[np.bool_], weight: Floats) -> Floats:
    """Slopes and intercept of P(live) = logistic(evidence @ slopes + intercept).

    By Newton's method. Platt, "Probabilistic outputs for support vector machines" (1999), with
    weighted samples. Raises SampleError where there is no best fit: the steeper, the better.
    """
    if live.all() or not live.any():
        raise SampleError("a scale takes captures of both live faces and attacks")
    design = np.column_stack([evidence, np.ones(len(live))])
    beta = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = (1 + np.tanh(design @ beta / 2)) / 2  # the logistic function, without overflow
        gradient = design.T @ (weight * (live - chance))
        curvature = (design * (weight * chance * (1 - chance))[:, None]).T @ design
        try:
            step = np.linalg.solve(curvature, gradient)
        except np.linalg.LinAlgError:  # all chances are 0 or 1
            break
        beta += step
        if np.abs(step).max() < 1e-9:
            return np.asarray(beta, np.float64)
    raise SampleError(
        "live captures and attacks are told apart completely, or so nearly that there is nothing "
        "to calibrate on: take more captures, and harder ones"
    )


def threshold_for(rate: float, score: Floats, weight: Floats) -> float:
    """Below it lies this share of the weight; three decimals, rounded down."""
    order = np.argsort(score)
    share = np.cumsum(weight[order]) / weight.sum()
    return float(np.floor(score[order][np.searchsorted(share, rate)] * 1000) / 1000)


def table(judged: Judged, score: Floats, weight: Floats) -> Iterator[str]:
    """Lines of a manifest: by rate of live captures refused, the threshold and what passes it."""
    live = judged.live
    captures, people = int(live.sum()), len(np.unique(judged.subject[live]))
    yield "bpcer = ["
    for rate in RATES:
        if captures < trials_needed(rate):
            continue
        threshold = threshold_for(rate, score[live], weight[live])
        row = f"bpcer = {rate}, threshold = {threshold}, captures = {captures}, people = {people}"
        for source in np.unique(judged.source):
            for kind in SPECIES[1:]:
                here = (judged.source == source) & (judged.species == kind)
                if here.any():
                    passed = float(np.mean(score[here] > threshold))
                    row += f", apcer_{source.replace(' ', '_')}_{kind} = {passed:.3f}"
        yield f"  {{ {row} }},"
    yield "]"
