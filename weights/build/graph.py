"""Small repairs of ONNX graphs that several build scripts share."""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from origin import sha256

from engine.evaluation.replacing import replacing

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


def split_prelu(graph: onnx.GraphProto) -> None:
    """PReLU as operations that a runtime keeps in its blocked layout, with the same results.

    With slope a, PReLU(x) = (1 - a) * (Relu(x) + a / (1 - a) * x). The factor 1 - a goes into the
    weights of the convolution that reads it, where the runtime folds it at load; the other is a
    1 x 1 convolution of each channel by itself, to which the runtime fuses the addition. A PReLU
    that something else reads keeps its factor as one more such convolution. Slopes may have any
    value but 1. (onnxruntime 1.32's own PReLU kernel takes two thirds of SFace's time.)
    """
    slopes = {tensor.name: tensor for tensor in graph.initializer}
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        if node.op_type != "PRelu":
            graph.node.append(node)
            continue
        source, target = node.input[0], node.output[0]
        slope = numpy_helper.to_array(slopes[node.input[1]]).ravel()
        rest = 1 - slope
        if not rest.all():
            raise ValueError(f"{node.name}: a slope of 1 cannot be split")
        readers = [reader for reader in nodes if target in reader.input]
        folds = {reader.op_type for reader in readers} == {"Conv"}
        folds &= target not in {value.name for value in graph.output}
        positive = f"{target}_positive"
        graph.node.append(onnx.helper.make_node("Relu", [source], [positive]))
        if folds:
            for reader in readers:
                _scale_inputs(graph, reader, rest)
        else:
            positive = _scaled(graph, positive, rest)
        linear = _scaled(graph, source, slope / rest if folds else slope, target)
        graph.node.append(onnx.helper.make_node("Add", [linear, positive], [target]))


def _scaled(graph: onnx.GraphProto, value: str, factors: np.ndarray, name: str = "") -> str:
    """The value with every channel times its factor, as a convolution."""
    scaled = f"{name or value}_scaled"
    weights = factors.astype(np.float32).reshape(-1, 1, 1, 1)
    graph.initializer.append(numpy_helper.from_array(weights, f"{scaled}_weights"))
    inputs = [value, f"{scaled}_weights"]
    graph.node.append(onnx.helper.make_node("Conv", inputs, [scaled], group=len(factors)))
    return scaled


def _scale_inputs(graph: onnx.GraphProto, reader: onnx.NodeProto, factors: np.ndarray) -> None:
    """Make a convolution read its input channels times these factors."""
    groups = next((a.i for a in reader.attribute if a.name == "group"), 1)
    shape = (1, -1, 1, 1) if groups == 1 else (-1, 1, 1, 1)  # every channel by itself
    scaled = f"{reader.input[1]}_scaled"
    factors = factors.astype(np.float32).reshape(shape)
    graph.initializer.append(numpy_helper.from_array(factors, f"{scaled}_factors"))
    inputs = [reader.input[1], f"{scaled}_factors"]
    graph.node.append(onnx.helper.make_node("Mul", inputs, [scaled]))
    reader.input[1] = scaled


def reference_outputs(model: onnx.ModelProto, feed: np.ndarray) -> list[np.ndarray]:
    """What onnx's own reference evaluator, which optimises nothing, makes of one input."""
    evaluator = ReferenceEvaluator(model)
    return [np.asarray(out) for out in evaluator.run(None, {model.graph.input[0].name: feed})]


def save(model: onnx.ModelProto, path: Path) -> None:
    """Writes a model that onnx finds valid, and prints its size and sha256."""
    onnx.checker.check_model(model, full_check=True)
    with replacing(path) as new:
        new.write_bytes(model.SerializeToString(deterministic=True))
    print(f"{path.name}: {path.stat().st_size} bytes, sha256 {sha256(path.read_bytes())}")


def output_argument(description: str, filename: str) -> Path:
    """The `--out` every build script takes; by default the file of the default pack."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=DEFAULT_PACK / filename)
    out: Path = parser.parse_args().out
    return out
