"""Mattes: where the person is in a portrait."""

from pathlib import Path

import cv2
import numpy as np
from checksum import checksum
from numpy.typing import NDArray

from engine.evaluation.photos import SampleError
from engine.evaluation.replacing import replacing

Image = NDArray[np.uint8]
SIDE = 128


def outlines(paths: list[Path], cache: Path) -> NDArray[np.uint8]:
    """Head and shoulders of every portrait by GrabCut; kept beside `cache`, under its name and a
    checksum of the portraits."""
    made_of = checksum(paths, ["mattes"])
    kept = cache.with_stem(f"{cache.stem}_{made_of[:16]}")
    if kept.exists():
        return np.asarray(np.load(kept), np.uint8)
    mattes = np.stack([_matte(read_portrait(path)) for path in paths])
    kept.parent.mkdir(parents=True, exist_ok=True)
    with replacing(kept) as new, new.open("wb") as file:  # whose name numpy would change
        np.save(file, mattes)
    return mattes


def _matte(image: Image) -> Image:
    side = SIDE
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    label = np.full((side, side), cv2.GC_PR_BGD, np.uint8)
    cv2.ellipse(label, (64, 52), (30, 40), 0, 0, 360, int(cv2.GC_PR_FGD), -1)
    cv2.ellipse(label, (64, 135), (60, 48), 0, 0, 360, int(cv2.GC_PR_FGD), -1)
    cv2.ellipse(label, (64, 54), (16, 24), 0, 0, 360, int(cv2.GC_FGD), -1)
    label[:6] = cv2.GC_BGD
    label[:50, :14] = label[:50, -14:] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    cv2.grabCut(small, label, None, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    inside = np.isin(label, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8) * 255
    return np.asarray(cv2.GaussianBlur(inside, (0, 0), 1.0), np.uint8)


def read_portrait(path: Path) -> Image:
    """`(H, W, 3)` uint8 BGR. Raises SampleError for a file that is no picture."""
    image = cv2.imread(str(path))
    if image is None:
        raise SampleError(f"{path} is not a picture")
    return np.asarray(image, np.uint8)
