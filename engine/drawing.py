"""Pictures for people to look at: boxes, landmarks, comparisons side by side."""

from collections.abc import Sequence

import cv2
import numpy as np

from engine.images import Pixels
from engine.results import Face

GREEN, RED, YELLOW, WHITE = (80, 200, 80), (60, 60, 230), (0, 220, 255), (255, 255, 255)
BAND, HEIGHT = 36, 480
"""Pixels: the height of the band that carries a caption, and of two pictures beside each other."""


def draw_faces(image: Pixels, faces: Sequence[Face]) -> Pixels:
    """A copy of (H, W, 3) uint8 BGR with every face's box and five landmarks."""
    canvas = image.copy()
    thick = max(1, round(max(image.shape[:2]) / 400))
    for face in faces:
        x, y, width, height = (round(value) for value in face.box)
        cv2.rectangle(canvas, (x, y), (x + width, y + height), GREEN, thick, cv2.LINE_AA)
        for point in face.landmarks:
            cv2.circle(canvas, np.rint(point).astype(int).tolist(), thick + 1, YELLOW, -1)
    return canvas


def caption(image: Pixels, text: str, good: bool) -> Pixels:
    """The picture with a band above it: green for a pass, red for a refusal. ASCII text."""
    band = np.full((BAND, image.shape[1], 3), GREEN if good else RED, np.uint8)
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)
    scale = min(0.6, (image.shape[1] - 12) / max(width, 1))
    cv2.putText(band, text, (6, BAND - 12), cv2.FONT_HERSHEY_SIMPLEX, scale, WHITE, 1, cv2.LINE_AA)
    return np.concatenate([band, image])


def side_by_side(left: Pixels, right: Pixels) -> Pixels:
    """Two pictures brought to HEIGHT and joined."""
    return np.concatenate([_scaled(left), _scaled(right)], axis=1)


def _scaled(image: Pixels) -> Pixels:
    height, width = image.shape[:2]
    how = cv2.INTER_AREA if height > HEIGHT else cv2.INTER_LINEAR
    size = max(1, round(width * HEIGHT / height)), HEIGHT
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
