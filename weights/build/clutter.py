"""Thin structures that belong to a photo and have to survive the removal of a mesh."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


def cluttered(rng: np.random.Generator, picture: Floats) -> Floats:
    """`(H, W, 3)` BGR 0..255 with hair, glasses, writing, woven cloth or a fine moire."""
    kind = int(rng.integers(5))
    colour = [float(c) for c in rng.uniform(0, 255, 3)]
    thick = int(rng.integers(1, 4))
    drawn = np.clip(picture, 0, 255).astype(np.uint8)  # the only depth that is anti-aliased
    if kind == 0:
        _hair(rng, drawn)
    elif kind == 1:
        _glasses(rng, drawn, colour, thick)
    elif kind == 2:
        _writing(rng, drawn, colour, thick)
    else:
        height, width = drawn.shape[:2]
        return drawn + _weave(rng, height, width, everywhere=kind == 3)[..., None]
    return drawn.astype(np.float32)


def _hair(rng: np.random.Generator, picture: Image) -> None:
    """Strands from one root."""
    height, width = picture.shape[:2]
    dark = [float(rng.uniform(0, 70))] * 3
    t = np.linspace(0, 1, 16)[:, None]
    root = rng.uniform(0, 1, 2) * (width, height)
    for _ in range(int(rng.integers(2, 9))):
        knots = root + rng.normal(0, 0.35, (3, 2)) * (width, height)
        curve = (1 - t) ** 2 * knots[0] + 2 * t * (1 - t) * knots[1] + t**2 * knots[2]
        places = np.rint(curve * 16).astype(np.int32)
        cv2.polylines(picture, [places], False, dark, 1, cv2.LINE_AA, shift=4)


def _glasses(rng: np.random.Generator, picture: Image, colour: list[float], thick: int) -> None:
    height, width = picture.shape[:2]
    radius = rng.uniform(0.1, 0.22) * width
    x, y = rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height
    axes = int(radius), int(radius * rng.uniform(0.6, 1.0))
    for side in (-1.25, 1.25):
        middle = int(x + side * radius), int(y)
        cv2.ellipse(picture, middle, axes, 0, 0, 360, colour, thick, cv2.LINE_AA)
    left, right = ((int(x + side * radius), int(y)) for side in (-0.3, 0.3))
    cv2.line(picture, left, right, colour, thick, cv2.LINE_AA)


def _writing(rng: np.random.Generator, picture: Image, colour: list[float], thick: int) -> None:
    height, width = picture.shape[:2]
    signs = "".join(chr(int(c)) for c in rng.integers(40, 122, 14))
    for line in range(int(rng.integers(1, 4))):
        place = int(rng.uniform(-0.2, 0.5) * width), int(rng.uniform(0.1, 1) * height)
        font, size = int(rng.integers(0, 7)), float(rng.uniform(0.3, 1.2))
        cv2.putText(picture, signs[line:], place, font, size, colour, thick, cv2.LINE_AA)


def _weave(rng: np.random.Generator, height: int, width: int, everywhere: bool) -> Floats:
    """Woven or printed cloth in one corner, or a faint fine moire everywhere, to be added."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    turn, period = rng.uniform(0, np.pi), rng.uniform(2.5, 12.0)
    across = np.cos(turn) * x + np.sin(turn) * y
    along = np.cos(turn) * y - np.sin(turn) * x
    crossed = rng.random() < 0.5
    strength = rng.uniform(5, 60)
    if everywhere:
        fine = np.sin(2 * np.pi * across / min(period, 4.0))
        return np.asarray(fine * min(strength, 8.0), np.float32)
    weave = np.sin(2 * np.pi * across / period)
    if crossed:
        weave = np.maximum(weave, np.sin(2 * np.pi * along / period))
    place = (x - rng.uniform(-0.3, 1.3) * width) * np.cos(turn * 3)
    place += (y - rng.uniform(0.5, 1.3) * height) * np.sin(turn * 3)
    return np.asarray(weave * strength * (place > 0), np.float32)
