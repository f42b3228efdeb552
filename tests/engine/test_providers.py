"""Execution providers: what is asked for is what runs, or an error."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from engine import Engine, ProviderError, providers
from engine.cores import usable_cores
from engine.packs import read_pack
from engine.providers import CPU, CUDA, OPENVINO, TENSORRT, chosen, options
from engine.runtime import Runtime

HAS_CUDA, HAS_OPENVINO = (
    name in onnxruntime.get_available_providers() for name in (CUDA, OPENVINO)
)


@pytest.mark.skipif(HAS_CUDA, reason="this onnxruntime has CUDA")
@pytest.mark.parametrize("name", ["cuda", "CUDAExecutionProvider", "tensorrt"])
def test_provider_that_is_not_installed(name: str) -> None:
    with pytest.raises(ProviderError, match=r"is not in the installed .*onnxruntime-gpu"):
        Engine(providers=[name])


@pytest.mark.skipif(HAS_OPENVINO, reason="this onnxruntime has OpenVINO")
def test_openvino_that_is_not_installed() -> None:
    with pytest.raises(ProviderError, match=r"is not in the installed .*onnxruntime-openvino"):
        Engine(providers=["openvino"])


def test_provider_that_does_not_exist() -> None:
    with pytest.raises(ProviderError, match="QuantumExecutionProvider is not in the installed"):
        Engine(providers=["QuantumExecutionProvider", "cpu"])


@pytest.mark.parametrize("names", ["AzureExecutionProvider", ["cpu", "AzureExecutionProvider"]])
def test_a_provider_that_sends_pictures_away(names: Any) -> None:
    """Some builds list it; it does nothing for these networks but to be told among the active."""
    with pytest.raises(ProviderError, match="runs networks elsewhere, and this engine only here"):
        Engine(providers=names)


@pytest.mark.parametrize(
    ("names", "required", "asked"),
    [
        (None, [], [CUDA, CPU]),
        (["tensorrt"], [TENSORRT], [TENSORRT, CUDA, CPU]),
        (["tensorrt", "cpu"], [TENSORRT, CPU], [TENSORRT, CUDA, CPU]),
        (["tensorrt", "cuda"], [TENSORRT, CUDA], [TENSORRT, CUDA, CPU]),
        (["cpu"], [CPU], [CPU]),
    ],
)
def test_what_is_asked_for_where_everything_is_installed(
    monkeypatch: pytest.MonkeyPatch,
    names: list[str] | None,
    required: list[str],
    asked: list[str],
) -> None:
    """No machine without a GPU has such an onnxruntime, so its answer is given."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [TENSORRT, CUDA, CPU])
    assert chosen(names) == (required, asked)


def test_cuda_computes_in_full_float32() -> None:
    assert options(CUDA, 2)["use_tf32"] == "0"


@pytest.mark.parametrize("named", [3, 0, [3]])
def test_providers_that_are_no_names_say_so(named: Any) -> None:
    with pytest.raises(ProviderError, match="providers are names such as cpu, cuda"):
        Engine(providers=named)


def test_names_that_can_be_read_only_once_are_asked_for() -> None:
    with pytest.raises(ProviderError, match="quantum is not in the installed"):
        Engine(providers=(name for name in ["quantum"]))  # type: ignore[arg-type]


def test_openvino_is_asked_for_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [OPENVINO, CPU])
    assert chosen(None) == ([], [OPENVINO, CPU])
    assert chosen(["openvino"]) == ([OPENVINO], [OPENVINO, CPU])
    assert chosen(["cpu"]) == ([CPU], [CPU])


