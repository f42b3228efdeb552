"""Quality: what a caller may want to refuse a picture for. It is no part of any score."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.alignment import similarity_transform
from engine.images import Pixels
from engine.results import Face, FaceQuality

_HEAD = np.array(
    [[37.0, 52.8, 0], [75.0, 52.8, 0], [56.0, 74.0, 19], [39.5, 89.9, 2.3], [72.5, 89.9, 2.3]]
)
"""An average head that looks straight ahead: x right, y down, z towards the viewer.

x and y: medians of the default pack's landmarks on 99 official portraits, made symmetric. z: the
nose tip of an average adult stands out by half the distance between the eyes, the mouth hardly."""

_FIT = np.linalg.pinv(_HEAD - _HEAD.mean(0))
"""From five points of a view, less their mean, to its affine matrix by least squares, (3, 5)."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees; 0, 0 is a face that looks straight into the camera."""

    yaw: float
    pitch: float


def assess(face: Face, crop: Pixels) -> FaceQuality:
    """The quality of a face and of its aligned (size, size, 3) uint8 BGR crop."""
    pose = estimate_pose(face.landmarks)
    return FaceQuality(min(face.box[2:]), sharpness(crop), pose.yaw, pose.pitch)


def sharpness(crop: Pixels) -> float:
    """How much fine detail the face has for its contrast, from 0.

    The standard deviation of the Laplacian (Pech-Pacheco et al., "Diatom autofocusing", ICPR 2000)
    over that of the grey levels, so that neither light nor contrast changes it. A small face is
    enlarged by its alignment, and reads as blurred, which to a network it is.
    """
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), np.uint8)
    rim = len(grey) // 8  # beyond the face, and where the picture may have ended
    return detail(grey[rim:-rim, rim:-rim])


def detail(grey: Pixels) -> float:
    """The same of any (H, W) uint8 grey levels."""
    levels = grey.astype(np.float32)
    return _spread(cv2.Laplacian(levels, cv2.CV_32F)) / max(_spread(levels), 1.0)


def _spread(values: NDArray[Any]) -> float:
    """The standard deviation."""
    return float(cv2.meanStdDev(values)[1][0, 0])


def estimate_pose(landmarks: NDArray[np.float32]) -> Pose:
    """Yaw and pitch from (5, 2) landmarks; good to some ten degrees, enough to refuse a profile.

    The landmarks, turned upright, are a weak-perspective view of an average head. The view's affine
    matrix by least squares holds the rotation's first two rows (Tomasi & Kanade, IJCV 1992), of
    which the depth column is the sine of yaw and of pitch.
    """
    matrix = similarity_transform(landmarks)
    upright = landmarks @ matrix[:, :2].T + matrix[:, 2]
    across, down = (_FIT @ (upright - upright.mean(0))).T
    return Pose(_angle(across[2], across), _angle(-down[2], down))


def _angle(depth: float, row: NDArray[np.float64]) -> float:
    return float(np.degrees(np.arcsin(depth / max(float(np.linalg.norm(row)), 1e-9))))
