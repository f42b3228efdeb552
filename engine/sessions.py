"""Which of a network's sessions runs an input."""

import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol, TypeVar

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as status

SESSION_ERRORS: tuple[type[Exception], ...] = tuple(
    kind for kind in vars(status).values() if isinstance(kind, type) and issubclass(kind, Exception)
)
"""onnxruntime raises one class per status code, without a common base but Exception."""

FAILURES: tuple[type[Exception], ...] = (*SESSION_ERRORS, RuntimeError)
"""Of building a session or of running it; RuntimeError where a provider does not begin."""

_log = logging.getLogger(__name__)

Shape = tuple[int, ...]
Outcome = TypeVar("Outcome")


class Choice(Protocol):
    """Has an input run, of which the first has this shape, on one of several sessions that are
    alike. Called from many threads. Raises what building a session and running raise."""

    def __call__(
        self, shape: Shape, run: Callable[[onnxruntime.InferenceSession], Outcome]
    ) -> Outcome: ...


MOST = 32
"""Sizes that are kept planned at a time: on a GPU the descreening network has 25, and some more for
thumbnails."""


def by_width(
    narrow: onnxruntime.InferenceSession, wide: onnxruntime.InferenceSession, wide_from: int
) -> Choice:
    """wide: for inputs of at least `wide_from` values."""

    def choose(shape: Shape, run: Callable[[onnxruntime.InferenceSession], Outcome]) -> Outcome:
        return run(wide if math.prod(shape) >= wide_from else narrow)

    return choose


class PerSize:
    """A session for each size of the input, of the MOST that came last.

    On a GPU, cuDNN plans every convolution anew when the size differs from that of the run before:
    on an H200, of the descreening network for 0.2 s, where a run takes 7 ms.
    build: makes one more session. Where it cannot, or a session cannot run, as for want of the
    GPU's memory, of which most is taken by the first run: the size's session goes, and that of the
    size that waited longest, and the one that came last does the work, slowly. The next input of
    the size finds more room, and gets a session of its own if it can.
    """

    def __init__(
        self,
        first: onnxruntime.InferenceSession,
        build: Callable[[], onnxruntime.InferenceSession],
        most: int = MOST,
    ) -> None:
        self._spare: onnxruntime.InferenceSession | None = first
        self._build, self._most = build, most
        self._kept: OrderedDict[Shape, onnxruntime.InferenceSession] = OrderedDict()
        self._lock = threading.Lock()  # not held in a run

    def __call__(
        self, shape: Shape, run: Callable[[onnxruntime.InferenceSession], Outcome]
    ) -> Outcome:
        session = self._own(shape)
        try:
            return run(session)
        except FAILURES as error:
            with self._lock:
                if self._kept.get(shape) is session:  # or another thread came first
                    del self._kept[shape]
                another = self._last(error, session)
        del session  # with its memory, as the error is gone that remembers it
        return run(another)

    def _own(self, shape: Shape) -> onnxruntime.InferenceSession:
        with self._lock:
            try:
                session = self._kept.pop(shape, None) or self._spare or self._build()
            except FAILURES as error:
                return self._last(error)
            self._spare = None
            self._kept[shape] = session  # last
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return session

    def _last(
        self, error: Exception, failed: onnxruntime.InferenceSession | None = None
    ) -> onnxruntime.InferenceSession:
        """The session that came last, while the first makes room. With the lock held. Raises the
        error where there is none but the one that failed."""
        if not self._kept or (last := next(reversed(self._kept.values()))) is failed:
            raise error
        _log.warning("one size more has no session of its own: %s", str(error))
        if len(self._kept) > 1:
            self._kept.popitem(last=False)
        return last
