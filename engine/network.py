"""A network that is loaded: what runs, how often it ran and how long that took."""

import threading
import time

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engine.errors import EngineError, one_line
from engine.forks import Home, Keeper
from engine.sessions import FAILURES, Choice

Outputs = list[NDArray[np.float32]]


class Network:
    """One ONNX network, shared by all threads.

    A session takes concurrent calls and releases the GIL while it runs; only the count of runs
    and the seconds spent in them are behind a lock.
    choose: which session runs an input, where the network has several that are alike.
    forks: whether it still runs in a process that is forked off later.

    `takes_many` tells whether the first input may have other than one row; `providers` are the
    execution providers that it runs on.
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        choose: Choice | None = None,
        forks: bool = True,
    ) -> None:
        self._choose: Choice = choose or (lambda _, run: run(session))
        self._keeper = Keeper(self._choose)
        self.providers: list[str] = session.get_providers()
        self.inputs = [node.name for node in session.get_inputs()]
        self.takes_many = session.get_inputs()[0].shape[:1] != [1]
        self.outputs = [node.name for node in session.get_outputs()]
        self.runs, self.seconds = 0, 0.0
        self._home = Home(forks)
        self._counting = threading.Lock()

    def run(self, *arrays: NDArray[np.generic]) -> Outputs:
        """Feed the inputs in the graph's order; get all outputs in the graph's order.

        Raises EngineError when the network cannot run: on such inputs, for want of memory, or in a
        process forked off after it was loaded, where its provider would never answer.
        """
        self._home.check()
        feed = dict(zip(self.inputs, arrays, strict=True))

        def run(session: onnxruntime.InferenceSession) -> Outputs:
            started = time.perf_counter()
            outputs: Outputs = session.run(self.outputs, feed)
            taken = time.perf_counter() - started
            with self._counting:
                self.runs += 1
                self.seconds += taken
            return outputs

        try:
            return self._choose(arrays[0].shape, run)
        except FAILURES as error:
            raise EngineError(f"a network does not run: {one_line(error)}") from error
