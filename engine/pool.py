"""Independent work side by side, while there are cores to spare."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Pool:
    """Threads that work for one call beside its caller.

    threads: how many may work for all calls together, from 1, the first caller's among them.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._counting = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        helpers = self._threads - 1
        self._helpers = ThreadPoolExecutor(helpers, "engine-helper") if helpers else None
        self._calls = 0
        self._process = os.getpid()

    def map(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """What the work makes of every item, in order.

        Items run side by side only while fewer calls than threads are under way: more calls fill
        the cores by themselves. What no helper has begun when the caller is free, the caller does
        itself, so nested calls cannot deadlock, and after close() it does everything.
        Raises what the first item to fail raised.
        """
        if self._helpers is None:
            return [work(item) for item in items]
        with self._counting:
            if self._process != os.getpid():  # forked off, and the helpers are in the other one
                self._begin()
            self._calls += 1
            alone = self._calls < self._threads
        futures: list[Future[Result] | None] = [None] * len(items)
        try:
            if alone:
                with suppress(RuntimeError):  # once closed, or while Python ends, nobody helps
                    for index in range(1, len(items)):
                        futures[index] = self._helpers.submit(work, items[index])
            return [
                work(item) if future is None or future.cancel() else future.result()
                for item, future in zip(items, futures, strict=True)
            ]
        finally:
            for future in filter(None, futures):
                future.cancel()
            with self._counting:
                self._calls -= 1

    def close(self) -> None:
        """End the helpers once they have done what they were given. Closing twice is no error."""
        if self._helpers is not None:
            self._helpers.shutdown(wait=False)
