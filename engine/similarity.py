"""Similarity: a cosine put on the scale that clients of the service know, 0 to 1."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.numbers import number
from engine.operating import ErrorRate

THRESHOLD = 0.497
"""The operating point of the published service (Bioauth OpenAPI V2.0, section 3.4)."""

REFERENCE_FMR = 1e-3
"""The false match rate that THRESHOLD stands for, among people of one sex and ethnic group."""

CLOSE = 0.1
"""A second look changes a cosine by less than this near any threshold (0.07 at most with the
default pack). For another pack measure with weights/build/second_look.py."""

STEEPEST = 100
"""A logistic much steeper than any that was measured, and far from overflow."""

FALSE_MATCHES = ErrorRate(
    key="fmr",
    threshold="similarity",
    trials="pairs",
    name="false match rate",
    sample="pairs of different people of one sex and group",
    advice="From a checkout, weights/build/calibrate.py PHOTOS --pack FOLDER measures more people",
)


class SimilarityScale:
    """A logistic curve of the cosine, stretched to run from exactly 0 at -1 to exactly 1 at 1.

    manifest: `cosine`, which maps to THRESHOLD (the cosine at the pack's stated false match
    rate), and `steepness` k, the logistic's growth per unit of cosine. Smooth, strictly monotone.
    `matched` is the table of operating points measured on pairs of one sex and group, each with
    `fmr`, `similarity` and the `pairs` behind it.
    fmr: takes another row of that table as the threshold; None is REFERENCE_FMR at THRESHOLD.

    With L(c) = 1 / (1 + u exp(-k c)), similarity is (L(c) - L(-1)) / (L(1) - L(-1)), which
    simplifies to the product in `of`; the odds factor u follows from `cosine` -> THRESHOLD.
    Raises what packs.MISFITS lists for a setting that is missing or wrong,
    and WeightsError for a rate that is not in the table.
    """

    def __init__(self, manifest: Mapping[str, Any], fmr: float | None = None) -> None:
        cosine = number(manifest, "cosine")
        self._steepness = number(manifest, "steepness")
        if not (-1 < cosine < 1 and 0 < self._steepness <= STEEPEST):
            raise ValueError(
                f"cosine is between -1 and 1, steepness above 0 and at most {STEEPEST}"
            )
        self._low, self._high = math.exp(self._steepness), math.exp(-self._steepness)
        here, span = math.exp(-self._steepness * cosine), self._low - self._high
        self._odds = (THRESHOLD * span - (self._low - here)) / (
            self._high * (self._low - here) - THRESHOLD * here * span
        )
        if not 1 + self._odds * self._high > 0:
            raise ValueError(
                "steepness is too low for that cosine: the scale would not be monotone"
            )
        table = manifest.get("matched", [])
        self.threshold = THRESHOLD if fmr is None else FALSE_MATCHES.threshold_at(fmr, table)
        points = [THRESHOLD, *(number(row, "similarity", 0, 1) for row in table)]
        self._doubtful = (
            self._cosine_at(min(points)) - CLOSE,
            self._cosine_at(max(points)) + CLOSE,
        )

    def __call__(self, cosine: float) -> float:
        """cosine -1..1 (rounding beyond is clipped) to similarity 0..1."""
        return float(self.of(np.float64(cosine)))

    def is_doubtful(self, cosine: float) -> bool:
        """Whether a second look might put it on the other side of a threshold: of any in the table,
        so that a similarity does not depend on which of them was chosen."""
        low, high = self._doubtful
        return low < cosine < high

    def _cosine_at(self, similarity: float) -> float:
        """The scale's inverse, as far as floating point numbers tell the ends apart."""
        span, rise = self._low - self._high, 1 + self._odds * self._high
        here = (self._low * rise - similarity * span) / (rise + similarity * span * self._odds)
        return -math.log(min(max(here, self._high), self._low)) / self._steepness

    def of(self, cosines: NDArray[np.floating[Any]] | np.float64) -> NDArray[np.float64]:
        """The same for an array of any shape."""
        here = np.exp(-self._steepness * np.clip(np.asarray(cosines, np.float64), -1, 1))
        share = (self._low - here) / (self._low - self._high)
        result: NDArray[np.float64] = (
            share * (1 + self._odds * self._high) / (1 + self._odds * here)
        )
        return result
