"""Many threads on one engine get the numbers that one thread gets."""

import gc
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from linecache import getline
from os import PathLike
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import Engine
from engine.batching import MOST, Batcher
from engine.errors import EngineError
from engine.images import Pixels, encode
from engine.network import Network


def answers(engine: Engine, pictures: list[Pixels | bytes]) -> list[float]:
    numbers: list[float] = []
    for picture in pictures:
        numbers += [value for face in engine.detect(picture) for value in face.box]
        numbers += engine.embed(picture).tolist()
        numbers += [engine.liveness(picture).score, engine.descreen(picture).mesh_score]
    numbers.append(engine.compare(pictures[0], pictures[1], id_photo=(False, True)).similarity)
    return numbers


def test_concurrent_equals_serial(
    engine: Engine, astronaut: Pixels, group: Pixels, hanks: Pixels
) -> None:
    pictures: list[Pixels | bytes] = [astronaut, encode(hanks, "png"), group[:, :640]]
    expected = answers(engine, pictures)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: answers(engine, pictures), range(24)):
            assert np.array_equal(found, expected)


def test_batched_equals_alone(astronaut: Pixels, hanks: Pixels, group: Pixels) -> None:
    pictures = [astronaut, hanks, group[:, :640]] * 8
    with (
        Engine(providers=["cpu"], threads=1, batching=True) as shared,
        Engine(providers=["cpu"]) as alone,
    ):
        expected = [alone.embed(picture) for picture in pictures[:3]] * 8
        with ThreadPoolExecutor(12) as pool:
            found = list(pool.map(shared.embed, pictures))
        runs = shared.info()["networks"]["embedding"]["runs"]
    assert 24 // MOST <= runs < 24  # the first ran alone, others together
    assert np.abs(np.array(found) - expected).max() < 1e-5


def test_a_closed_engine_keeps_no_network(astronaut: Pixels) -> None:
    """At once, and not when Python next looks for circles: they hold a GPU's memory."""

    def alive() -> int:
        return sum(isinstance(thing, Network) for thing in gc.get_objects())

    gc.collect()
    before = alive()
    gc.disable()
    try:
        with Engine(providers=["cpu"], batching=True) as engine:
            engine.embed(astronaut)
            assert alive() == before + 5
        assert alive() == before
    finally:
        gc.enable()


def test_a_closed_engine_keeps_no_thread(astronaut: Pixels) -> None:
    before = set(threading.enumerate())
    with Engine(providers=["cpu"], threads=4) as engine:
        engine.embed(astronaut)
        helpers = set(threading.enumerate()) - before
    assert helpers
    for helper in helpers:
        helper.join(10)
        assert not helper.is_alive()


class ClosingPath:
    """A path in whose reading an engine is closed."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self._path, self._engine = path, engine

    def __fspath__(self) -> str:
        self._engine.close()
        return str(self._path)


@pytest.mark.parametrize(
    "call",
    [
        lambda engine, path: engine.detect(path),
        lambda engine, path: engine.compare(path, path, id_photo=(False, True)).is_match,
        lambda engine, path: engine.liveness(path),
        lambda engine, path: engine.descreen(path),
        lambda engine, path: len(engine.embed(path)),
    ],
)
def test_a_call_under_way_outlives_close(
    call: Callable[[Engine, PathLike[str]], Any], tmp_path: Path, astronaut: Pixels
) -> None:
    path = tmp_path / "astronaut.png"
    path.write_bytes(encode(astronaut, "png"))
    engine = Engine(providers=["cpu"])
    assert call(engine, ClosingPath(path, engine))
    with pytest.raises(EngineError, match="this engine is closed"):
        call(engine, path)


def test_batches_are_of_one_or_of_all_rows() -> None:
    sizes = []

    def run(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        sizes.append(len(rows))
        return rows * 2

    batcher = Batcher(run, most=4)
    rows = np.arange(11, dtype=np.float32)[:, None]
    assert np.array_equal(batcher(rows), rows * 2)  # 4, 4 and 3
    assert np.array_equal(batcher(rows[:1]), rows[:1] * 2)
    assert sizes == [4, 4, 4, 1]


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
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(EngineError, match="interrupted"):
                batcher(row)
            assert batcher.waiting == 0
            go_on.set()
            assert first.result(10) == 1 and pool.submit(batcher, row).result(10) == 1
    finally:
        signal.signal(signal.SIGALRM, before)


def test_an_interrupted_run_is_an_error_to_the_calls_that_shared_it() -> None:
    """Only the thread that was interrupted is told so as Python does."""
    first, go_on = threading.Event(), threading.Event()

    def run(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        first.set()
        go_on.wait(10)
        if len(rows) > 1:
            raise KeyboardInterrupt
        return rows

    def call() -> str:
        try:
            return str(batcher(row)[0, 0])
        except BaseException as error:
            return repr(error)

    batcher, row = Batcher(run), np.ones((1, 1), np.float32)
    with ThreadPoolExecutor(3) as pool:
        alone = pool.submit(call)
        assert first.wait(10)
        shared = [pool.submit(call) for _ in range(2)]
        while batcher.waiting < 2:
            time.sleep(0.001)
        go_on.set()
        told = EngineError("another thread's call was interrupted: ask again")
        assert alone.result(10) == "1.0"
        assert sorted(one.result(10) for one in shared) == [repr(told), "KeyboardInterrupt()"]


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


def test_an_engine_outlives_the_main_thread() -> None:
    """Python ends its pools before the threads that it waits for."""
    program = """
import threading, time
import skimage.data
from engine import Engine
engine, picture = Engine(providers=["cpu"], threads=2), skimage.data.astronaut()
def work():
    time.sleep(0.5)
    print(engine.compare(picture, picture).is_match)
threading.Thread(target=work).start()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout == "True\n" and not ended.stderr
