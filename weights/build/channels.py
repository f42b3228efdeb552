"""Channels of a network made to fill the blocks that onnxruntime computes in."""

from collections.abc import Iterable

import numpy as np
import onnx
from graph import drop_dead_values
from onnx import numpy_helper

BLOCK = 16
"""Channels that onnxruntime keeps side by side on a CPU with AVX-512; half of it with AVX2."""

SAME_CHANNELS = {"Add", "GlobalAveragePool", "Mul", "Relu", "Sigmoid"}
"""Operations that keep channels apart, and make zeros of a channel of zeros or meet only zeros."""


def fill_blocks(graph: onnx.GraphProto) -> None:
    """Add channels of zeros where a convolution of every channel by itself has a number of them
    that fills no whole blocks; the answers stay the same.

    Such a convolution is slow, and what is around it is converted there and back. It is left as it
    is where something else than convolutions and SAME_CHANNELS sees its channels.
    """
    _fold_products(graph)
    alike = _Alike()
    fixed = {value.name for value in (*graph.input, *graph.output)}
    counts: dict[str, int] = {}
    stored = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        values = [name for name in (*node.input, *node.output) if name and name not in stored]
        if node.op_type == "Conv" and node.input[1] in stored:
            if _by_itself(node, stored):
                alike.join(values)
                counts[node.output[0]] = stored[node.input[1]].dims[0]
        elif node.op_type in SAME_CHANNELS and len(values) == len(node.input) + len(node.output):
            alike.join(values)
        else:
            fixed.update(values)
    kept = {alike.of(name) for name in fixed}
    lacking = {alike.of(name): -count % BLOCK for name, count in counts.items()}
    spare = {name: count for name, count in lacking.items() if count and name not in kept}
    for node in graph.node:
        if node.op_type != "Conv" or node.input[1] not in stored:
            continue
        given, taken = (spare.get(alike.of(name), 0) for name in (node.output[0], node.input[0]))
        by_itself = _by_itself(node, stored)
        _pad(stored, node.input[1], given, 0 if by_itself else taken)
        for bias in node.input[2:]:
            _pad(stored, bias, given)
        for attribute in node.attribute:
            if attribute.name == "group" and by_itself:
                attribute.i += given


def _by_itself(node: onnx.NodeProto, stored: dict[str, onnx.TensorProto]) -> bool:
    groups = next((a.i for a in node.attribute if a.name == "group"), 1)
    return groups > 1 and list(stored[node.input[1]].dims[:2]) == [groups, 1]


def _pad(stored: dict[str, onnx.TensorProto], name: str, *counts: int) -> None:
    """Zeros behind the first axes of a constant."""
    if any(counts):
        array = numpy_helper.to_array(stored[name])
        more = [(0, count) for count in counts] + [(0, 0)] * (array.ndim - len(counts))
        stored[name].CopyFrom(numpy_helper.from_array(np.pad(array, more), name))


def _fold_products(graph: onnx.GraphProto) -> None:
    """Multiply constants now, and not when a session begins."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    for node in list(graph.node):
        if node.op_type == "Mul" and all(name in stored for name in node.input):
            one, other = (numpy_helper.to_array(stored[name]) for name in node.input)
            graph.initializer.append(numpy_helper.from_array(one * other, node.output[0]))
            graph.node.remove(node)
    drop_dead_values(graph)


class _Alike:
    """Which values have the same channels."""

    def __init__(self) -> None:
        self._next: dict[str, str] = {}

    def of(self, name: str) -> str:
        """One name for all that are alike."""
        while name in self._next:
            name = self._next[name]
        return name

    def join(self, names: Iterable[str]) -> None:
        first, *others = {self.of(name) for name in names}
        self._next.update(dict.fromkeys(others, first))
