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
        self._running = False

    def __call__(self, rows: Rows) -> Rows:
        """(N, ...) to (N, D), N from 1. Raises what the run raised, and EngineError when another
        call's interrupt ended the run."""
        if len(rows) > self._most:
            parts = range(0, len(rows), self._most)
            return np.concatenate([self(rows[start : start + self._most]) for start in parts])
        call = _Call(rows)
        with self._lock:
            self._calls.append(call)
            leads = not self._running
            self._running = True
        if not leads:
            self._wait(call)
        if call.outputs is None and call.error is None:
            self._run_next()
        if call.error is not None:
            raise call.error
        assert call.outputs is not None
        return call.outputs

    def _wait(self, call: "_Call") -> None:
        """Until the call is done, or is to lead the next run."""
        try:
            call.woken.wait()
        except BaseException:  # an interrupt: nobody would lead in its place
            with self._lock:
                leads = call.woken.is_set() and call in self._calls
                if call in self._calls:
                    self._calls.remove(call)
                following = self._calls[0] if leads and self._calls else None
                self._running = self._running and (not leads or following is not None)
            if following is not None:
                following.woken.set()
            raise

    @property
    def waiting(self) -> int:
        """Calls that no run has taken yet."""
        return len(self._calls)

    def _run_next(self) -> None:
        """Run what has waited longest, which is the caller's, and with it what fits beside it."""
        with self._lock:
            group = [self._calls.popleft()]
            size = len(group[0].rows)
            while self._calls and size + len(self._calls[0].rows) <= self._most:
                group.append(self._calls.popleft())
                size += len(group[-1].rows)
        try:
            outputs = self._padded(np.concatenate([call.rows for call in group]))
        except BaseException as error:  # an interrupt too must not leave the others waiting
            interrupted = EngineError("another thread's call was interrupted: ask again")
            for call in group:
                call.error = error if isinstance(error, Exception) else interrupted
            group[0].error = error
        else:
            ends = np.cumsum([len(call.rows) for call in group])
            for call, end in zip(group, ends, strict=True):
                call.outputs = outputs[end - len(call.rows) : end]
        with self._lock:
            following = self._calls[0] if self._calls else None
            self._running = following is not None
        for call in group:
            call.woken.set()
        if following is not None:
            following.woken.set()  # without outputs: it leads the next run

    def _padded(self, rows: Rows) -> Rows:
        count = len(rows)
        if count > 1:
            spare = [(0, self._most - count), *[(0, 0)] * (rows.ndim - 1)]
            rows = np.pad(rows, spare)
        return self._run(rows)[:count]


class _Call:
    """Rows that wait, and in the end what became of them."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.woken = threading.Event()
        self.outputs: Rows | None = None
        self.error: BaseException | None = None
