"""Works timed in turn, so that whatever else the machine does falls on all of them alike."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Work = Callable[[], object]
Times = dict[str, list[float]]
"""Seconds by work, one of each per round."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.low:.2f}, {self.high:.2f}]"


def interleaved(
    works: Mapping[str, Work], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> Times:
    """Run every work once a round; who begins changes from round to round. One more round, before
    the first, only warms up."""
    names = list(works)
    times: Times = {name: [] for name in names}
    for number in range(-1, rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            started = clock()
            works[name]()
            if number >= 0:
                times[name].append(clock() - started)
    return times


def spread(values: list[float]) -> Spread:
    low, median, high = np.percentile(values, [25, 50, 75])
    return Spread(float(median), float(low), float(high))


def ratio(times: Times, name: str, to: str) -> Spread:
    """Of two works, round by round: what slows a whole round down does not show."""
    return spread([one / other for one, other in zip(times[name], times[to], strict=True)])


def milliseconds(seconds: list[float]) -> float:
    """The median."""
    return 1000 * float(np.median(seconds))
