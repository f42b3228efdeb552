"""What was aimed at, and what came out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.evaluation.bench.calls import ARRAYS
from engine.evaluation.bench.service import MOST

COMPARE, DETECT = "compare selfie, ID", "detect the largest, selfie"


@dataclass(frozen=True, slots=True)
class Target:
    """measured: None or NaN where it could not be. at_most: else it is to be at least the limit."""

    what: str
    limit: float
    measured: float | None
    at_most: bool = True

    @property
    def met(self) -> bool | None:
        if self.measured is None or math.isnan(self.measured):  # no /proc, no memory
            return None
        return self.measured <= self.limit if self.at_most else self.measured >= self.limit


def targets(metrics: Mapping[str, Any]) -> list[Target]:
    calls, http = metrics["calls"], metrics["http"]
    worst = max(figures[ARRAYS]["to_limit"]["median"] for figures in calls.values())
    return [
        Target("engine / limit, arrays in, compare", 1.10, _to_limit(calls[COMPARE])),
        Target("engine / limit, arrays in, worst of the calls", 1.10, worst),
        Target(
            f"HTTP throughput / limit's, {MOST} clients",
            0.85,
            http["load"][f"{MOST} clients"]["to_limit"]["median"],
            at_most=False,
        ),
        Target("HTTP overhead of a 2 MiB body, ms", 6, http["overhead_ms"]["median"]),
        Target("FaceAnalysis / engine, compare", 1.5, _faster(calls[COMPARE]), at_most=False),
        Target("FaceAnalysis / engine, detect", 5, _faster(calls[DETECT]), at_most=False),
        Target(f"peak memory, {MOST} clients, MB", 600, http["memory"]["peak_mb"]),
        Target("growth of memory", 0.03, http["memory"]["growth"]),
        Target("cold start to ready, s", 2, http["start_s"]["median"]),
    ]


def _to_limit(figures: Mapping[str, Any]) -> float:
    return float(figures[ARRAYS]["to_limit"]["median"])


def _faster(figures: Mapping[str, Any]) -> float | None:
    """How many times the engine's speed; the ratio of two medians."""
    if "FaceAnalysis" not in figures:
        return None
    return float(figures["FaceAnalysis"]["ms"] / figures[ARRAYS]["ms"])
