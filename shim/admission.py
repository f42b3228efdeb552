"""How many requests run, how many may wait, and for how long."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shim import contract
from shim.contract import Refusal


class Admission:
    """`slots` requests at a time use the engine; `queue` more wait, at most `timeout_s` seconds.

    A request takes a place first and a slot later. It is turned away when there is no place, or
    when no slot came free in time: never once it has a slot.
    """

    def __init__(self, slots: int, queue: int, timeout_s: float) -> None:
        self.slots = slots
        self.places = slots + queue
        self._timeout = timeout_s
        self._free = threading.Semaphore(slots)
        self._lock = threading.Lock()
        self._inside = 0
        self._running = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place in the waiting room. Raises Refusal "503" when it is full."""
        with self._lock:
            if self._inside >= self.places:
                raise Refusal(contract.BUSY)
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold an engine slot, inside a place. Raises Refusal "503" after the time-out."""
        if not self._free.acquire(timeout=self._timeout):
            raise Refusal(contract.BUSY)
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
            self._free.release()

    @property
    def running(self) -> int:
        """Requests that hold a slot now."""
        return self._running

    @property
    def waiting(self) -> int:
        """Requests that hold a place and no slot yet."""
        return self._inside - self._running
