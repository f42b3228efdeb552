"""What is put on photos and is no mesh: stamps, writing, scratches.

Each takes `(height, width, 3)` uint8 BGR and gives float32 of that shape.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


def _over(rng: np.random.Generator, photo: Image, drawn: Image, colour: Floats) -> Floats:
    """What is drawn, 0..255, in this colour, as ink or paint."""
    share = drawn[..., None] / 255.0 * rng.uniform(0.2, 0.9)
    ink = photo * colour / 255.0 if rng.random() < 0.4 else colour
    return np.asarray(photo + share * (ink - photo), np.float32)


def stamp(rng: np.random.Generator, photo: Image) -> Floats:
    """A round seal with a star and signs around it, often red, partly on the photo."""
    height, width = photo.shape[:2]
    drawn, side = np.zeros((height, width), np.uint8), min(height, width)
    centre = rng.uniform(0.1, 1.0) * width, rng.uniform(0.5, 1.0) * height
    radius = side * rng.uniform(0.2, 0.5)
    place = round(centre[0]), round(centre[1])
    cv2.circle(drawn, place, round(radius), 255, max(1, round(radius / 20)), cv2.LINE_AA)
    if rng.random() < 0.6:
        cv2.circle(drawn, place, round(radius * 0.6), 255, max(1, round(radius / 40)), cv2.LINE_AA)
    turns = np.arange(10) * np.pi / 5
    star = np.where(np.arange(10) % 2, 0.12, 0.3)[:, None] * radius
    corners = centre + star * np.stack([np.sin(turns), -np.cos(turns)], 1)
    cv2.fillPoly(drawn, [np.rint(corners).astype(np.int32)], 255, cv2.LINE_AA)
    for turn in np.arange(-2.6, 2.6, 0.42):
        sign = chr(int(rng.integers(65, 91)))
        x, y = centre + radius * 0.78 * np.array([np.sin(turn), -np.cos(turn)])
        size = radius / 110
        at = round(x - 9 * size), round(y + 9 * size)
        cv2.putText(drawn, sign, at, 0, size, 255, max(1, round(2 * size)), cv2.LINE_AA)
    red = np.array([50, 40, 220] if rng.random() < 0.7 else rng.uniform(0, 255, 3), np.float32)
    return _over(rng, photo, drawn, red)


def writing(rng: np.random.Generator, photo: Image) -> Floats:
    """One line of writing again and again, upright or slanting, as copies of IDs are marked."""
    height, width = photo.shape[:2]
    side, size = max(height, width), min(height, width) * rng.uniform(0.0015, 0.005)
    drawn = np.zeros((2 * side, 2 * side), np.uint8)
    line = "".join(chr(int(c)) for c in rng.integers(65, 91, int(rng.integers(4, 16)))) + "  "
    font, step = int(rng.integers(0, 8)), max(8, round(min(height, width) * rng.uniform(0.1, 0.4)))
    for number, y in enumerate(range(0, 2 * side, step)):
        signs = (line * 60)[number % len(line) :]
        cv2.putText(drawn, signs, (0, y), font, size, 255, max(1, round(2 * size)), cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((side, side), float(rng.choice([0, 30, 45, -30])), 1)
    turn[:, 2] -= side / 2
    drawn = np.asarray(cv2.warpAffine(drawn, turn, (width, height)), np.uint8)
    return _over(rng, photo, drawn, np.full(3, rng.uniform(0, 255), np.float32))


def scratches(rng: np.random.Generator, photo: Image) -> Floats:
    """Thin lines that wander, most of them one way, or hairs."""
    height, width = photo.shape[:2]
    drawn, along = np.zeros((height, width), np.uint8), rng.uniform(0, np.pi)
    for _ in range(int(rng.integers(4, 40))):
        turn, length = along + rng.normal(0, 0.5), rng.uniform(0.1, 0.9) * width
        way = np.linspace(-0.5, 0.5, 12)[:, None] * length * [np.cos(turn), np.sin(turn)]
        wander = rng.normal(0, 0.01 * width, (12, 2)).cumsum(0)
        points = rng.uniform(0, 1, 2) * (width, height) + way + wander
        fixed, strength = np.rint(points * 16).astype(np.int32), int(rng.integers(80, 255))
        cv2.polylines(drawn, [fixed], False, strength, int(rng.integers(1, 3)), cv2.LINE_AA, 4)
    return _over(rng, photo, drawn, np.full(3, rng.uniform(0, 255), np.float32))
