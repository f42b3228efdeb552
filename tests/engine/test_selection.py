"""Selection: what networks are loaded on, and what is done where that does not do."""

from collections.abc import Sequence
from typing import Any

import onnxruntime
import pytest
from onnxruntime.capi import onnxruntime_pybind11_state as status

from engine import ProviderError, WeightsError
from engine.packs import DEFAULT_PACK
from engine.providers import CPU, CUDA, OPENVINO, TENSORRT
from engine.runtime import Runtime
from engine.selection import Selection


@pytest.mark.parametrize(
    ("asked", "one", "light", "few"),
    [
        ([CPU], [CPU], [CPU], [CPU]),
        ([CUDA, CPU], [CUDA, CPU], [CUDA, CPU], [CUDA, CPU]),
        ([TENSORRT, CUDA, CPU], [TENSORRT, CUDA, CPU], [TENSORRT, CUDA, CPU], [CUDA, CPU]),
        ([OPENVINO, CPU], [OPENVINO, CPU], [CPU], [CPU]),
    ],
)
def test_who_compiles_or_plans_for_every_size_gets_few(
    asked: list[str], one: list[str], light: list[str], few: list[str]
) -> None:
    selection = Selection(["cpu"])
    selection.wanted = asked
    assert selection.for_sizes("one") == one
    assert selection.for_sizes("one", light=True) == light
    assert selection.for_sizes("few") == few
    assert selection.for_sizes("any") == [CPU]


def test_what_runs_there_already_is_told_after_a_fall_to_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where the GPU's memory holds the first networks and not the last."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    selection = Selection(None)
    selection.require([CPU], selection.for_sizes("any"))
    selection.require([CUDA, CPU], selection.for_sizes("one"))
    selection.without(RuntimeError("out of memory"), selection.for_sizes("one"))
    selection.require([CPU], selection.for_sizes("one"))
    assert selection.active == [CUDA, CPU]


def test_a_network_that_is_not_for_the_named_provider_runs_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A detector, which has as many sizes as there are pictures."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    selection = Selection(["cuda"])
    selection.require([CPU], selection.for_sizes("any"))
    assert selection.active == [CPU]
    with pytest.raises(ProviderError, match="was asked for and did not activate"):
        selection.require([CPU], selection.for_sizes("one"))


def test_a_provider_that_cannot_load_a_network_is_not_the_network_s_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Some begin, and then cannot translate it or have no memory for it: onnxruntime's status says
    the same as of a broken file. Here no such provider is installed, so its part is played."""
    network, load = (DEFAULT_PACK / "liveness_minifasnet.onnx").read_bytes(), Runtime._session

    def session(
        runtime: Runtime, model: bytes, name: str, asked: Sequence[str], *more: Any, **named: Any
    ) -> onnxruntime.InferenceSession:
        if CUDA in asked:
            raise status.Fail("Exception during initialization: Failed to allocate memory")
        return load(runtime, model, name, asked, *more, **named)

    monkeypatch.setattr(Runtime, "_session", session)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [TENSORRT, CUDA, CPU])
    assert Runtime(None).load(network, "x.onnx").providers == [CPU]
    assert f"{CUDA} does not activate" in caplog.text and "allocate memory" in caplog.text
    with pytest.raises(ProviderError, match=f"{CUDA} was asked for and did not .*allocate memory"):
        Runtime("cuda").load(network, "x.onnx")
    with pytest.raises(ProviderError, match=f"{CUDA} was asked for and did not activate"):
        Runtime("tensorrt").load(network, "x.onnx", sizes="few")
    for names in (None, "cuda"):
        with pytest.raises(WeightsError, match=r"x\.onnx does not load as an ONNX network"):
            Runtime(names).load(network[:-1], "x.onnx")
