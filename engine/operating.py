"""Operating points: a manifest's table of error rates, each with the threshold that gives it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import WeightsError

ERRORS_NEEDED = 30
"""Doddington's rule of 30 (ISO/IEC 19795-1, annex B): with 30 errors the true rate is within 30 %
of the measured one, at 90 % confidence. Fewer errors support no statement about the rate."""


def trials_needed(rate: float) -> int:
    """Trials that a sample must have to support an error rate."""
    return math.ceil(ERRORS_NEEDED / rate - 1e-6)


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
