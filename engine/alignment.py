"""Alignment: a face turned, scaled and shifted so that its landmarks fall where a network wants."""

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.images import Pixels

TEMPLATE_SIZE = 112
ARCFACE_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]], np.float32,
)  # fmt: skip
"""Landmark positions in a 112 x 112 crop, in the order of Face.landmarks (Deng et al., ArcFace,
CVPR 2019; the reference code's constants)."""


def similarity_transform(
    landmarks: NDArray[np.float32], template: NDArray[np.float32] = ARCFACE_TEMPLATE
) -> NDArray[np.float32]:
    """The (2, 3) rotation, uniform scale and shift that best maps (5, 2) landmarks to a template.

    Least squares in closed form (Umeyama, PAMI 1991); in the plane it needs no SVD, because
    rotation with scale is one complex number.
    """
    source = landmarks[:, 0] + 1j * landmarks[:, 1]
    target = template[:, 0] + 1j * template[:, 1]
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
    crop = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR)
    return np.asarray(crop, np.uint8)
