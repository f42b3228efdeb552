"""A session for each size of the input, with real sessions on the CPU."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest

from engine import Engine
from engine.network import Network
from engine.packs import read_pack
from engine.sessions import PerSize, by_width


@pytest.fixture(scope="module")
def model() -> bytes:
    return read_pack().entry("detector").read()


def load(model: bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def test_each_size_keeps_its_session_until_others_came_later(model: bytes) -> None:
    first = load(model)
    choose = PerSize(first, lambda: load(model), most=2)
    small, large, larger = ((1, 3, side, side) for side in (32, 64, 96))
    assert choose(small) is first and choose(small) is first
    second = choose(large)
    assert second is not first and choose(large) is second
    assert choose(small) is first  # used last, so the other one goes
    third = choose(larger)
    assert third not in (first, second)
    assert choose(small) is first
    assert choose(large) is not second


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
    assert choose((1, 3, 32, 32)) is first
    assert choose((1, 3, 64, 64)) is first
    assert "no session of its own: out of memory" in caplog.text


def test_large_inputs_get_the_wide_session(model: bytes) -> None:
    narrow, wide = load(model), load(model)
    choose = by_width(narrow, wide, 3 * 64 * 64)
    assert [choose((1, 3, side, side)) for side in (32, 64, 96)] == [narrow, wide, wide]


def test_info_tells_what_each_network_runs_on(engine: Engine) -> None:
    networks = engine.info()["networks"].values()
    assert [each["providers"] for each in networks] == [["CPUExecutionProvider"]] * len(networks)
