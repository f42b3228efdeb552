"""A network's convolutions in eight bits, by ranges measured on samples."""

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)


class _Samples(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, name: str, samples: Iterable[NDArray[np.float32]]) -> None:
        self._feeds = iter([{name: sample} for sample in samples])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._feeds, None)


def quantise(
    network: Path,
    out: Path,
    samples: Iterable[NDArray[np.float32]],
    kept: Sequence[str] = (),
    fused: bool = False,
) -> None:
    """Write the network with its convolutions quantised; the others, and `kept`, stay in floats.

    Weights keep to seven bits: CPUs without VNNI add pairs of products in sixteen bits, and would
    give other results with eight.
    fused: for a runtime that multiplies, activates and rounds in one step, and has VNNI: matrix
    products are quantised too, weights have eight bits, and nothing is rounded in between.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(plain)
        options.add_session_config_entry("session.disable_quant_qdq", "1")  # of stored weights
        session = onnxruntime.InferenceSession(str(network), options, ["CPUExecutionProvider"])
        operations = ["Conv", "Gemm"] if fused else ["Conv"]
        quantize_static(
            plain,
            out,
            _Samples(session.get_inputs()[0].name, samples),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=operations,
            per_channel=True,
            reduce_range=not fused,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=list(kept),
            extra_options={"OpTypesToExcludeOutputQuantization": operations if fused else []},
        )
