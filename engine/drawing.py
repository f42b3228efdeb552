"""Pictures for people to look at: boxes, landmarks, comparisons side by side."""

from collections.abc import Sequence

import cv2
import numpy as np

from engine.images import Pixels
from engine.results import Face

GREEN, RED, YELLOW, WHITE = (80, 200, 80), (60, 60, 230), (0, 220, 255), (255, 255, 255)
BAND = 36
"""Height in pixels of the band that carries a caption."""


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


def side_by_side(left: Pixels, right: Pixels, height: int = 480) -> Pixels:
    """Two pictures brought to one height and joined."""
    scaled = [
        cv2.resize(
            image,
            (max(1, round(image.shape[1] * height / image.shape[0])), height),
            interpolation=cv2.INTER_AREA if image.shape[0] > height else cv2.INTER_LINEAR,
        )
        for image in (left, right)
    ]
    return np.concatenate(scaled, axis=1)
