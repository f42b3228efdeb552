"""Independent work side by side, while there are cores to spare."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Pool:
    """So many threads, the caller's among them."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        helpers = threads - 1
        self._helpers = ThreadPoolExecutor(helpers, "engine-helper") if helpers else None
        self._calls = 0
        self._counting = threading.Lock()

    def map(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """What the work makes of every item, in order.

        Side by side only while fewer calls than threads are under way, as otherwise these fill the
        cores; and what no helper has begun on by the time the caller is free is done by the caller,
        so that nobody waits for a thread, also where the work calls `map` itself.
        Raises what the first item to fail raised.
        """
        if self._helpers is None:
            return [work(item) for item in items]
        with self._counting:
            self._calls += 1
            alone = self._calls < self._threads
        begun: list[tuple[Item, Future[Result]]] = []
        try:
            if alone:
                with suppress(RuntimeError):  # while Python ends, there are no helpers any more
                    begun += [(item, self._helpers.submit(work, item)) for item in items[1:]]
            results = [work(item) for item in items[: len(items) - len(begun)]]
            for item, future in begun:
                results.append(work(item) if future.cancel() else future.result())
            return results
        finally:
            for _, future in begun:
                future.cancel()
            with self._counting:
                self._calls -= 1
