"""The pack's embedding network in PyTorch, so that a loss can say "still the same face".

Reads the ONNX file and replays its nodes; only the operators that the file has are known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from torch import Tensor
from torch.nn import functional

from engine import Engine
from engine.alignment import similarity_transform

SIDE = 112


class Recognition:
    """1 - cosine between the faces of restored and clean photos, aligned as the engine does."""

    def __init__(self, network: Path) -> None:
        self._replay = _Replay(network)
        self._engine = Engine(threads=1)

    def __call__(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Mean over the faces found in `clean`; both are `(N, 3, H, W)` BGR 0..255."""
        grids, rows = [], []
        for row, picture in enumerate(clean):
            pixels = picture.permute(1, 2, 0).contiguous().numpy().astype(np.uint8)
            faces = self._engine.detect(pixels, max_faces=1)
            if faces:
                grids.append(_grid(faces[0].landmarks, *pixels.shape[:2]))
                rows.append(row)
        if not rows:
            return restored.sum() * 0.0
        grid = torch.stack(grids)
        with torch.no_grad():
            truth = self._embed(clean[rows], grid)
        return (1.0 - (self._embed(restored[rows], grid) * truth).sum(1)).mean()

    def _embed(self, pictures: Tensor, grid: Tensor) -> Tensor:
        faces = functional.grid_sample(pictures, grid, align_corners=True)
        return functional.normalize(self._replay(faces.flip(1)))  # BGR to RGB


def _grid(landmarks: Any, height: int, width: int) -> Tensor:
    """Where each pixel of the aligned face lies in the photo, in grid_sample's -1..1."""
    forward = np.vstack([similarity_transform(landmarks), [0.0, 0.0, 1.0]])
    back = np.linalg.inv(forward)[:2]
    y, x = np.mgrid[:SIDE, :SIDE]
    places = np.stack([x, y, np.ones_like(x)], 2) @ back.T
    return torch.as_tensor(places / [(width - 1) / 2, (height - 1) / 2] - 1.0).float()


class _Replay:
    """An ONNX network whose weights are constants, run node by node on PyTorch tensors."""

    def __init__(self, path: Path) -> None:
        model = onnx.load(str(path))
        self._input = model.graph.input[0].name
        self._constants = _constants(model)
        self._nodes = [n for n in model.graph.node if n.output[0] not in self._constants]

    def __call__(self, image: Tensor) -> Tensor:
        values: dict[str, Tensor] = {**self._constants, self._input: image}
        for node in self._nodes:
            settings = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            values[node.output[0]] = _OPERATORS[node.op_type](
                *(values[name] for name in node.input), **settings
            )
        return values[self._nodes[-1].output[0]]


def _constants(model: onnx.ModelProto) -> dict[str, Tensor]:
    """The weights, and what follows from them alone, worked out once by onnxruntime."""
    known = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    fixed, derived = set(known), []
    for node in model.graph.node:
        if fixed.issuperset(node.input):
            fixed.update(node.output)
            derived.extend(node.output)
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in derived)
    session = onnxruntime.InferenceSession(probe.SerializeToString())
    image = np.zeros((1, 3, SIDE, SIDE), np.float32)
    values = session.run(derived, {model.graph.input[0].name: image}) if derived else []
    arrays = {**known, **dict(zip(derived, values, strict=True))}
    return {name: torch.as_tensor(np.array(array)) for name, array in arrays.items()}


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None = None, **settings: Any) -> Tensor:
    return functional.conv2d(
        x, weight, bias, settings["strides"], settings["pads"][:2], 1, settings["group"]
    )


def _normalise(
    x: Tensor, gain: Tensor, shift: Tensor, mean: Tensor, spread: Tensor, **settings: Any
) -> Tensor:
    return functional.batch_norm(x, mean, spread, gain, shift, eps=settings["epsilon"])


_OPERATORS: dict[str, Any] = {
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "Conv": _convolve,
    "BatchNormalization": _normalise,
    "PRelu": lambda x, slope: functional.prelu(x, slope.flatten()),
    "Flatten": lambda x, **_: x.flatten(1),
    "Gemm": lambda x, weight, bias, **_: functional.linear(x, weight, bias),
}
