"""YuNet: the default detector, from pixels to boxes and landmarks."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.boxes import Rows, suppress
from engine.images import Pixels
from engine.runtime import Network

STRIDES = (8, 16, 32)


class YuNet:
    """The anchor-free detector of Wu, Peng & Yu, "YuNet" (Machine Intelligence Research, 2023).

    Input: (N, 3, H, W) float32 BGR 0..255, H and W multiples of 32. Per stride and cell the heads
    give class and objectness (score = sqrt of their product), centre offset and log size in
    strides, and landmark offsets in strides.
    """

    def __init__(self, network: Network, manifest: Mapping[str, Any]) -> None:
        self._network = network
        self._score = float(manifest["score_threshold"])
        self._overlap = float(manifest["nms_threshold"])
        order = {name: index for index, name in enumerate(network.outputs)}
        self._heads = [
            [order[f"{head}_{stride}"] for head in ("cls", "obj", "bbox", "kps")]
            for stride in STRIDES
        ]

    def rows(self, image: Pixels, longest: int) -> Rows:
        scale = longest / max(image.shape[:2])
        canvas = _canvas(image, scale)
        outputs = self._network.run(canvas)
        width = canvas.shape[3]
        found = [
            self._decode([outputs[index][0] for index in heads], stride, width // stride)
            for heads, stride in zip(self._heads, STRIDES, strict=True)
        ]
        rows = np.concatenate(found)
        rows[:, 1:] /= np.float32(scale)
        return suppress(rows, self._overlap)

    def _decode(self, heads: list[Rows], stride: int, columns: int) -> Rows:
        cls, obj, box, kps = heads
        scores = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
        kept = np.flatnonzero(scores >= self._score)
        cell = np.stack([kept % columns, kept // columns], 1).astype(np.float32)
        centre = (cell + box[kept, :2]) * stride
        half = np.exp(box[kept, 2:]) * (stride / 2)
        points = (np.tile(cell, 5) + kps[kept]) * stride
        parts = [scores[kept, None], centre - half, centre + half, points]
        return np.concatenate(parts, 1).astype(np.float32)


def _canvas(image: Pixels, scale: float) -> NDArray[np.float32]:
    """The picture at that scale, padded right and below to multiples of 32, as (1, 3, H, W)."""
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    shrink = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(image, (width, height), interpolation=shrink)
    step = STRIDES[-1]
    canvas = np.zeros((1, 3, -(-height // step) * step, -(-width // step) * step), np.float32)
    canvas[0, :, :height, :width] = small.transpose(2, 0, 1)
    return canvas
