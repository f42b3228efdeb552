"""Operating points: which one is asked for, and a manifest's table of error rates, each with the
threshold that gives it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

from engine.errors import EngineError, WeightsError

SCORE_LIMIT = 12.0
"""Of liveness: beyond e^12 : 1 no sample of ours could support the odds."""

RAREST = 1e-12
"""Of a rate: no sample supports a rarer one."""

ERRORS_NEEDED = 30
"""Doddington's rule of 30 (ISO/IEC 19795-1, annex B): with 30 errors the true rate is within 30 %
of the measured one, at 90 % confidence. Fewer errors support no statement about the rate."""


def trials_needed(rate: float) -> int:
    """Trials that a sample must have to support an error rate."""
    return math.ceil(ERRORS_NEEDED / rate - 1e-6)


@dataclass(frozen=True, slots=True)
class OperatingPoints:
    """What an engine is asked to decide by; of None the pack decides. Raises EngineError.

    fmr, bpcer: of a comparison's and of liveness' threshold, rates of the pack's tables.
    liveness_threshold: a score, in place of bpcer.
    """

    fmr: float | None = None
    bpcer: float | None = None
    liveness_threshold: float | None = None

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            if (value := getattr(self, name)) is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Real):
                raise EngineError(f"{name} must be a number, not {value!r}")
            if name != "liveness_threshold" and not RAREST <= float(value) < 1:
                raise EngineError(f"{name} must be a rate between 0 and 1, not {value!r}")
            object.__setattr__(self, name, float(value))  # of a fraction or numpy's, in a message
        if self.liveness_threshold is None:
            return
        if self.bpcer is not None:
            raise EngineError("give bpcer or liveness_threshold, not both")
        if not -SCORE_LIMIT <= self.liveness_threshold < SCORE_LIMIT:  # nobody is above that
            raise EngineError(
                f"liveness_threshold must be a score from {-SCORE_LIMIT:g} to below "
                f"{SCORE_LIMIT:g}, not {self.liveness_threshold!r}"
            )


PACKS_OWN = OperatingPoints()


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """How a kind of rate is written in a table, and how it is called in a message.

    key, threshold, trials: the columns of a row. name: of the rate. sample: what the trials are.
    advice: how to get such a table.
    """

    key: str
    threshold: str
    trials: str
    name: str
    sample: str
    advice: str

    def threshold_at(self, rate: float, table: Sequence[Mapping[str, Any]]) -> float:
        """The threshold of the row with that rate.

        Raises WeightsError, which says what the table holds, or how many trials it would take.
        """
        for row in table:
            if math.isclose(float(row[self.key]), rate, rel_tol=1e-6):
                return float(row[self.threshold])
        if not table:
            raise WeightsError(f"this pack has no table of {self.name}s. {self.advice}")
        rates = sorted(float(row[self.key]) for row in table)
        trials = max(int(row[self.trials]) for row in table)
        if 0 < rate < rates[0] and trials < trials_needed(rate):
            raise WeightsError(
                f"a {self.name} of {rate:g} takes {trials_needed(rate):,} {self.sample} to "
                f"support, and this pack was calibrated on {trials:,}; its lowest rate is "
                f"{rates[0]:g}. {self.advice}"
            )
        shown = ", ".join(f"{one:g}" for one in rates)
        raise WeightsError(
            f"this pack has no {self.name} of {rate:g}; it has {shown}"
            + (f" ({rate:g} takes {trials_needed(rate):,} {self.sample})" if 0 < rate < 1 else "")
        )