@pytest.mark.parametrize(
    ("flags", "precision"), [("fma avx512_vnni", None), ("avx512_bf16", "bf16"), (None, None)]
)
def test_openvino_calculates_in_bfloat16_where_the_processor_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: str | None, precision: str | None
) -> None:
    """A processor without it, and a system that does not tell, are given by a file."""
    monkeypatch.setattr(providers, "PROCESSOR", tmp_path / "cpuinfo")
    if flags is not None:
        (tmp_path / "cpuinfo").write_text(f"flags\t\t: fpu {flags} sse4_2\n")
    chosen_options = options(OPENVINO, 3)
    assert (chosen_options["num_of_threads"], chosen_options["num_streams"]) == ("3", "3")
    cpu = json.loads(chosen_options["load_config"])["CPU"]
    assert cpu.get("INFERENCE_PRECISION_HINT") == precision


@pytest.mark.skipif(HAS_CUDA, reason="this onnxruntime has CUDA")
@pytest.mark.filterwarnings("ignore:Specified provider")
def test_asked_for_and_not_active_is_an_error() -> None:
    """What onnxruntime does when a provider's libraries are missing: it runs on the CPU."""
    runtime = Runtime(["cpu"])
    runtime.providers.required = runtime.providers.wanted = [CUDA, CPU]
    model = read_pack().entry("detector").read()
    with pytest.raises(ProviderError, match=r"did not activate \(active: CPUExecutionProvider\)"):
        runtime.load(model, "detector")


@pytest.mark.skipif(HAS_CUDA, reason="this onnxruntime has CUDA")
@pytest.mark.filterwarnings("ignore:Specified provider")
@pytest.mark.parametrize("named", [None, ["cuda"]])
def test_an_onnxruntime_whose_cuda_lacks_its_libraries(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, named: list[str] | None
) -> None:
    """It runs on the CPU without a word: as this one does when it is asked for CUDA. That it has
    CUDA is told in its place."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    why = r'libraries or the NVIDIA driver are missing.*pip install "onnxruntime-gpu\[cuda,cudnn\]"'
    if named:
        with pytest.raises(ProviderError, match=f"did not activate .*{why}"):
            Engine(providers=named)
        return
    with Engine() as engine:
        assert engine.info()["providers"] == [CPU]
    (said,) = (each.getMessage() for each in caplog.records if CUDA in each.getMessage())
    assert re.search(f"does not activate, .*{why}", said)


def test_two_builds_of_onnxruntime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """pip brings the plain one back beside another, whose files are then gone."""
    Runtime()
    assert "overwrite" not in caplog.text
    for name in ("onnxruntime", "onnxruntime-gpu"):
        told = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        told.mkdir()
        (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    Runtime()
    assert "onnxruntime and onnxruntime-gpu" in caplog.text and "overwrite" in caplog.text


@pytest.mark.skipif(HAS_CUDA or HAS_OPENVINO, reason="this onnxruntime has more than the CPU")
def test_without_a_choice_and_without_another_it_is_the_cpu(engine: Engine) -> None:
    with Engine() as unasked:
        assert unasked.info()["providers"] == ["CPUExecutionProvider"]
        assert unasked.info()["threads"] == usable_cores()


@pytest.mark.skipif(not HAS_CUDA, reason="this onnxruntime has no CUDA")
@pytest.mark.parametrize("name", [None, "cuda", "tensorrt", "tensorrt,cuda"])
def test_a_gpu_that_does_not_answer(name: str | None) -> None:
    """Named, it is an error in words; not named, the CPU. stdout holds the answer alone."""
    asked = ["--providers", name] if name else []
    result = subprocess.run(
        [sys.executable, "-m", "engine", *asked, "info", "--json"],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in result.stderr
    if name is None:
        assert json.loads(result.stdout)["providers"] == ["CPUExecutionProvider"]
    else:
        assert result.returncode == 1 and result.stdout == ""
        assert "was asked for and did not activate" in result.stderr.splitlines()[-1]


def test_a_run_that_fails_is_no_run_on_another_provider() -> None:
    """onnxruntime would build the session again on the CPU, and say so on stdout only."""
    network = Runtime(["cpu"]).load(read_pack().entry("detector").read(), "detector")
    assert network._choose((1, 3, 32, 32), lambda session: session)._enable_fallback is False
