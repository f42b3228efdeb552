"""Execution providers: which of them to ask onnxruntime for, and with what options."""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import onnxruntime

from engine.errors import ProviderError

AZURE = "AzureExecutionProvider"
CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
OPENVINO = "OpenVINOExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
BUILDS = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino")
"""Packages that hold the same files: whichever was installed last overwrites the others'."""

_SHORT_NAMES = {"cpu": CPU, "cuda": CUDA, "openvino": OPENVINO, "tensorrt": TENSORRT}

ON_CPU = (CPU, OPENVINO)
"""Providers that share the cores with everything else: OpenVINO is asked for no other device."""

PROCESSOR = Path("/proc/cpuinfo")


def options(name: str, runs: int) -> dict[str, str]:
    """What to tell a provider, for so many runs of a network at a time."""
    if name == CUDA:
        return {
            # An exhaustive search is repeated for every new input shape and stalls the first calls.
            "cudnn_conv_algo_search": "HEURISTIC",
            # Grow by what is needed, not by powers of two: other programs share the device.
            "arena_extend_strategy": "kSameAsRequested",
            # Ten bits of mantissa gain these networks no time (H200), and cost three digits.
            "use_tf32": "0",
        }
    if name == OPENVINO:
        # One thread a run, on any core: pinned to one it waits for whatever else runs there.
        cpu: dict[str, str | bool] = {"ENABLE_CPU_PINNING": False}
        if _multiplies_bfloat16():
            cpu["INFERENCE_PRECISION_HINT"] = "bf16"
        return {
            "device_type": "CPU",
            "num_of_threads": str(runs),
            "num_streams": str(runs),
            "load_config": json.dumps({"CPU": cpu}),
        }
    return {}


def _multiplies_bfloat16() -> bool:
    """Whether the processor does so itself; where it does not, OpenVINO would imitate it slowly."""
    try:
        flags = PROCESSOR.read_text().split()
    except OSError:  # not Linux
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def chosen(names: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """The full names of the providers that must activate, and of all to ask for, in order.

    names: full, or "cuda", "tensorrt", "openvino", "cpu", in a list or with commas between; None
    asks for CUDA or OpenVINO where the installed onnxruntime has it, and requires nothing. CUDA is
    asked for after TensorRT, and the CPU always.
    Raises ProviderError for one that the installed onnxruntime does not have, and for AZURE.
    """
    available = onnxruntime.get_available_providers()
    if isinstance(names, str):
        names = [name for name in names.split(",") if name.strip()]
    given = [] if names is None else list(names) if isinstance(names, Iterable) else [names]
    if not all(isinstance(name, str) for name in given):
        raise ProviderError(f"providers are names such as {', '.join(_SHORT_NAMES)}")
    required = [_SHORT_NAMES.get(name.strip().lower(), name.strip()) for name in given]
    for name in required:
        if name == AZURE:
            raise ProviderError(f"{name} runs networks elsewhere, and this engine only here")
        if name not in available:
            raise ProviderError(
                f"{name} is not in the installed onnxruntime, which has "
                f"{', '.join(available)}; {advice(name)}"
            )
    wanted = list(required) or [name for name in (CUDA, OPENVINO) if name in available]
    if TENSORRT in wanted and CUDA in available and CUDA not in wanted:
        wanted.insert(wanted.index(TENSORRT) + 1, CUDA)  # for what TensorRT does not know
    return required, list(dict.fromkeys([*wanted, CPU]))


def installed_builds() -> list[str]:
    """Those of BUILDS that are installed."""
    found = []
    for build in BUILDS:
        with suppress(PackageNotFoundError):
            version(build)
            found.append(build)
    return found


def advice(name: str) -> str:
    """What to do about a provider that is not there, or does not activate."""
    if name == CPU:
        return "reinstall onnxruntime"
    if name == OPENVINO:
        return "install onnxruntime-openvino in place of onnxruntime, or ask for cpu"
    if name not in _SHORT_NAMES.values():
        return f"this engine is made for {', '.join(_SHORT_NAMES)}"
    if name not in onnxruntime.get_available_providers():
        return (
            "install onnxruntime-gpu in place of onnxruntime, with an NVIDIA driver and the CUDA "
            "and cuDNN versions it names, or ask for cpu"
        )
    too = ", and TensorRT" if name == TENSORRT else ""
    return (
        "the CUDA and cuDNN libraries or the NVIDIA driver are missing, or of other versions than "
        f'the installed onnxruntime names: pip install "onnxruntime-gpu[cuda,cudnn]"{too}, or ask '
        "for cpu"
    )
