"""Similarity: a cosine put on the scale that clients of the service know, 0 to 1."""

import math
from collections.abc import Mapping
from typing import Any

THRESHOLD = 0.497
"""The operating point of the published service (Bioauth OpenAPI V2.0, section 3.4)."""


class SimilarityScale:
    """A logistic curve of the cosine, stretched to run from exactly 0 at -1 to exactly 1 at 1.

    manifest: `cosine`, which maps to THRESHOLD (the cosine at the pack's stated false match
    rate), and `steepness` k, the logistic's growth per unit of cosine. Smooth, strictly monotone.

    With L(c) = 1 / (1 + u exp(-k c)), similarity is (L(c) - L(-1)) / (L(1) - L(-1)), which
    simplifies to the product in __call__; the odds factor u follows from `cosine` -> THRESHOLD.
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        cosine, self._steepness = float(manifest["cosine"]), float(manifest["steepness"])
        self.threshold = THRESHOLD
        self._low, self._high = math.exp(self._steepness), math.exp(-self._steepness)
        here, span = math.exp(-self._steepness * cosine), self._low - self._high
        self._odds = (THRESHOLD * span - (self._low - here)) / (
            self._high * (self._low - here) - THRESHOLD * here * span
        )

    def __call__(self, cosine: float) -> float:
        """cosine -1..1 (rounding beyond is clipped) to similarity 0..1."""
        here = math.exp(-self._steepness * max(-1.0, min(1.0, cosine)))
        share = (self._low - here) / (self._low - self._high)
        return share * (1 + self._odds * self._high) / (1 + self._odds * here)
