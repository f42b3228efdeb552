"""Crops for liveness: a face with more or less of what is around it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.images import Pixels
from engine.results import Face

BORDERS = {"reflect": cv2.BORDER_REFLECT_101, "black": cv2.BORDER_CONSTANT}
"""What a square crop shows beyond the picture's edge, by OpenCV's names for it."""


def fitting_scale(image: Pixels, face: Face, scale: float) -> float:
    """How many times the face's box fits into the picture, at most `scale`."""
    height, width = image.shape[:2]
    _, _, box_width, box_height = face.box
    return float(min(scale, (width - 1) / box_width, (height - 1) / box_height))


def context_crop(image: Pixels, face: Face, scale: float, size: int) -> Pixels:
    """The face and what is around it, (size, size, 3) uint8 BGR.

    The box grown `scale` times about its centre; where it would leave the picture it shrinks to
    fit and shifts inside, keeping the box's aspect, as the first network's training crops did.
    """
    height, width = image.shape[:2]
    x, y, box_width, box_height = face.box
    scale = fitting_scale(image, face, scale)
    half: NDArray[np.float64] = np.array([box_width, box_height]) * scale / 2
    limit = np.array([width - 1, height - 1])
    centre = np.array([x + box_width / 2, y + box_height / 2])
    centre = np.clip(centre, half, np.maximum(limit - half, half))
    left, top = np.floor(centre - half).astype(int)
    right, bottom = np.ceil(centre + half).astype(int)
    crop = image[max(top, 0) : bottom + 1, max(left, 0) : right + 1]
    return np.asarray(cv2.resize(crop, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)


def square_crop(image: Pixels, face: Face, scale: float, size: int, border: str) -> Pixels:
    """A square about the box's centre, `scale` times its longer side, (size, size, 3) uint8 BGR.

    border: beyond the picture's edge it is mirrored ("reflect") or "black".
    """
    height, width = image.shape[:2]
    x, y, box_width, box_height = face.box
    side = max(1, round(max(box_width, box_height) * scale))
    left, top = round(x + (box_width - side) / 2), round(y + (box_height - side) / 2)
    right, bottom = left + side, top + side
    inside = image[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    edges = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    crop = cv2.copyMakeBorder(inside, *edges, BORDERS[border])
    how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (size, size), interpolation=how), np.uint8)
