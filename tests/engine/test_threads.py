"""Many threads on one engine get the numbers that one thread gets."""

import gc
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Engine
from engine.batching import MOST
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


def test_an_engine_outlives_the_main_thread() -> None:
    """Python ends its pools before the threads that it waits for."""
    program = """
import threading
import skimage.data
from engine import Engine
engine, picture = Engine(providers=["cpu"], threads=2), skimage.data.astronaut()
def work():
    threading.main_thread().join()
    print(engine.compare(picture, picture).is_match)
threading.Thread(target=work).start()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout == "True\n" and not ended.stderr
