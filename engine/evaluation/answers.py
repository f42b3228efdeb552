"""What a system said of live captures and attacks, and how often it was wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.area import area, numbered
from engine.evaluation.captures import LIVE, Capture
from engine.evaluation.intervals import Rate, grouped, worth_of
from engine.operating import ERRORS_NEEDED

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verdict:
    """assessable: False where the system says that the picture allows no judgement, None where it
    does not tell."""

    score: float
    alive: bool
    assessable: bool | None = True


class Answers:
    """A system's verdicts over captures, None where it found no face (non-response).

    Error rates are over the captures that were judged: answered, and not said to be not assessable
    (ISO/IEC 30107-3, 13.2). Areas under the curve are over all scores. 95 % intervals come from a
    bootstrap over subjects (a capture of nobody known is a subject of its own), or over captures
    where that makes them wider.
    threshold: the system's own; None where only its verdicts tell, and it is estimated from them.
    tells: whether the system says which captures are not assessable.
    """

    def __init__(
        self,
        sample: Sequence[Capture],
        verdicts: Sequence[Verdict | None],
        replicates: int,
        threshold: float | None = None,
        seed: int = 0,
    ) -> None:
        self.scores = np.array([np.nan if one is None else one.score for one in verdicts])
        self.alive = np.array([one is not None and one.alive for one in verdicts], bool)
        self.answered = ~np.isnan(self.scores)
        said = [one.assessable if one else False for one in verdicts]
        self.judged = self.answered & np.array([one is not False for one in said], bool)
        self.tells = None not in said
        self.species = np.array([capture.species for capture in sample])
        self.source = np.array([capture.source for capture in sample])
        self._subject = np.array([capture.subject for capture in sample])
        self._replicates, self._seed = replicates, seed
        self.estimated = threshold is None
        self.threshold = self._boundary() if threshold is None else threshold

    @property
    def bound(self) -> str:
        """How an estimated threshold lies to the true one: "about", or only "at most" or "at least"
        it where all judged captures had one verdict."""
        called = self.alive[self.judged]
        if called.any() and not called.all():
            return "about"
        return "at most" if called.any() else "at least"

    def _boundary(self) -> float:
        """Between the lowest score called live and the highest below it that is not; where only one
        of the two is there, that."""
        called = np.sort(self.scores[self.judged & self.alive])[:1]
        refused = np.sort(self.scores[self.judged & ~self.alive])
        if len(called):  # a service may refuse for other reasons than the score
            refused = refused[refused <= called[0]]
        edges = [*called, *refused[-1:]]
        return round(float(np.mean(edges)), 3) + 0.0 if edges else 0.0

    def attacks(self) -> list[str]:
        return sorted(set(self.species.tolist()) - {LIVE})

    def error(self, species: str, threshold: float | None = None) -> Rate:
        """APCER of an attack species, or BPCER of LIVE; None is the system's own verdict."""
        return self._error(self.species == species, species != LIVE, threshold)

    def wrong_verdicts(self, species: str) -> Rate:
        """The share of the answered captures called live, or of LIVE not called so: what compares
        systems that tell what they did not judge with others."""
        wrong = self.alive == (species != LIVE)
        return self._rate((self.species == species) & self.answered, wrong)

    def refused_beside(self, species: str) -> Rate:
        """BPCER of the live captures that an attack species is compared with: its own set's."""
        return self._error(self._live_beside(species), False, None)

    def average_error(self, species: str) -> float | None:
        """ACER: the mean of APCER and of the same set's BPCER; None where one is missing."""
        rates = self.error(species), self.refused_beside(species)
        return sum(rate.value for rate in rates) / 2 if all(rate.trials for rate in rates) else None

    def area(self, species: str) -> Rate:
        """The chance that a live capture of the same set scores above such an attack (AUC)."""
        live = self.answered & self._live_beside(species)
        attack = self.answered & (self.species == species)
        chosen = live | attack
        return area(
            self.scores[chosen],
            live[chosen],
            self._subject[chosen],
            self._replicates,
            self._seed,
        )

    def not_assessable(self, species: str) -> Rate:
        """The share for which the system gives a score that it says does not count."""
        return self._rate(self.species == species, self.answered & ~self.judged)

    def non_response(self, species: str) -> Rate:
        """APNRR of an attack species, or BPNRR of LIVE."""
        return self._rate(self.species == species, ~self.answered)

    def curve(self) -> tuple[Floats, Floats, Floats]:
        """Thresholds, the worst species' APCER and BPCER; each NaN where none of it was judged."""
        grid = np.unique(self.scores[self.judged])
        live = np.sort(self.scores[self.judged & (self.species == LIVE)])
        bpcer = np.searchsorted(live, grid, "right") / (len(live) or np.nan)
        apcer = np.full(len(grid), np.nan)
        for species in self.attacks():
            attack = np.sort(self.scores[self.judged & (self.species == species)])
            above = len(attack) - np.searchsorted(attack, grid, "right")
            passed = above / (len(attack) or np.nan)  # exact, as it is held against round limits
            apcer = np.fmax(apcer, passed)
        return grid, apcer, bpcer

    def _live_beside(self, species: str) -> Flags:
        live = self.species == LIVE
        sources = self.source[self.species == species]
        beside: Flags = live & np.isin(self.source, sources)
        return beside if beside.any() else live

    def _error(self, chosen: Flags, attack: bool, threshold: float | None) -> Rate:
        called = self.alive if threshold is None else self.scores > threshold
        chosen = chosen & self.judged
        return self._rate(chosen, called == attack, self._worth(chosen, attack))

    def _worth(self, chosen: Flags, attack: bool) -> float | None:
        """As how many independent captures the chosen ones tell of rare errors: by the threshold
        that makes ERRORS_NEEDED of them errors. None where that is half of them or more."""
        scores = self.scores[chosen] * (-1 if attack else 1)
        if len(scores) <= 2 * ERRORS_NEEDED:
            return None
        wrong = np.zeros(len(scores), bool)
        wrong[np.argsort(scores, kind="stable")[:ERRORS_NEEDED]] = True
        return worth_of(wrong, numbered(self._subject[chosen]), self._replicates, self._seed)

    def _rate(self, chosen: Flags, happened: Flags, worth: float | None = None) -> Rate:
        """The share of the chosen captures with which that happened."""
        subjects = numbered(self._subject[chosen])
        return grouped(happened[chosen], subjects, self._replicates, self._seed, worth)
