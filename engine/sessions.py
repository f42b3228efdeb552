"""Which of a network's sessions runs an input."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable

import onnxruntime

Shape = tuple[int, ...]
Choice = Callable[[Shape], onnxruntime.InferenceSession]
"""The session for a first input of this shape; called from many threads."""

MOST = 16
"""Sizes that are kept planned at a time."""


def by_width(
    narrow: onnxruntime.InferenceSession, wide: onnxruntime.InferenceSession, wide_from: int
) -> Choice:
    """wide: for inputs of at least `wide_from` values."""
    return lambda shape: wide if math.prod(shape) >= wide_from else narrow


class PerSize:
    """A session for each size of the input, of the MOST that came last.

    On a GPU, cuDNN plans every convolution anew when the size differs from that of the run before:
    on an H200, of the descreening network for 0.2 s, where a run takes 7 ms.
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
            session = self._kept.get(shape) or self._spare or self._build()
            if session is self._spare:
                self._spare = None
            self._kept[shape] = session
            self._kept.move_to_end(shape)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return session
