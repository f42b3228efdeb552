"""Make the default pack's anti-spoof network from the file inside an npm package.

The changes are a dynamic batch, PReLUs made of faster operations (graph.split_prelu) and channels
that fill a runtime's blocks (channels.fill_blocks). The check is against the original in two other
executors: with every optimisation of the runtime off, and in OpenCV. (onnx's reference evaluator is
no judge here: it is 0.2 logits away from both.)
Run (npm is needed): python weights/build/minifasnet.py
"""

import cv2
import numpy as np
import onnx
import onnxruntime
from channels import fill_blocks
from command import run
from graph import drop_dead_values, output_argument, save, set_shape, split_prelu
from origin import FACEPLUGIN, read_member

MEMBER = "package/model/fr_liveness.onnx"


def main() -> None:
    out = output_argument(__doc__ or "", "liveness_minifasnet.onnx")
    original = published()
    model = repaired(original)
    split_prelu(model.graph)
    fill_blocks(model.graph)
    save(model, out)

    pixels = np.random.default_rng(0).integers(0, 256, (8, 3, 128, 128)).astype(np.float32)
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    (ours,) = session.run(None, {"input": pixels})
    for name, theirs in (
        ("onnxruntime, unoptimised", run_unoptimised(original, pixels)),
        ("OpenCV", run_opencv(original, pixels)),
    ):
        print(f"largest difference of the logits from {name}: {np.abs(ours - theirs).max():.1e}")


def published() -> bytes:
    return read_member(FACEPLUGIN, MEMBER)


def repaired(original: bytes) -> onnx.ModelProto:
    """What was published, for any number of crops; this is what training starts from."""
    model = onnx.load_from_string(original)
    drop_dead_values(model.graph)
    set_shape(model.graph.input[0], "batch", 3, 128, 128)
    set_shape(model.graph.output[0], "batch", 3)
    return model


def run_unoptimised(published: bytes, pixels: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(published, options, ["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"input": one[None]})[0] for one in pixels])


def run_opencv(published: bytes, pixels: np.ndarray) -> np.ndarray:
    network = cv2.dnn.readNetFromONNX(np.frombuffer(published, np.uint8))
    rows = []
    for one in pixels:
        network.setInput(one[None])
        rows.append(network.forward())
    return np.concatenate(rows)


if __name__ == "__main__":
    run(main)
