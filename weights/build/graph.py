"""Small repairs of ONNX graphs that several build scripts share."""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from origin import sha256

DEFAULT_PACK = Path(__file__).resolve().parent.parent / "default"


def drop_dead_values(graph: onnx.GraphProto) -> None:
    """Keep only the inputs that are fed and the initializers that some node reads."""
    read = {name for node in graph.node for name in node.input}
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name in read - stored]
    kept = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.input[:], graph.initializer[:], graph.value_info[:]
    graph.input.extend(inputs)
    graph.initializer.extend(kept)


def set_shape(value: onnx.ValueInfoProto, *dims: int | str | None) -> None:
    """Declare the shape: an int is fixed, a str names a dynamic dimension, None is unknown."""
    shape = value.type.tensor_type.shape
    del shape.dim[:]
    for dim in dims:
        entry = shape.dim.add()
        if isinstance(dim, int):
            entry.dim_value = dim
        elif dim is not None:
            entry.dim_param = dim


def bypass(graph: onnx.GraphProto, op_type: str) -> None:
    """Take out nodes that pass their first input on unchanged at inference (Dropout)."""
    for node in [node for node in graph.node if node.op_type == op_type]:
        for reader in graph.node:
            for index, name in enumerate(reader.input):
                if name == node.output[0]:
                    reader.input[index] = node.input[0]
        graph.node.remove(node)
    used = {name for node in graph.node for name in node.input}
    for node in [node for node in graph.node if node.op_type == "Constant"]:
        if node.output[0] not in used:
            graph.node.remove(node)


def reference_outputs(model: onnx.ModelProto, feed: np.ndarray) -> list[np.ndarray]:
    """What onnx's own reference evaluator, which optimises nothing, makes of one input."""
    evaluator = ReferenceEvaluator(model)
    return [np.asarray(out) for out in evaluator.run(None, {model.graph.input[0].name: feed})]


def save(model: onnx.ModelProto, path: Path) -> None:
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
    print(f"{path.name}: {path.stat().st_size} bytes, sha256 {sha256(path.read_bytes())}")


def output_argument(description: str, filename: str) -> Path:
    """The `--out` every build script takes; by default the file of the default pack."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=DEFAULT_PACK / filename)
    out: Path = parser.parse_args().out
    return out
