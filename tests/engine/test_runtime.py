"""Providers and threads: what is asked for is what runs, or an error."""

import numpy as np
import onnxruntime
import pytest

from engine import Engine, ProviderError
from engine.images import Pixels
from engine.packs import read_pack
from engine.runtime import Runtime, usable_cores

HAS_CUDA = "CUDAExecutionProvider" in onnxruntime.get_available_providers()


@pytest.mark.skipif(HAS_CUDA, reason="this onnxruntime has CUDA")
@pytest.mark.parametrize("name", ["cuda", "CUDAExecutionProvider", "tensorrt"])
def test_provider_that_is_not_installed(name: str) -> None:
    with pytest.raises(ProviderError, match=r"is not in the installed .*onnxruntime-gpu"):
        Engine(providers=[name])


def test_provider_that_does_not_exist() -> None:
    with pytest.raises(ProviderError, match="QuantumExecutionProvider is not in the installed"):
        Engine(providers=["QuantumExecutionProvider", "cpu"])


def test_asked_for_and_not_active_is_an_error() -> None:
    """What onnxruntime does when a provider's libraries are missing: it runs on the CPU."""
    runtime = Runtime(["cpu"])
    runtime.required = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    model = read_pack().entry("detector").read()
    with pytest.raises(ProviderError, match=r"did not activate \(active: CPUExecutionProvider\)"):
        runtime.load(model, "detector")


@pytest.mark.skipif(HAS_CUDA, reason="this onnxruntime has CUDA")
def test_without_a_choice_and_without_cuda_it_is_the_cpu(engine: Engine) -> None:
    with Engine() as chosen:
        assert chosen.info()["providers"] == ["CPUExecutionProvider"]
        assert chosen.info()["threads"] == usable_cores()


def test_threads_must_be_positive() -> None:
    with pytest.raises(ProviderError, match="threads must be at least 1, not 0"):
        Engine(threads=0)


def test_thread_count_does_not_change_the_answer(engine: Engine, astronaut: Pixels) -> None:
    with Engine(threads=1) as single:
        assert single.info()["threads"] == 1
        assert np.allclose(single.embed(astronaut), engine.embed(astronaut), atol=1e-5)
