"""What the score of a finished descreening network is judged from, look by look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from mesh import Image
from numpy.typing import NDArray
from onnx import TensorProto, helper

from engine.descreen import LOOKS, SMALL_LOOKS

SMALL, STRIDE = 150, 16  # as in pack.toml


class Evidence:
    """What the score of a network is judged from."""

    def __init__(self, network: Path) -> None:
        model = onnx.load(str(network))
        weight = stored(model, "score.0.weight")
        (node,) = (node for node in model.graph.node if weight.name in node.input)
        self._name = node.input[0]
        self._width = weight.dims[1]
        shown = helper.make_tensor_value_info(self._name, TensorProto.FLOAT, ["n", self._width])
        model.graph.output.append(shown)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        file = model.SerializeToString()
        self._session = onnxruntime.InferenceSession(file, options, ["CPUExecutionProvider"])

    def __call__(self, photo: Image) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """`(looks, D)`, as many looks as thumbnails have, and which of them there are."""
        looks = SMALL_LOOKS if min(photo.shape[:2]) < SMALL else LOOKS
        evidence = np.zeros((len(SMALL_LOOKS), self._width), np.float32)
        for number, (enlarged, mirrored) in enumerate(looks):
            evidence[number] = self._of(photo, enlarged, mirrored)
        return evidence, np.arange(len(SMALL_LOOKS)) < len(looks)

    def _of(self, photo: Image, enlarged: float, mirrored: bool) -> NDArray[np.float32]:
        if mirrored:
            photo = photo[:, ::-1]
        if enlarged != 1.0:
            height, width = photo.shape[:2]
            size = round(width * enlarged), round(height * enlarged)
            photo = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        spare = [(0, -side % STRIDE) for side in photo.shape[:2]]
        padded = np.pad(photo, [*spare, (0, 0)], mode="symmetric")
        batch = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32)
        rows: Sequence[NDArray[np.float32]] = self._session.run([self._name], {"image": batch})[0]
        return rows[0]


def stored(model: onnx.ModelProto, ending: str) -> onnx.TensorProto:
    """The one initializer whose name ends like that."""
    (tensor,) = (t for t in model.graph.initializer if t.name.endswith(ending))
    return tensor
