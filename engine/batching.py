"""Micro-batching: concurrent calls of a network share its runs."""

import threading
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError

Rows = NDArray[np.float32]

MOST = 8
"""Rows of a full run: four compares."""


class Batcher:
    """Joins the rows of calls from many threads; every call gets the outputs of its own rows.

    A call alone waits for nobody. Calls that come while a run is under way wait for its end and
    then go together into the next one, as many as fit, in order of arrival.
    run: maps (N, ...) to (N, D). N is 1 or `most`; missing rows are filled with zeros, because a
    GPU plans anew for every shape.
    """

    def __init__(self, run: Callable[[Rows], Rows], most: int = MOST) -> None:
        self._run, self._most = run, most
        self._lock = threading.Lock()
        self._calls: deque[_Call] = deque()
        self._leader: _Call | None = None

    def __call__(self, rows: Rows) -> Rows:
        """(N, ...) to (N, D), N from 1. Raises what the run raised; of a run that another call led
        always an EngineError, whose cause that is."""
        if len(rows) > self._most:
            parts = range(0, len(rows), self._most)
            return np.concatenate([self(rows[start : start + self._most]) for start in parts])
        call = _Call(rows)
        try:
            with self._lock:
                self._calls.append(call)
                self._leader = self._leader or call
            if self._leader is not call:
                call.woken.wait()
            if call.outputs is None and call.error is None:
                self._run_next()
        finally:  # whatever interrupts it: nobody would lead in its place
            self._leave(call)
        if call.error is not None:
            raise call.error
        assert call.outputs is not None
        return call.outputs

    def _leave(self, call: "_Call") -> None:
        """The call waits no longer; if it led, the one that has waited longest leads the next."""
        with self._lock:
            if call in self._calls:
                self._calls.remove(call)
            if self._leader is call:
                self._leader = self._calls[0] if self._calls else None
                if self._leader is not None:
                    self._leader.woken.set()  # without outputs: that is how it knows

    @property
    def waiting(self) -> int:
        """Calls that no run has taken yet."""
        return len(self._calls)

    def _run_next(self) -> None:
        """Run what has waited longest, which is the caller's, and with it what fits beside it."""
        group: list[_Call] = []
        try:
            with self._lock:
                size = 0
                while self._calls and size + len(self._calls[0].rows) <= self._most:
                    group.append(self._calls[0])
                    size += len(self._calls.popleft().rows)
            outputs = self._run(self._padded(np.concatenate([call.rows for call in group])))
            ends = np.cumsum([len(call.rows) for call in group])
            for call, end in zip(group, ends, strict=True):
                call.outputs = outputs[end - len(call.rows) : end]
        except BaseException as error:
            # What a signal raises is meant for this thread alone, and each raises an error of its
            # own, as a traceback is written into it.
            for call in group[1:]:
                call.error = _shared(error)
            raise
        finally:
            for call in group[1:]:
                call.woken.set()

    def _padded(self, rows: Rows) -> Rows:
        if len(rows) == 1:
            return rows
        return np.pad(rows, [(0, self._most - len(rows)), *[(0, 0)] * (rows.ndim - 1)])


def _shared(error: BaseException) -> EngineError:
    """What a call is told of the error of a run that another call led."""
    told = EngineError("another thread's call was interrupted: ask again")
    if isinstance(error, EngineError):
        told = EngineError(*error.args)
    elif isinstance(error, Exception):
        told = EngineError(f"a run that this call shared with others failed: {error!r}")
    told.__cause__ = error
    return told


class _Call:
    """Rows that wait, and in the end what became of them."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.woken = threading.Event()
        self.outputs: Rows | None = None
        self.error: EngineError | None = None
