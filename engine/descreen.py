"""Descreening: finding the anti-copy mesh on an ID photo and taking it out."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.images import Pixels, is_grey
from engine.lines import enlarged_change, line_width
from engine.network import Network
from engine.numbers import number
from engine.providers import CUDA
from engine.results import DescreenResult
from engine.runtime import Runtime
from engine.tiles import Tile, tiles

GPU_STRIDE = 128
"""Sides are multiples of this on a GPU, so that few sizes have to be planned (sessions.PerSize). On
161 photos of 102 x 126 to 358 x 441 pixels, under mesh, that costs 0.03 dB and moves the score by
0.006."""

Floats = NDArray[np.float32]
Look = tuple[Pixels, Floats, float]

LOOKS = ((1.0, False), (1.0, True))
"""The ways a picture is looked at: how much it is enlarged, and whether it is mirrored."""

SMALL_LOOKS = ((1.5, False), (1.5, True), *LOOKS)
"""The same for a thumbnail, whose lines are hardly wider than a pixel; long looks first, so that
two cores share them well. On 160 photos of people held out of training, at 102 x 126, these gain
1 dB and 0.016 of cosine over a single look; two at twice the size would add 0.2 dB and 0.001."""

LARGE = 4_000_000
"""Pixels beyond which a picture, in the size in which its lines are taken out, gets the first of
LOOKS alone: a second one takes 0.6 s of a core a megapixel, and 50 megapixels are let in. Under
each of 18 meshes on photos of 2000 x 2600 and 2600 x 3400 that size was below (_working_scale);
8 of them in full size came to 40.1 dB with one look, 40.9 with two, and 23.9 before."""

VISIBLE = 12
"""Levels of any channel: where fewer than a hundredth of the pixels would change by as much, there
was no mesh to be seen. Of 1,064 meshed and 1,331 other pictures of people held out of training,
that is none of the 1,048 meshed ones that are recognised (the least: 14), and one of the 20 other
ones that are taken for meshed (10)."""


class Descreener:
    """A network that predicts the picture under the mesh, the mask of the lines, and a score.

    manifest: stride (of the input's sides), tile (longest side of what one look takes in, pixels),
    margin (what a tile sees beyond the part it answers for, at least a stride), line (widest lines
    that the network knows, pixels), threshold (on the probability of a mesh); optional: small
    (pixels, see below).
    A picture no larger than a tile whose shorter side is below `small` gets SMALL_LOOKS, all others
    LOOKS, but for what is LARGE; the answers are averaged.
    Input: (N, 3, H, W) float32 BGR 0..255. Outputs: the clean picture like the input, the mask
    (N, 1, H, W) 0..1, the logit of "carries a mesh" (N,).
    Raises what packs.MISFITS lists for a setting that is missing or wrong.
    """

    def __init__(self, network: Network, manifest: Mapping[str, Any], runtime: Runtime) -> None:
        self._network = network
        self._map = runtime.map
        self._stride = int(manifest["stride"])
        on_gpu = network.providers[0] == CUDA
        self._multiple = math.lcm(self._stride, GPU_STRIDE) if on_gpu else self._stride
        self._tile = int(manifest["tile"])
        self._margin = int(manifest["margin"])
        self._line = float(manifest["line"])
        self._threshold = number(manifest, "threshold", 0, 1)
        self._small = number({"small": 0, **manifest}, "small")
        fits = 1 <= self._stride <= self._margin and 2 * self._margin < self._tile
        if not fits or self._line <= 0:
            raise ValueError(
                "stride and line are above 0, margin is no less than stride, "
                "and tile is above twice the margin"
            )

    def descreen(self, image: Pixels) -> DescreenResult:
        """(H, W, 3) uint8 BGR of any size. Below the threshold, and where nothing VISIBLE would be
        changed, the same array comes back. A picture in shades of grey stays one."""
        overview = _shrunk(image, min(1.0, self._tile / max(image.shape[:2])))
        small = overview is image and min(image.shape[:2]) < self._small
        looks = SMALL_LOOKS if small else LOOKS
        clean, mask, logit = _joined(self._map(lambda look: self._look(overview, *look), looks))
        if not math.isfinite(logit):
            raise EngineError("the descreen network gave no number: its weights may be damaged")
        score = 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))
        if score < self._threshold:
            return DescreenResult(image, score, False)
        if overview is not image:
            clean = self._restore(image, self._working_scale(image, mask))
        if is_grey(image):
            clean = np.asarray(cv2.transform(clean, np.full((3, 3), 1 / 3)), np.uint8)
        if not _visible(image, clean):
            return DescreenResult(image, score, False)
        return DescreenResult(clean, score, True)

    def _working_scale(self, image: Pixels, mask: Floats) -> float:
        """Lines wider than the network knows are looked at in a smaller picture."""
        # The mask reaches a pixel beyond a line on either side.
        width = max(line_width(mask) - 2.0, 0.5) * max(image.shape[:2]) / max(mask.shape)
        return float(min(1.0, self._line / width))

    def _restore(self, image: Pixels, scale: float) -> Pixels:
        small = _shrunk(image, scale)
        clean = np.empty_like(small)
        height, width = small.shape[:2]
        looks = LOOKS if height * width <= LARGE else LOOKS[:1]

        def restore(tile: Tile) -> None:
            seen = small[tile.seen]
            clean[tile.part] = _joined([self._look(seen, *look) for look in looks])[0][tile.inside]

        self._map(restore, list(tiles(height, width, self._tile, self._margin, self._stride)))
        if small is image:
            return clean
        return enlarged_change(image, small, clean)

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
        spare = [(0, -side % self._multiple) for side in (height, width)]
        padded = np.pad(image, [*spare, (0, 0)], mode="symmetric")
        batch = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32)
        clean, mask, logit = self._network.run(batch)
        picture = np.clip(np.rint(clean[0].transpose(1, 2, 0)[:height, :width]), 0, 255)
        return picture.astype(np.uint8), mask[0, 0, :height, :width], float(logit[0])


def _visible(image: Pixels, clean: Pixels) -> bool:
    unseen = cv2.inRange(cv2.absdiff(image, clean), (0, 0, 0), (VISIBLE - 1,) * 3)
    return bool(100 * (unseen.size - cv2.countNonZero(unseen)) >= unseen.size)


def _joined(looks: Sequence[Look]) -> Look:
    """The mean of all; the mask is where any saw a line."""
    cleans, masks, logits = zip(*looks, strict=True)
    clean = (np.add.reduce(cleans, dtype=np.uint16) + len(looks) // 2) // len(looks)
    return np.asarray(clean, np.uint8), np.maximum.reduce(masks), sum(logits) / len(logits)


def _shrunk(image: Pixels, scale: float) -> Pixels:
    if scale >= 1.0:
        return image
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
