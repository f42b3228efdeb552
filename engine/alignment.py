"""Alignment: a face turned, scaled and shifted so that its landmarks fall where a network wants."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.images import Pixels
from engine.resizing import halve, shrink

TEMPLATE_SIZE = 112
ARCFACE_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]], np.float32,
)  # fmt: skip
"""Landmark positions in a 112 x 112 crop, in the order of Face.landmarks (Deng et al., ArcFace,
CVPR 2019; the reference code's constants)."""


def similarity_transform(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """The (2, 3) rotation, uniform scale and shift that best maps landmarks to ARCFACE_TEMPLATE.

    landmarks: (5, 2) float32 pixels, as Face.landmarks; all in one point, their scale is 0.
    Least squares in closed form (Umeyama, PAMI 1991); in the plane it needs no SVD, because
    rotation with scale is one complex number.
    """
    source = landmarks[:, 0] + 1j * landmarks[:, 1]
    target = ARCFACE_TEMPLATE[:, 0] + 1j * ARCFACE_TEMPLATE[:, 1]
    centred = source - source.mean()
    spread = (centred * centred.conj()).sum().real
    turn = (centred.conj() * (target - target.mean())).sum() / max(spread, 1e-9)
    shift = target.mean() - turn * source.mean()
    return np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]], np.float32
    )


def align(image: Pixels, landmarks: NDArray[np.float32], size: int = TEMPLATE_SIZE) -> Pixels:
    """The face as a (size, size, 3) uint8 BGR crop; beyond the picture's edge it is black."""
    matrix = similarity_transform(landmarks) * np.float32(size / TEMPLATE_SIZE)
    # Bilinear sampling skips pixels when it shrinks by more than half: average them.
    if _scale(matrix) < 0.25:
        image, matrix = _halved(image, matrix, size)
    if _scale(matrix) >= 0.5:
        return _warp(image, matrix, size)
    finer = 2 * matrix
    finer[:, 2] += 0.5
    return halve(_warp(image, finer, 2 * size))


def _warp(image: Pixels, matrix: NDArray[np.float32], size: int) -> Pixels:
    crop = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR)
    return np.asarray(crop, np.uint8)


def _scale(matrix: NDArray[np.float32]) -> float:
    return math.hypot(matrix[0, 0], matrix[1, 0])


def _halved(
    image: Pixels, matrix: NDArray[np.float32], size: int
) -> tuple[Pixels, NDArray[np.float32]]:
    """The part of a picture that a crop shows, halved until its scale is at least 0.25, and the
    crop's matrix for it."""
    height, width = image.shape[:2]
    back = cv2.invertAffineTransform(matrix)
    corners = np.array([[x, y, 1] for x in (-1, size) for y in (-1, size)]) @ back.T
    low = np.clip(np.floor(corners.min(axis=0)), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, low + 1, (width, height)).astype(int)
    image = image[low[1] : high[1], low[0] : high[0]]
    matrix = matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ low
    while _scale(matrix) < 0.25 and min(image.shape[:2]) > 1:
        image = halve(image)
        # Pixel i of a half is the mean of 2 i and 2 i + 1: its centre lies at 2 i + 0.5.
        matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2
        matrix[:, :2] *= 2
    return image, matrix


def window(
    image: Pixels, corner: NDArray[np.floating[Any]], side: float, scale: float
) -> tuple[Pixels, NDArray[np.float64], NDArray[np.float64]]:
    """A square part of a picture, as far as it lies inside, resized by averaging.

    corner: x, y of the square's top left, side in pixels, scale at most 1. Returns the part, the
    x, y where it really begins, and its real scale in x and y: part = (picture - begin) * scale.
    """
    (left, right), (top, bottom) = (
        _inside(float(begin), float(begin + side), most)
        for begin, most in zip(corner, image.shape[1::-1], strict=True)
    )
    shape = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    part = shrink(image[top:bottom, left:right], *shape, finer=2)
    real = np.array(shape) / (right - left, bottom - top)
    return part, np.array([left, top], np.float64), real


def _inside(begin: float, end: float, most: int) -> tuple[int, int]:
    """The whole pixels from begin to end that a side of `most` has, at least one."""
    low = min(max(math.floor(begin), 0), most - 1)
    return low, min(max(math.ceil(end), low + 1), most)
