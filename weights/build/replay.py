"""An ONNX network run node by node on PyTorch tensors, so that gradients flow through it.

Only the operators that the pack's embedding and anti-spoof networks have are known.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional


class Replay(nn.Module):  # type: ignore[misc]
    """The network of an ONNX file with one image input.

    `trained_from`: the number of the first node whose weights are trained; None trains none.
    """

    def __init__(self, path: Path, trained_from: int | None = None) -> None:
        super().__init__()
        self._model = onnx.load(str(path))
        graph = self._model.graph
        self._input, self._output = graph.input[0].name, graph.output[0].name
        constants = _constants(self._model)
        self._nodes = [
            n for n in graph.node if n.op_type in _OPERATORS and n.output[0] not in constants
        ]
        used = {name for node in self._nodes for name in node.input}
        self._names = [name for name in constants if name in used]
        trained = set() if trained_from is None else _weights(graph.node[trained_from:])
        self.weights = nn.ParameterList(
            nn.Parameter(constants[name], name in trained and constants[name].is_floating_point())
            for name in self._names
        )

    def forward(self, image: Tensor) -> Tensor:
        values: dict[str, Tensor] = dict(zip(self._names, self.weights, strict=True))
        values[self._input] = image
        for node in self._nodes:
            settings = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            values[node.output[0]] = _OPERATORS[node.op_type](
                *(values.get(name) for name in node.input), **settings
            )
        return values[self._output]

    def save(self, path: Path) -> None:
        """The ONNX file as it was read, with the weights as they are now."""
        now = dict(zip(self._names, self.weights, strict=True))
        for tensor in self._model.graph.initializer:
            if tensor.name in now:
                array = now[tensor.name].detach().numpy()
                tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
        onnx.checker.check_model(self._model)
        onnx.save(self._model, str(path))


def _weights(nodes: Iterable[onnx.NodeProto]) -> set[str]:
    """The inputs that a gradient may change: all but the statistics of batch norms."""
    return {
        name
        for node in nodes
        for name in node.input[: 3 if node.op_type == "BatchNormalization" else None]
    }


def _constants(model: onnx.ModelProto) -> dict[str, Tensor]:
    """The weights, and what follows from them alone, worked out once by onnxruntime."""
    known = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    fixed, derived = set(known), []
    for node in model.graph.node:
        if fixed.issuperset(node.input):
            fixed.update(node.output)
            derived.extend(node.output)
    if derived:
        probe = onnx.ModelProto()
        probe.CopyFrom(model)
        del probe.graph.output[:]
        probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in derived)
        session = onnxruntime.InferenceSession(probe.SerializeToString())
        entry = session.get_inputs()[0]
        sides = [side if isinstance(side, int) else 1 for side in entry.shape]
        values = session.run(derived, {entry.name: np.zeros(sides, np.float32)})
        known.update(zip(derived, values, strict=True))
    return {name: torch.as_tensor(np.array(array)) for name, array in known.items()}


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None = None, **settings: Any) -> Tensor:
    if weight.shape[1:].numel() == 1 and bias is None:  # each channel times a factor
        return x * weight[:, 0]
    stride, pads = settings.get("strides", 1), settings.get("pads", [0, 0])
    return functional.conv2d(x, weight, bias, stride, pads[:2], 1, settings.get("group", 1))


def _normalise(
    x: Tensor, gain: Tensor, shift: Tensor, mean: Tensor, spread: Tensor, **settings: Any
) -> Tensor:
    return functional.batch_norm(x, mean, spread, gain, shift, eps=settings["epsilon"])


# Shape arithmetic is left out: a Reshape here always flattens all but the batch.
_OPERATORS: dict[str, Any] = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "Conv": _convolve,
    "BatchNormalization": _normalise,
    "PRelu": lambda x, slope: functional.prelu(x, slope.flatten()),
    "Relu": functional.relu,
    "Sigmoid": torch.sigmoid,
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "Flatten": lambda x, **_: x.flatten(1),
    "Reshape": lambda x, _, **__: x.flatten(1),
    "MatMul": lambda x, weight: x @ weight,
    "Gemm": lambda x, weight, bias, **_: functional.linear(x, weight, bias),
}
