"""Two judges of the same crop made into one network."""

from pathlib import Path

import numpy as np
import onnx
from graph import drop_dead_values, save
from onnx import compose, helper, numpy_helper

LEAST_HALVED = 1000
"""Weights of fewer numbers stay in full precision: they are no size worth saving."""


def join(first: Path, second: Path, share: float, out: Path) -> None:
    """Writes the network whose logits are `share` of the second's and the rest of the first's.

    Both have one input of the same shape, logits of the same classes and the same operator set.
    The second's large weights are stored in half precision, which a runtime expands as it loads.
    """
    model, other = onnx.load(str(first)), onnx.load(str(second))
    halve_weights(other.graph)
    other = compose.add_prefix(other, "second_")
    image, logits = model.graph.input[0].name, model.graph.output[0].name
    for node in other.graph.node:
        names = [image if name == other.graph.input[0].name else name for name in node.input]
        node.input[:] = names
    model.graph.node.extend(other.graph.node)
    model.graph.initializer.extend(other.graph.initializer)
    shares = {logits: 1 - share, other.graph.output[0].name: share}
    for name, weight in shares.items():
        factor = numpy_helper.from_array(np.array([weight], np.float32), f"{name}_share")
        model.graph.initializer.append(factor)
        inputs = [name, factor.name]
        model.graph.node.append(helper.make_node("Mul", inputs, [f"{name}_shared"]))
    shared = [f"{name}_shared" for name in shares]
    model.graph.node.append(helper.make_node("Add", shared, ["joined"]))
    model.graph.output[0].name = "joined"
    drop_dead_values(model.graph)
    save(model, out)


def halve_weights(graph: onnx.GraphProto) -> None:
    """Store large weights in half precision, with a cast back beside each."""
    casts = []
    for tensor in graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype == np.float32 and weights.size >= LEAST_HALVED:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), f"{name}_halved"))
            cast = helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT)
            casts.append(cast)
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *rest])
