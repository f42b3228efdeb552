"""Reads the weights of a shipped descreening network, so that training can go on from them.

Those of its convolutions are kept in seven bits, which training moves on from within a few steps.
"""

from pathlib import Path

import numpy as np
import onnx
from descreen_layout import BLOCK
from editor import Editor
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def weights_of(path: Path) -> dict[str, Floats]:
    """Weights and biases, by the names and in the order that descreen_network has them."""
    model = onnx.load(path)
    graph, weights = Editor(model.graph), {}
    for tensor in model.graph.initializer:
        name = tensor.name.removesuffix("_quantized")
        if name.endswith((".weight", ".bias")):
            values = _floats(graph, tensor.name)
            weights[name.removeprefix("network.")] = _as_trained(name, values)
    return weights


def _floats(graph: Editor, name: str) -> Floats:
    """A constant, whether it is kept in floats or in integers."""
    values = graph.constant(name)
    if values.dtype == np.float32:
        return values
    (reader,) = graph.readers(name)
    scale, zero = (graph.constant(of).astype(np.float32) for of in reader.input[1:])
    beside = (-1, *[1] * (values.ndim - 1))
    return np.asarray((values - zero.reshape(beside)) * scale.reshape(beside), np.float32)


def _as_trained(name: str, values: Floats) -> Floats:
    """Back from the layout for CPUs, see descreen_layout: the first convolution reads blocks of
    pixels as channels, and what becomes places is ordered by channel first."""
    if name == "network.stem.weight":
        width, channels, wide, _ = values.shape
        side = wide // BLOCK
        pixels = values.reshape(width, channels, side, BLOCK, side, BLOCK)
        return pixels.transpose(0, 1, 3, 5, 2, 4).reshape(width, -1, side, side)
    if name.startswith("network.up."):
        width = len(values) // BLOCK**2
        order = np.arange(len(values)).reshape(BLOCK, BLOCK, width).transpose(2, 0, 1).ravel()
        return values[order]
    return values
