"""How many requests are worked on, how many may wait, and for how long."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from shim import contract
from shim.contract import Refusal

Result = TypeVar("Result")


class Admission:
    """`slots` requests at a time are worked on; `queue` more wait, at most `timeout_s` seconds.

    Work is done in threads of its own, one per slot: memory that the allocator and the networks
    keep per thread is kept that many times, however many connections there are. Slots are given
    in order of asking.
    """

    def __init__(self, slots: int, queue: int, timeout_s: float) -> None:
        self.places = slots + queue
        self._slots = slots
        self._timeout = timeout_s
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="engine")
        self._lock = threading.Lock()
        self._inside = 0
        self._running = 0

    def run(self, work: Callable[[], Result], left: Callable[[], bool] = lambda: False) -> Result:
        """Do the work when its turn comes and return what it returns.

        left: whether the client is gone. It is asked once the turn of work that had to wait comes,
        as clients that time out and try again would otherwise keep an overload going.
        Raises Refusal "503" at once when too many wait, after the time-out when the work has not
        begun by then, and for a client that is gone; and what the work itself raises. Work that has
        begun is finished.
        """
        with self._lock:
            if self.is_full():
                raise Refusal(contract.BUSY)
            self._inside += 1
            has_slot = self._inside <= self._slots  # only its thread has yet to wake up
        try:
            future = self._pool.submit(self._counted, work if has_slot else _unless(left, work))
            wait([future], None if has_slot else self._timeout)
            if future.cancel():  # which it cannot be once it has begun
                raise Refusal(contract.BUSY)
            return future.result()
        finally:
            with self._lock:
                self._inside -= 1

    def is_full(self) -> bool:
        """Whether the next request would be turned away."""
        return self._inside >= self.places

    def _counted(self, work: Callable[[], Result]) -> Result:
        with self._lock:
            self._running += 1
        try:
            return work()
        finally:
            with self._lock:
                self._running -= 1

    @property
    def running(self) -> int:
        """Requests that are worked on now."""
        return self._running

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return self._inside - self._running


def _unless(left: Callable[[], bool], work: Callable[[], Result]) -> Callable[[], Result]:
    def work_or_not() -> Result:
        if left():
            raise Refusal(contract.BUSY)
        return work()

    return work_or_not
