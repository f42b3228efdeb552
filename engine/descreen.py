"""Descreening: finding the anti-copy mesh on an ID photo and taking it out."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.images import Pixels
from engine.results import DescreenResult
from engine.runtime import Network, Runtime

Floats = NDArray[np.float32]
Look = tuple[Pixels, Floats, float]
Area = tuple[slice, slice]

LOOKS = ((1.0, False), (1.0, True))
"""The ways a picture is looked at: how much it is enlarged, and whether it is mirrored."""

SMALL_LOOKS = ((1.5, False), (1.5, True), *LOOKS)
"""The same for a thumbnail, whose lines are hardly wider than a pixel; long looks first, so that
two cores share them well. On 160 photos of people held out of training, at 102 x 126, these gain
1 dB and 0.03 of cosine over a single look; two at twice the size would add 0.1 dB and 0.003."""


class Descreener:
    """A network that predicts the picture under the mesh, the mask of the lines, and a score.

    manifest: stride (of the input's sides), tile (longest side of what one look takes in, pixels),
    margin (what a tile sees beyond the part it answers for), line (widest lines that the network
    knows, pixels), threshold (on the probability of a mesh); optional: small (pixels, see below).
    Everything is looked at as LOOKS says, or as SMALL_LOOKS where the picture's shorter side is
    below `small` and the picture is no larger than a tile; the mean of the answers counts.
    Input: (N, 3, H, W) float32 BGR 0..255. Outputs: the clean picture like the input, the mask
    (N, 1, H, W) 0..1, the logit of "carries a mesh" (N,).
    """

    def __init__(self, network: Network, manifest: Mapping[str, Any], runtime: Runtime) -> None:
        self._network = network
        self._map = runtime.map
        self._stride = int(manifest["stride"])
        self._tile = int(manifest["tile"])
        self._margin = int(manifest["margin"])
        self._line = float(manifest["line"])
        self._threshold = float(manifest["threshold"])
        self._small = float(manifest.get("small", 0))

    def descreen(self, image: Pixels) -> DescreenResult:
        """(H, W, 3) uint8 BGR of any size. Below the threshold the same array comes back."""
        overview = _shrunk(image, min(1.0, self._tile / max(image.shape[:2])))
        small = overview is image and min(image.shape[:2]) < self._small
        looks = SMALL_LOOKS if small else LOOKS
        clean, mask, logit = _joined(self._map(lambda look: self._look(overview, *look), looks))
        score = 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))
        if score < self._threshold:
            return DescreenResult(image, score, False)
        if overview is not image:
            clean = self._restore(image, self._working_scale(image, mask))
        return DescreenResult(clean, score, not np.array_equal(clean, image))

    def _working_scale(self, image: Pixels, mask: Floats) -> float:
        """Lines wider than the network knows are looked at in a smaller picture."""
        # The mask reaches a pixel beyond a line on either side.
        width = max(_line_width(mask) - 2.0, 0.5) * max(image.shape[:2]) / max(mask.shape)
        return float(min(1.0, self._line / width))

    def _restore(self, image: Pixels, scale: float) -> Pixels:
        small = _shrunk(image, scale)
        clean = np.empty_like(small)
        mask = np.empty(small.shape[:2], np.float32)
        height, width = small.shape[:2]

        def restore(tile: tuple[Area, Area, Area]) -> None:
            inner, outer, answer = tile
            seen = small[outer]
            tile_clean, tile_mask, _ = _joined([self._look(seen, *look) for look in LOOKS])
            clean[inner], mask[inner] = tile_clean[answer], tile_mask[answer]

        self._map(restore, list(_tiles(height, width, self._tile, self._margin)))
        if small is image:
            return clean
        return _enlarged_change(image, small, clean, mask)

    def _look(self, image: Pixels, enlarged: float, mirrored: bool) -> Look:
        """What the network makes of the picture seen in this way, brought back."""
        if mirrored:
            clean, mask, logit = self._look(image[:, ::-1], enlarged, False)
            return clean[:, ::-1], mask[:, ::-1], logit
        if enlarged == 1.0:
            return self._run(image)
        height, width = image.shape[:2]
        size = max(1, round(width * enlarged)), max(1, round(height * enlarged))
        large = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        clean, mask, logit = self._run(large)
        change = clean.astype(np.float32) - large
        change = cv2.resize(change, (width, height), interpolation=cv2.INTER_AREA)
        mask = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA))
        return np.asarray(np.clip(np.rint(image + change), 0, 255), np.uint8), mask, logit

    def _run(self, image: Pixels) -> Look:
        """Clean picture, mask and logit of a picture that fits in one run."""
        height, width = image.shape[:2]
        spare = [(0, -side % self._stride) for side in (height, width)]
        padded = np.pad(image, [*spare, (0, 0)], mode="symmetric")
        batch = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32)
        clean, mask, logit = self._network.run(batch)
        picture = np.rint(clean[0].transpose(1, 2, 0)[:height, :width]).astype(np.uint8)
        return picture, mask[0, 0, :height, :width], float(logit[0])


def _joined(looks: Sequence[Look]) -> Look:
    """The mean of all; the mask is where any saw a line."""
    cleans, masks, logits = zip(*looks, strict=True)
    clean = (np.add.reduce(cleans, dtype=np.uint16) + len(looks) // 2) // len(looks)
    return np.asarray(clean, np.uint8), np.maximum.reduce(masks), sum(logits) / len(logits)


def _tiles(height: int, width: int, tile: int, margin: int) -> Iterator[tuple[Area, Area, Area]]:
    """Parts that cover a picture once; what to look at for each; where the part lies in that.

    Beyond the margin a tile's content barely reaches the part, so parts meet without a seam.
    """
    step = tile - 2 * margin
    for top in range(0, height, step):
        for left in range(0, width, step):
            bottom, right = min(top + step, height), min(left + step, width)
            y0, x0 = max(top - margin, 0), max(left - margin, 0)
            outer = slice(y0, min(bottom + margin, height)), slice(x0, min(right + margin, width))
            inner = slice(top, bottom), slice(left, right)
            yield inner, outer, (slice(top - y0, bottom - y0), slice(left - x0, right - x0))


def _shrunk(image: Pixels, scale: float) -> Pixels:
    if scale >= 1.0:
        return image
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _line_width(mask: Floats) -> float:
    """Typical width of the lines of a mask, in its pixels; 0 for an empty one.

    On a line's centre the distance to the nearest pixel outside is half the width; the centres
    are where that distance is largest among the neighbours.
    """
    lines = (mask > 0.5).astype(np.uint8)
    if not lines.any():
        return 0.0
    distance = cv2.distanceTransform(lines, cv2.DIST_L2, 3)
    ridge = (lines > 0) & (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)))
    return float(2.0 * np.median(distance[ridge]))


def _enlarged_change(image: Pixels, small: Pixels, clean: Pixels, mask: Floats) -> Pixels:
    """`image` changed as `small` was changed to `clean`, in strips to keep memory low."""
    change = (clean.astype(np.int16) - small).astype(np.float32)
    output = image.copy()
    height, width = image.shape[:2]
    ratio = small.shape[0] / height, small.shape[1] / width
    x = ((np.arange(width) + 0.5) * ratio[1] - 0.5).astype(np.float32)
    for top in range(0, height, 256):
        rows = slice(top, min(top + 256, height))
        y = ((np.arange(rows.start, rows.stop) + 0.5) * ratio[0] - 0.5).astype(np.float32)
        grid_x, grid_y = np.meshgrid(x, y)
        grown = cv2.remap(change, grid_x, grid_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        where = cv2.remap(mask, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        grown[where <= 0.0] = 0.0
        output[rows] = np.clip(np.rint(image[rows] + grown), 0, 255).astype(np.uint8)
    return output
