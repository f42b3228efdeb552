"""Execution providers: which of them to ask onnxruntime for, and with what options."""

from collections.abc import Mapping, Sequence

import onnxruntime

from engine.errors import ProviderError

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
_SHORT_NAMES = {"cpu": CPU, "cuda": CUDA, "tensorrt": TENSORRT}

OPTIONS: Mapping[str, Mapping[str, str]] = {
    CUDA: {
        # An exhaustive search is repeated for every new input shape and stalls the first calls.
        "cudnn_conv_algo_search": "HEURISTIC",
        # Grow by what is needed, not by powers of two: other programs share the device.
        "arena_extend_strategy": "kSameAsRequested",
    },
}


def chosen(names: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """The full names of the providers that must activate, and of all to ask for, in order.

    names: full, or "cuda", "tensorrt", "cpu"; None asks for CUDA where the installed onnxruntime
    has it, and requires nothing. CUDA is asked for after TensorRT, and the CPU always.
    Raises ProviderError for one that the installed onnxruntime does not have.
    """
    available = onnxruntime.get_available_providers()
    if isinstance(names, str):
        names = [names]
    required = [_SHORT_NAMES.get(name.lower(), name) for name in names or []]
    for name in required:
        if name not in available:
            raise ProviderError(
                f"{name} is not in the installed onnxruntime, which has "
                f"{', '.join(available)}; {advice(name)}"
            )
    wanted = list(required) or [name for name in (CUDA,) if name in available]
    if TENSORRT in wanted and CUDA in available and CUDA not in wanted:
        wanted.insert(wanted.index(TENSORRT) + 1, CUDA)  # for what TensorRT does not know
    return required, list(dict.fromkeys([*wanted, CPU]))


def advice(name: str) -> str:
    """What to do about a provider that is not there, or does not activate."""
    if name == CPU:
        return "reinstall onnxruntime"
    return (
        "install onnxruntime-gpu in place of onnxruntime, with an NVIDIA driver and the CUDA and "
        "cuDNN versions it names, or ask for cpu"
    )
