"""YuNet: the default detector, from pixels to boxes and landmarks."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.boxes import Rows, suppress
from engine.images import Pixels
from engine.network import Network
from engine.numbers import number
from engine.resizing import shrink

STRIDES = (8, 16, 32)

FINE_SIDE = 320
"""Canvases up to that size are made from four places a pixel each way, larger ones from two."""


class YuNet:
    """The anchor-free detector of Wu, Peng & Yu, "YuNet" (Machine Intelligence Research, 2023).

    Input: (N, 3, H, W) float32 BGR 0..255, H and W multiples of 32. Per stride and cell the heads
    give class and objectness (score = sqrt of their product), centre offset and log size in
    strides, and landmark offsets in strides.
    manifest: score_threshold (what a face has to score) and nms_threshold (as boxes.suppress's
    overlap), both 0..1.
    Raises what packs.MISFITS lists for a setting that is missing or wrong,
    and for a network without those heads.
    """

    tells_tilt = True

    def __init__(self, network: Network, manifest: Mapping[str, Any]) -> None:
        self._network = network
        self._score = number(manifest, "score_threshold", 0, 1)
        self._overlap = number(manifest, "nms_threshold", 0, 1)
        order = {name: index for index, name in enumerate(network.outputs)}
        self._heads = [
            [order[f"{head}_{stride}"] for stride in STRIDES]
            for head in ("cls", "obj", "bbox", "kps")
        ]

    def rows(self, image: Pixels, longest: int) -> Rows:
        scale = longest / max(image.shape[:2])
        canvas = _canvas(image, scale)
        outputs = [output[0] for output in self._network.run(canvas)]
        rows = self._decode(outputs, _cells(*canvas.shape[2:]))
        rows[:, 1:] /= np.float32(scale)
        return suppress(rows, self._overlap)

    def each(self, images: Sequence[Pixels]) -> list[Rows]:
        canvases = np.stack(images).transpose(0, 3, 1, 2).astype(np.float32, order="C")
        cells = _cells(*canvases.shape[2:])
        outputs = self._network.run(canvases)
        found = (self._decode(list(one), cells) for one in zip(*outputs, strict=True))
        return [suppress(rows, self._overlap) for rows in found]

    def _decode(self, outputs: Sequence[NDArray[np.float32]], cells: NDArray[np.float32]) -> Rows:
        """outputs: of one picture, by head and stride (cells of the stride, values)."""
        cls, obj, box, kps = (
            np.concatenate([outputs[index] for index in heads]) for heads in self._heads
        )
        scores = np.sqrt(cls[:, 0] * obj[:, 0])  # of two sigmoids, so both 0..1
        kept = np.flatnonzero(scores >= self._score)
        cell, stride, box = cells[kept, :2], cells[kept, 2:], box[kept]
        centre = (cell + box[:, :2]) * stride
        half = np.exp(box[:, 2:]) * (stride / 2)
        points = (cells[kept][:, _COLUMN_AND_ROW] + kps[kept]) * stride
        return np.concatenate([scores[kept, None], centre - half, centre + half, points], 1)


_COLUMN_AND_ROW = [0, 1] * 5


@lru_cache(maxsize=16)
def _cells(height: int, width: int) -> NDArray[np.float32]:
    """Column, row and stride of every cell of the heads on such a canvas, (N, 3)."""
    levels = []
    for stride in STRIDES:
        rows, columns = np.divmod(np.arange(height * width // stride**2), width // stride)
        levels.append(np.stack([columns, rows, np.full_like(rows, stride)], 1))
    cells = np.concatenate(levels).astype(np.float32)
    cells.flags.writeable = False  # all calls share it
    return cells


def _canvas(image: Pixels, scale: float) -> NDArray[np.float32]:
    """The picture at that scale, padded right and below to multiples of 32, as (1, 3, H, W)."""
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    small = shrink(image, width, height, 4 if max(width, height) <= FINE_SIDE else 2)
    step = STRIDES[-1]
    canvas = np.zeros((1, 3, -(-height // step) * step, -(-width // step) * step), np.float32)
    canvas[0, :, :height, :width] = small.transpose(2, 0, 1)
    return canvas
