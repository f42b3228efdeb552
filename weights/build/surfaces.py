"""Photos with a pattern over them that is no mesh: of paper, screens, print, shadows and more.

Each takes `(height, width, 3)` uint8 BGR, of sides of 16 pixels and more, and gives float32.
"""

from collections.abc import Callable

import cv2
import numpy as np
import overprints
from jpeg import compressed
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


def on_surface(rng: np.random.Generator, photo: Image) -> Image:
    """The photo on paper or a screen, printed, drawn, stamped, scratched or saved too often."""
    made = SURFACES[int(rng.integers(len(SURFACES)))](rng, photo)
    return np.asarray(np.clip(np.rint(made), 0, 255), np.uint8)


def _axes(rng: np.random.Generator, photo: Image, turn: float) -> tuple[Floats, Floats]:
    """Places along and across lines at about that angle, in pixels."""
    angle = turn + rng.normal(0, 0.06)
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]].astype(np.float32)
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _paper(rng: np.random.Generator, photo: Image) -> Floats:
    """Linen or honeycomb, as photo paper is pressed."""
    x, y = (2 * np.pi * axis / rng.uniform(2.0, 6.0) for axis in _axes(rng, photo, 0.0))
    third = np.cos(x / 2 + y * 0.866) if rng.random() < 0.5 else 0.0
    raised = np.cos(x) * np.cos(y) + third
    return np.asarray(photo + rng.uniform(4, 18) * raised[..., None], np.float32)


def _screen(rng: np.random.Generator, photo: Image) -> Floats:
    """Moiré between a display's subpixels and a camera's, or the lines of a tube."""
    x, y = _axes(rng, photo, 0.0)
    if rng.random() < 0.4:
        dark = (y % rng.uniform(2, 5)) < 1.3
        return np.asarray(photo * (1 - rng.uniform(0.1, 0.35) * dark[..., None]), np.float32)
    bend = rng.uniform(0, 2) * np.sin(2 * np.pi * (x + y) / rng.uniform(60, 300))
    phase = 2 * np.pi * (x + bend) / rng.uniform(1.7, 8.0)
    waves = np.stack([np.cos(phase - 2.1 * channel * rng.random()) for channel in range(3)], 2)
    return np.asarray(photo * (1 + rng.uniform(0.05, 0.25) * (waves - 0.5)), np.float32)


def _halftone(rng: np.random.Generator, photo: Image) -> Floats:
    """Dots of ink in screens at the angles of their colours."""
    pitch, kept = rng.uniform(2.5, 7.0), rng.uniform(0, 0.5)
    printed = np.empty(photo.shape, np.float32)
    for channel, turn in enumerate((0.26, 1.31, 0.79)):
        x, y = _axes(rng, photo, turn)
        screen = np.cos(2 * np.pi * x / pitch) + np.cos(2 * np.pi * y / pitch)
        level = photo[..., channel] / 255.0 - 0.5 - 0.25 * screen
        printed[..., channel] = 255 * np.clip(4 * level + 0.5, 0, 1)
    return np.asarray(printed * (1 - kept) + kept * photo, np.float32)


def _dithered(rng: np.random.Generator, photo: Image) -> Floats:
    """Few colours, mixed by Bayer's ordered pattern ("An optimum method...", 1973)."""
    pattern = np.array([[0, 2], [3, 1]])
    pattern = np.block([[4 * pattern, 4 * pattern + 2], [4 * pattern + 3, 4 * pattern + 1]]) / 16
    height, width = photo.shape[:2]
    tiled = np.tile(pattern, (height // 4 + 1, width // 4 + 1))[:height, :width, None]
    step = float(rng.choice([32, 51, 85]))
    return np.asarray(np.floor(photo / step + tiled) * step, np.float32)


def _drawing(rng: np.random.Generator, photo: Image) -> Floats:
    """Cross-hatching by pen, denser where the photo is darker."""
    grey = cv2.GaussianBlur(photo.mean(2), (0, 0), 0.008 * min(photo.shape[:2]))
    drawn = np.full(photo.shape[:2], rng.uniform(230, 255), np.float32)
    pitch = max(3.0, min(photo.shape[:2]) * rng.uniform(0.015, 0.035))
    for turn, limit in ((0.8, 190), (-0.8, 140), (0.0, 95), (1.57, 60)):
        line = np.abs(_axes(rng, photo, turn)[1] % pitch - pitch / 2) < pitch * 0.15
        drawn[line & (grey < limit)] *= rng.uniform(0.1, 0.4)
    return np.repeat(drawn[..., None], 3, 2)


def _sheet(rng: np.random.Generator, photo: Image) -> Floats:
    """A sheet of several copies, to be cut apart."""
    height, width = photo.shape[:2]
    rows, columns = (int(n) for n in rng.integers(2, 5, 2))
    sheet = np.full(photo.shape, 255, np.float32)
    box = height // rows, width // columns
    gap = max(1, round(0.04 * min(box)))
    small = cv2.resize(photo, (box[1] - gap, box[0] - gap), interpolation=cv2.INTER_AREA)
    for row in range(rows):
        for column in range(columns):
            top, left = row * box[0], column * box[1]
            sheet[top : top + small.shape[0], left : left + small.shape[1]] = small
    if rng.random() < 0.5:
        sheet[box[0] - gap // 2 - 1 :: box[0]] = sheet[:, box[1] - gap // 2 - 1 :: box[1]] = 90
    return sheet


def _blinds(rng: np.random.Generator, photo: Image) -> Floats:
    """The shadow of blinds or leaves."""
    side = min(photo.shape[:2])
    x, y = _axes(rng, photo, rng.normal(0, 0.4))
    step = side * rng.uniform(0.05, 0.18)
    bend = 0.15 * step * np.sin(2 * np.pi * x / (side * rng.uniform(0.3, 1.0)))
    shade = ((y + bend) % step < step * rng.uniform(0.3, 0.6)).astype(np.float32)
    soft = cv2.GaussianBlur(shade, (0, 0), step * rng.uniform(0.03, 0.15))
    return np.asarray(photo * (1 - rng.uniform(0.2, 0.6) * soft[..., None]), np.float32)


def _saved(rng: np.random.Generator, photo: Image) -> Floats:
    return compressed(photo, int(rng.integers(6, 35))).astype(np.float32)


SURFACES: tuple[Callable[[np.random.Generator, Image], Floats], ...] = (
    _paper,
    _screen,
    _halftone,
    _dithered,
    _drawing,
    _sheet,
    overprints.stamp,
    overprints.writing,
    overprints.scratches,
    _blinds,
    _saved,
    _saved,
)
