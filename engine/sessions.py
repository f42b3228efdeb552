"""Which of a network's sessions runs an input."""

import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Callable

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as status

SESSION_ERRORS: tuple[type[Exception], ...] = tuple(
    kind for kind in vars(status).values() if isinstance(kind, type) and issubclass(kind, Exception)
)
"""onnxruntime raises one class per status code, without a common base but Exception."""

_FAILURES: tuple[type[Exception], ...] = (*SESSION_ERRORS, RuntimeError)

_log = logging.getLogger(__name__)

Shape = tuple[int, ...]
Choice = Callable[[Shape], onnxruntime.InferenceSession]
"""The session for a first input of this shape; called from many threads."""

MOST = 32
"""Sizes that are kept planned at a time: on a GPU the descreening network has 25, and some more for
thumbnails."""


def by_width(
    narrow: onnxruntime.InferenceSession, wide: onnxruntime.InferenceSession, wide_from: int
) -> Choice:
    """wide: for inputs of at least `wide_from` values."""
    return lambda shape: wide if math.prod(shape) >= wide_from else narrow


class PerSize:
    """A session for each size of the input, of the MOST that came last.

    On a GPU, cuDNN plans every convolution anew when the size differs from that of the run before:
    on an H200, of the descreening network for 0.2 s, where a run takes 7 ms.
    build: makes one more session, and raises one of SESSION_ERRORS or RuntimeError when it cannot,
    as for want of the GPU's memory: then another size's does the work, slowly.
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
        self._lock = threading.Lock()

    def __call__(self, shape: Shape) -> onnxruntime.InferenceSession:
        with self._lock:
            session = self._kept.pop(shape, None) or self._spare or self._another()
            self._spare = None
            self._kept[shape] = session  # last
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return session

    def _another(self) -> onnxruntime.InferenceSession:
        try:
            return self._build()
        except _FAILURES as error:
            _log.warning("one size more has no session of its own: %s", error)
            return next(reversed(self._kept.values()))
