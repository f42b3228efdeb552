"""The [similarity] section of a manifest, out of the cosines of pairs of people."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.pairs import Pairs
from engine.evaluation.photos import SampleError
from engine.evaluation.statistics import ErrorRates
from engine.operating import trials_needed
from engine.similarity import REFERENCE_FMR, SimilarityScale

RATES = [step * 10.0**-power for power in range(2, 8) for step in (1, 0.5, 0.2)]
EVERYBODY = "all"
HALVINGS = 100
EXPECTED = 0.01
"""A pair above which fewer than this many are expected is suspected to show one person twice."""

Cosines = NDArray[np.float64]
Cohorts = dict[str, ErrorRates]


def suspects(pairs: Pairs, scores: Cosines) -> list[int]:
    """Pairs of "different people" so alike that they are one person, most likely; best first.

    Duplicated people poison the tail that a threshold is read from. Per cohort, a normal tail is
    laid through the cosines at 1 % and 0.1 %; the real tail is no heavier, and duplicates hardly
    move those two. What lies above all that the normal tail lets expect is a suspect.
    """
    found = []
    for inside in cohorts_of(pairs).values():
        chosen = np.flatnonzero(inside & ~pairs.same & ~np.isnan(scores))
        if len(chosen) < trials_needed(REFERENCE_FMR):
            continue  # too few for a quantile at 0.1 %
        low, high = np.quantile(scores[chosen], [0.99, 0.999])
        normal = NormalDist()
        z_low, z_high = normal.inv_cdf(0.99), normal.inv_cdf(0.999)
        sigma = (high - low) / (z_high - z_low)
        limit = low + sigma * (normal.inv_cdf(1 - EXPECTED / len(chosen)) - z_low)
        found += chosen[scores[chosen] > limit].tolist()
    return sorted(set(found), key=lambda index: -scores[index])


def cohorts_of(pairs: Pairs) -> dict[str, NDArray[np.bool_]]:
    """The pairs of each cohort; where no cohorts are known, all pairs are one."""
    return pairs.cohorts or {EVERYBODY: np.ones(len(pairs), bool)}


def worst(cohorts: Cohorts, fmr: float) -> tuple[str, float] | None:
    """The cohort that needs the highest cosine for a rate, of those that support it."""
    able = {name: rates.threshold_at(fmr) for name, rates in cohorts.items() if rates.supports(fmr)}
    return max(able.items(), key=lambda item: item[1]) if able else None


def calibrate(pairs: Pairs, scores: Cosines, lowest: float, steepness: float) -> dict[str, Any]:
    """The manifest's [similarity] section.

    Raises SampleError for a sample too small, and for a steepness that makes no scale with it.
    """
    cohorts = {
        name: ErrorRates(pairs.take(inside), scores[inside])
        for name, inside in cohorts_of(pairs).items()
    }
    cohorts = {name: rates for name, rates in cohorts.items() if len(rates.impostor)}
    most = max((len(rates.impostor) for rates in cohorts.values()), default=0)
    for fmr in sorted({lowest, REFERENCE_FMR}):
        if most < trials_needed(fmr):
            raise SampleError(
                f"a false match rate of {fmr:g} takes {trials_needed(fmr):,} pairs of different "
                f"people in one cohort (that is {_people(fmr)} people with a photo each); the "
                f"largest cohort here has {most:,} pairs"
            )
    reference = worst(cohorts, REFERENCE_FMR)
    assert reference is not None
    section = {"cosine": _rounded_up(reference[1]), "steepness": steepness}
    try:
        scale = SimilarityScale(section)
    except ValueError as error:
        raise SampleError(f"--steepness {steepness:g} is of no use: {error}") from error
    everyone = ErrorRates(pairs, scores)
    at = section["cosine"]
    return {
        **section,
        "matched": _table(cohorts, scale),
        "random": _table({"any two": everyone}, scale),
        "cohorts": [
            {"name": name, "people": rates.people, **_rate(rates, at)}
            for name, rates in [*cohorts.items(), ("any two", everyone)]
        ],
    }


def on_others(pairs: Pairs, scores: Cosines, seed: int = 0) -> Cosines:
    """False match rates of people on whom the threshold was not set; give it one cohort.

    The people are parted into halves at random: the threshold that one half needs for
    REFERENCE_FMR is put to the other. (HALVINGS,), or empty where half of them are too few.
    """
    strangers = ~pairs.same & ~np.isnan(scores)
    people, rng, rates = pairs.people, np.random.default_rng(seed), []
    for _ in range(HALVINGS):
        half = rng.permutation(people.max() + 1)[people] % 2
        first = strangers & (half[pairs.a] + half[pairs.b] == 0)
        second = strangers & (half[pairs.a] + half[pairs.b] == 2)
        own = ErrorRates(pairs.take(first), scores[first], replicates=0)
        if not own.supports(REFERENCE_FMR):
            return np.empty(0)
        rates.append((scores[second] >= own.threshold_at(REFERENCE_FMR)).mean())
    return np.array(rates)


def _table(cohorts: Cohorts, scale: SimilarityScale) -> list[dict[str, Any]]:
    """A row per rate: down to REFERENCE_FMR, and below as far as the cohort that was the worst so
    far supports one."""
    rows: list[dict[str, Any]] = []
    for fmr in RATES:
        point = worst(cohorts, fmr)
        if point is None:
            break
        if fmr < REFERENCE_FMR and not cohorts[rows[-1]["cohort"]].supports(fmr):
            break
        name, cosine = point[0], _rounded_up(point[1])
        rates = cohorts[name]
        row = {"fmr": float(f"{fmr:g}"), "similarity": _rounded_up(scale(cosine), 3)}
        interval = {key: value for key, value in _rate(rates, cosine).items() if key != "fmr"}
        people = {"people": rates.people, "cohort": name}
        rows.append({**row, "cosine": cosine, **interval, **people})
    return rows


def _rate(rates: ErrorRates, cosine: float) -> dict[str, float | int]:
    rate = rates.fmr(cosine)
    values = {"fmr": rate.value, "fmr_low": rate.low, "fmr_high": rate.high}
    return {**{key: float(f"{value:.3g}") for key, value in values.items()}, "pairs": rate.trials}


def _rounded_up(value: float, decimals: int = 4) -> float:
    """Up, so that the threshold keeps the rate; services state a similarity with three decimals."""
    steps = 10.0**decimals
    return math.ceil(value * steps - 1e-6) / steps


def _people(fmr: float) -> int:
    return math.ceil((1 + math.sqrt(1 + 8 * trials_needed(fmr))) / 2)
