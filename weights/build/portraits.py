"""Licence-clean portraits, made to look like other people's ID photos.

The portraits at hand show few kinds of people, rooms and cameras. Each one drawn from here gets
another size, background, colour, sharpness, and sometimes thin things that are not a mesh (hair,
glasses, writing, woven cloth), which have to survive its removal.
"""

from pathlib import Path

import cv2
import numpy as np
from augmentation import augment
from kept_apart import held_out, unseen
from mattes import outlines, read_portrait
from numpy.typing import NDArray

from engine.evaluation.photos import SampleError

Image = NDArray[np.uint8]


def portrait_files(folder: Path) -> list[Path]:
    """The pictures in us_officials/ and gan_idcards/, in order. Raises SampleError for none."""
    names = ("us_officials", "gan_idcards")
    paths = sorted(p for name in names for p in (folder / name).glob("*.[jp][pn]g"))
    if not paths:
        raise SampleError(f"no portraits in {folder}/us_officials or gan_idcards")
    return paths


class Portraits:
    """Portraits below `folder` in several sizes, with the outlines of the people.

    Those that training sees, or for `validation` those of people whom it never sees.
    """

    def __init__(self, folder: Path, cache: Path, validation: bool = False) -> None:
        paths = portrait_files(folder)
        mattes = outlines(paths, cache)
        wanted = [unseen(path) if validation else not held_out(path) for path in paths]
        chosen = np.flatnonzero(wanted)
        self._mattes = [mattes[i] for i in chosen]
        self._levels = [_pyramid(read_portrait(paths[i])) for i in chosen]

    def __len__(self) -> int:
        return len(self._levels)

    def draw(
        self,
        rng: np.random.Generator,
        height: int,
        width: int,
        whole: bool = False,
        untouched: bool = False,
    ) -> tuple[Image, Image, float]:
        """A `(height, width, 3)` uint8 BGR cut-out, augmented unless it is to be untouched, where
        the person is in it (0..255), and the shorter side of its portrait at that scale."""
        index = int(rng.integers(len(self)))
        levels, matte = self._levels[index], self._mattes[index]
        full_h, full_w = levels[0].shape[:2]
        least = max(height / full_h, width / full_w)  # of the scale from the full portrait
        scale = least
        if not whole:
            side = np.exp(rng.uniform(np.log(100), np.log(800)))
            scale = max(least, side / min(full_h, full_w))
        level = levels[int(np.clip(np.floor(-np.log2(scale)), 0, len(levels) - 1))]
        factor = level.shape[0] / full_h
        box_h, box_w = height / scale * factor, width / scale * factor
        top = rng.beta(1.5, 2.0) * (level.shape[0] - box_h)
        left = rng.beta(2.0, 2.0) * (level.shape[1] - box_w)
        image = _cut(level, top, left, box_h, box_w, height, width)
        k = matte.shape[0] / level.shape[0], matte.shape[1] / level.shape[1]
        person = _cut(matte, top * k[0], left * k[1], box_h * k[0], box_w * k[1], height, width)
        if rng.random() < 0.5:
            image, person = (np.ascontiguousarray(one[:, ::-1]) for one in (image, person))
        image = image if untouched else augment(rng, image, person)
        return image, person, scale * min(full_h, full_w)


def _cut(
    image: Image, top: float, left: float, box_h: float, box_w: float, height: int, width: int
) -> Image:
    """The box of `image`, resized."""
    y, x = round(top), round(left)
    part = image[y : y + max(2, round(box_h)), x : x + max(2, round(box_w))]
    how = cv2.INTER_AREA if part.shape[0] > height else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (width, height), interpolation=how), np.uint8)


def _pyramid(image: Image) -> list[Image]:
    levels = [image]
    while min(levels[-1].shape[:2]) > 200:
        levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return levels
