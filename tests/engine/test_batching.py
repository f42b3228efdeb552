"""Batches that several callers share: the same rows, and nobody left waiting."""

import re
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from linecache import getline
from types import FrameType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.batching import Batcher
from engine.errors import EngineError


def test_batches_are_of_one_or_of_all_rows() -> None:
    sizes = []

    def run(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        sizes.append(len(rows))
        return rows * 2

    batcher = Batcher(run, most=4)
    rows = np.arange(11, dtype=np.float32)[:, None]
    assert np.array_equal(batcher(rows), rows * 2)  # 4, 4 and 3
    assert np.array_equal(batcher(rows[:1]), rows[:1] * 2)
    assert np.array_equal(batcher(rows[:2]), rows[:2] * 2)
    assert sizes == [4, 4, 4, 1, 4]


def test_what_does_not_fit_waits_for_the_next_run() -> None:
    first, go_on, sizes = threading.Event(), threading.Event(), []

    def run(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        first.set()
        go_on.wait(10)
        sizes.append(np.count_nonzero(rows))
        return rows

    batcher = Batcher(run, most=4)
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(batcher, np.ones((1, 1), np.float32))]
        assert first.wait(10)
        for number, count in enumerate((2, 3), start=1):
            calls.append(pool.submit(batcher, np.ones((count, 1), np.float32)))
            while batcher.waiting < number:
                time.sleep(0.001)
        go_on.set()
        assert [len(call.result(10)) for call in calls] == [1, 2, 3]
    assert sizes == [1, 2, 3]


def test_an_error_reaches_every_call_of_its_batch_and_no_later_one() -> None:
    first, go_on = threading.Event(), threading.Event()
    errors: list[EngineError] = []

    def run(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        first.set()
        go_on.wait(10)
        if rows.min() < 0:
            raise EngineError("negative")
        return rows

    def call(value: float) -> str:
        try:
            return str(batcher(np.full((1, 1), value, np.float32))[0, 0])
        except EngineError as error:
            errors.append(error)
            return str(error)

    batcher = Batcher(run, most=4)
    with ThreadPoolExecutor(4) as pool:
        alone = pool.submit(call, 1.0)
        assert first.wait(10)
        others = [pool.submit(call, value) for value in (2.0, -3.0, 4.0)]
        while batcher.waiting < 3:
            time.sleep(0.001)
        go_on.set()
        assert [future.result(10) for future in (alone, *others)] == ["1.0"] + ["negative"] * 3
    assert len(set(errors)) == 3  # one for each thread: a traceback is written into it
    assert call(5.0) == "5.0"


def test_an_interrupted_call_does_not_stop_the_others() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def run(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        begun.set()
        go_on.wait(10)
        return rows

    def interrupt(*_: object) -> None:
        raise EngineError("interrupted")

    batcher, row = Batcher(run), np.ones((1, 1), np.float32)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(batcher, row)
            begun.wait(10)
            with pytest.raises(EngineError, match="interrupted"):
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                batcher(row)
            assert batcher.waiting == 0
            go_on.set()
            assert first.result(10) == 1 and pool.submit(batcher, row).result(10) == 1
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyboardInterrupt(), "another thread's call was interrupted: ask again"),
        (
            MemoryError("Unable to allocate 2 GiB"),
            "a run that this call shared with others failed: "
            "MemoryError('Unable to allocate 2 GiB')",
        ),
    ],
)
def test_a_run_that_ends_is_an_error_to_the_calls_that_shared_it(
    error: BaseException, message: str
) -> None:
    """Only the thread that ran it is told so as Python does; the others are told why."""
    first, go_on = threading.Event(), threading.Event()

    def run(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        first.set()
        go_on.wait(10)
        if len(rows) > 1:
            raise error
        return rows

    def call() -> BaseException | None:
        try:
            batcher(row)
        except BaseException as raised:
            return raised
        return None

    batcher, row = Batcher(run), np.ones((1, 1), np.float32)
    with ThreadPoolExecutor(3) as pool:
        alone = pool.submit(call)
        assert first.wait(10)
        shared = [pool.submit(call) for _ in range(2)]
        while batcher.waiting < 2:
            time.sleep(0.001)
        go_on.set()
        assert alone.result(10) is None
        told = [one.result(10) for one in shared]
    assert error in told
    (other,) = (each for each in told if each is not error)
    assert repr(other) == repr(EngineError(message))
    assert other is not None and other.__cause__ is error


PROTECTED = re.compile("with self._lock|self._leave")


def test_wherever_a_call_is_interrupted_the_next_one_is_answered() -> None:
    batcher, row = Batcher(lambda rows: rows), np.ones((1, 1), np.float32)
    left = 0

    def interrupt(frame: FrameType, event: str, _: object) -> Any:
        """At the line whose turn it is, of those that lead to a run and from it; but for where
        Python gives a lock back or tidies up, for which there is no help."""
        nonlocal left
        if frame.f_code not in (Batcher.__call__.__code__, Batcher._run_next.__code__):
            return None
        if event == "line" and not PROTECTED.search(
            getline(frame.f_code.co_filename, frame.f_lineno)
        ):
            left -= 1
            if not left:
                raise KeyboardInterrupt
        return interrupt

    interrupted = 0
    for line in range(1, 40):
        left = line
        sys.settrace(interrupt)
        try:
            batcher(row)
        except KeyboardInterrupt:
            interrupted += 1
        finally:
            sys.settrace(None)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(batcher, row).result(10) == 1
    assert 15 < interrupted < 39
