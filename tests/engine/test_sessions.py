"""A session for each size of the input, with real sessions on the CPU."""

import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest

from engine import Engine, EngineError
from engine.network import Network
from engine.packs import read_pack
from engine.sessions import Choice, PerSize, by_width


@pytest.fixture(scope="module")
def model() -> bytes:
    return read_pack().entry("detector").read()


def load(model: bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def chosen(choose: Choice, *shape: int) -> onnxruntime.InferenceSession:
    return choose(shape, lambda session: session)


def test_each_size_keeps_its_session_until_others_came_later(model: bytes) -> None:
    first = load(model)
    choose = PerSize(first, lambda: load(model), most=2)
    assert chosen(choose, 32) is first and chosen(choose, 32) is first
    second = chosen(choose, 64)
    assert second is not first and chosen(choose, 64) is second
    assert chosen(choose, 32) is first  # used last, so the other one goes
    third = chosen(choose, 96)
    assert third not in (first, second)
    assert chosen(choose, 32) is first
    assert chosen(choose, 64) is not second


def test_sizes_in_turn_get_the_answers_of_one_session(model: bytes) -> None:
    alone = load(model)
    network = Network(alone, PerSize(load(model), lambda: load(model), most=2))
    rng = np.random.default_rng(0)
    inputs = [
        rng.uniform(0, 255, (1, 3, side, side)).astype(np.float32) for side in (32, 64, 96) * 8
    ]
    with ThreadPoolExecutor(8) as threads:
        for given, answers in zip(inputs, threads.map(network.run, inputs), strict=True):
            expected = alone.run(None, {network.inputs[0]: given})
            assert all(np.array_equal(a, b) for a, b in zip(answers, expected, strict=True))
    assert network.runs == len(inputs)


def test_a_size_that_gets_no_session_is_run_by_anothers(
    model: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> onnxruntime.InferenceSession:
        raise RuntimeError("out of memory")

    first = load(model)
    choose = PerSize(first, fails)
    assert chosen(choose, 32) is first
    assert chosen(choose, 64) is first
    assert "no session of its own: out of memory" in caplog.text


class Memory:
    """For so many sessions: another one's first run fails, as on a GPU that is full."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.planned: list[weakref.ref[onnxruntime.InferenceSession]] = []

    def run(self, session: onnxruntime.InferenceSession) -> onnxruntime.InferenceSession:
        alive = [kept() for kept in self.planned if kept() is not None]
        if session not in alive:
            if len(alive) >= self.room:
                raise RuntimeError("Failed to allocate memory")
            self.planned.append(weakref.ref(session))
        return session


def test_a_size_whose_first_run_finds_no_memory(
    model: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Another's session runs it, the one that waited longest goes, and next time there is room."""
    memory = Memory(2)
    choose = PerSize(load(model), lambda: load(model))
    choose((32,), memory.run)
    second = choose((64,), memory.run)
    assert choose((96,), memory.run) is second
    assert "no session of its own: Failed to allocate memory" in caplog.text
    third = choose((96,), memory.run)
    assert third is not second and choose((96,), memory.run) is third
    assert choose((64,), memory.run) is second


def test_a_run_that_no_session_can_do(model: bytes) -> None:
    memory = Memory(0)
    choose = PerSize(load(model), lambda: load(model))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="Failed to allocate memory"):
            choose((32,), memory.run)
    memory.room = 1
    assert choose((32,), memory.run) is choose((32,), memory.run)


def test_a_network_that_gets_no_session_is_an_engine_error(model: bytes) -> None:
    def fails() -> onnxruntime.InferenceSession:
        raise RuntimeError("out of memory")

    network = Network(load(model), PerSize(load(model), fails))
    odd = np.zeros((1, 4, 32, 32), np.float32)
    with pytest.raises(EngineError, match=r"a network does not run: .*invalid dimensions"):
        network.run(odd)
    with pytest.raises(EngineError, match="a network does not run: out of memory"):
        network.run(odd)


def test_large_inputs_get_the_wide_session(model: bytes) -> None:
    narrow, wide = load(model), load(model)
    choose = by_width(narrow, wide, 3 * 64 * 64)
    assert [chosen(choose, 3, side, side) for side in (32, 64, 96)] == [narrow, wide, wide]


def test_info_tells_what_each_network_runs_on(engine: Engine) -> None:
    networks = engine.info()["networks"].values()
    assert [each["providers"] for each in networks] == [["CPUExecutionProvider"]] * len(networks)
