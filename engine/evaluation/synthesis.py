"""Meshes drawn on photos from a seed, by the generator that lies with the training recipe."""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.evaluation.photos import SampleError
from engine.images import Pixels

SIZES = ((102, 126), (178, 220), (295, 413), (358, 441), (800, 1000))
"""Width and height that photos are brought to, in turn."""

_BUILD = Path(__file__).resolve().parents[2] / "weights" / "build"


def generator(name: str) -> Any:
    """A module of the mesh generator, such as `mesh`, which lies with the training recipe.

    Raises SampleError where there is no checkout.
    """
    if not (_BUILD / f"{name}.py").exists():
        raise SampleError(
            f"{_BUILD / name}.py is missing: meshes are synthesised from a checkout of the "
            "project only; elsewhere give --clean and --meshed alone"
        )
    if str(_BUILD) not in sys.path:
        sys.path.append(str(_BUILD))
    return importlib.import_module(name)


def families(choice: str) -> Sequence[str]:
    """The mesh families of "test", "train" or "all", or those named with commas between.

    Raises SampleError for another name, and where there is no checkout.
    """
    mesh = generator("mesh")
    known = {"test": mesh.TEST_FAMILIES, "train": mesh.TRAIN_FAMILIES, "all": mesh.FAMILIES}
    names: Sequence[str] = known.get(choice) or choice.split(",")
    unknown = set(names) - set(mesh.FAMILIES)
    if unknown:
        raise SampleError(
            f"unknown mesh families: {', '.join(sorted(unknown))}; there are test, train, all and "
            f"{', '.join(sorted(mesh.FAMILIES))}"
        )
    return names


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mesh drawn on a photo and both captured alike; as meshed.Pair has them."""

    meshed: Pixels
    clean: Pixels
    mask: NDArray[np.float32]
    opacity: str
    compressed: bool


def draw(
    rng: np.random.Generator,
    photo: Pixels,
    family: str,
    width: int,
    height: int,
    varied: bool = False,
) -> Drawn:
    """A mesh of that family on the photo, cut out and captured as `(height, width, 3)`.

    varied: often in other inks or two, dashed, coarse, narrow, wide, or on a part of the photo.
    """
    sampling, capture = generator("mesh_sampling"), generator("capture")
    how = capture.sample(rng)
    size = round(width / how.scale), round(height / how.scale)
    lines = sampling.sample(rng, min(size), [family])
    if varied:
        lines = sampling.varied(rng, lines)
    meshed, clean, mask = capture.expose(cut_out(photo, *size), lines, how, height, width)
    opacity = max(ink.opacity for ink in lines.inks)
    third = ("faint", "middle", "strong")[min(2, int(3 * (opacity - 0.25) / 0.7))]
    return Drawn(meshed, clean, mask, third, bool(how.jpeg_after))


def turn(number: int, photos: int, kinds: int) -> int:
    """Which kind's turn it is; photos that come round again in step with them meet the next one."""
    rounds = number // photos if photos % kinds == 0 else 0
    return (number + rounds) % kinds


def cut_out(image: Pixels, width: int, height: int) -> Pixels:
    """The largest centred part with this aspect, resized to `(height, width, 3)`."""
    rows, columns = image.shape[:2]
    scale = min(columns / width, rows / height)
    box_w, box_h = max(1, round(width * scale)), max(1, round(height * scale))
    top, left = (rows - box_h) // 2, (columns - box_w) // 2
    part = image[top : top + box_h, left : left + box_w]
    how = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (width, height), interpolation=how), np.uint8)
