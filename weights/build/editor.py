"""Finding and changing nodes and constants of an ONNX graph."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper


class Editor:
    """A graph under change. Its nodes run in their order: what is added has to find its place."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph

    def all(self, *op_types: str) -> list[onnx.NodeProto]:
        return [node for node in self._graph.node if node.op_type in op_types]

    def maker(self, value: str) -> onnx.NodeProto:
        return next(node for node in self._graph.node if value in node.output)

    def readers(self, value: str) -> list[onnx.NodeProto]:
        return [node for node in self._graph.node if value in node.input]

    def redirect(self, old: str, new: str) -> None:
        """Whoever read the one value reads the other."""
        for node in self.readers(old):
            node.input[:] = [new if name == old else name for name in node.input]

    def add(
        self,
        op_type: str,
        inputs: Sequence[str],
        *outputs: str,
        before: onnx.NodeProto | None = None,
        **attributes: Any,
    ) -> str:
        """Put a node before another one, or behind all; its first output."""
        node = onnx.helper.make_node(op_type, inputs, outputs, **attributes)
        nodes = self._graph.node
        nodes.insert(len(nodes) if before is None else list(nodes).index(before), node)
        return outputs[0]

    def remove(self, *nodes: onnx.NodeProto) -> None:
        for node in nodes:
            self._graph.node.remove(node)

    def constant(self, name: str) -> np.ndarray:
        array: np.ndarray = numpy_helper.to_array(self._stored(name))
        return array

    def change(self, name: str, array: np.ndarray) -> None:
        tensor = numpy_helper.from_array(np.ascontiguousarray(array), name)
        self._stored(name).CopyFrom(tensor)

    def store(self, name: str, array: np.ndarray | Sequence[int]) -> str:
        """Keep one more constant; its name."""
        self._graph.initializer.append(numpy_helper.from_array(np.array(array), name))
        return name

    def _stored(self, name: str) -> onnx.TensorProto:
        return next(tensor for tensor in self._graph.initializer if tensor.name == name)
