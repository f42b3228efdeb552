"""The limit: the time of the networks alone, one after another, which one thread cannot beat.

A call that runs networks side by side can; it is held against the same runs on all cores too.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.photos import SampleError
from engine.network import Network


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one network, with its inputs prepared."""

    network: Network
    inputs: tuple[NDArray[np.generic], ...]


def runs_of(call: Callable[[], object]) -> list[Run]:
    """Make a call once and note the runs of networks that it needs. Not for use beside threads.

    Raises SampleError when there are none: the networks of another package are not seen.
    """
    runs: list[Run] = []
    plain = Network.run

    def noting(network: Network, *inputs: NDArray[np.generic]) -> list[NDArray[np.float32]]:
        runs.append(Run(network, tuple(array.copy() for array in inputs)))
        return plain(network, *inputs)

    swap: Any = Network
    swap.run = noting
    try:
        call()
    finally:
        swap.run = plain
    if not runs:
        raise SampleError("this pack's networks are run by another package: they have no limit")
    return runs


def replay(runs: Sequence[Run]) -> None:
    for run in runs:
        run.network.run(*run.inputs)


def replay_together(pool: Executor, runs: Sequence[Run]) -> None:
    """All at once, as many at a time as the pool has threads."""
    list(pool.map(lambda run: run.network.run(*run.inputs), runs))
