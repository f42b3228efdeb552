"""The quality gate of liveness: faces of which a network can say nothing that counts."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.alignment import similarity_transform
from engine.images import Pixels
from engine.quality import detail, estimate_pose
from engine.results import Face

PATCH = 96
"""Pixels of the shorter side that a face is brought to before sharpness and light are measured."""

CLIPPED = 250
"""Grey levels from here on carry no detail."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The limits, which a manifest's [liveness.gate] may set otherwise.

    least_size: pixels, the shorter side of the face's box.
    least_margin: from the outermost landmark to the picture's edge, over the distance from eyes to
        mouth.
    most_roll, most_yaw, most_pitch: degrees, estimated from the landmarks.
    least_light: 0..255, the grey level that the lightest twentieth of the face exceeds; not the
        mean, which would refuse dark skin.
    most_glare: 0..1, the share of the face that is clipped to white.
    least_sharpness: from 0; detail for the contrast, as quality.detail has it.

    The README has what these limits refuse of the live captures of several sets.
    """

    least_size: float = 48
    least_margin: float = 0.1
    most_roll: float = 25
    most_yaw: float = 50
    most_pitch: float = 30
    least_light: float = 45
    most_glare: float = 0.5
    least_sharpness: float = 0.1

    def reason(self, image: Pixels, face: Face, tilted: bool = False) -> str | None:
        """What to do about a face that cannot be judged, or None.

        (H, W, 3) uint8 BGR and a face in it; tilted: known to be far from upright.
        """
        if _margin(image, face.landmarks) < self.least_margin:
            return "the face is cut off by the edge of the picture: show all of it"
        if min(face.box[2:]) < self.least_size:
            return "the face is too small: come closer to the camera"
        if tilted or abs(_roll(face.landmarks)) > self.most_roll:
            return "the face is tilted: hold the head and the camera upright"
        pose = estimate_pose(face.landmarks)
        if abs(pose.yaw) > self.most_yaw or abs(pose.pitch) > self.most_pitch:
            return "the face is turned away: look into the camera"
        patch = _patch(image, face)
        if np.percentile(patch, 95) < self.least_light:
            return "the face is too dark: turn towards a light"
        if np.mean(patch >= CLIPPED) > self.most_glare:
            return "the face is too bright: move out of the glare"
        if detail(patch) < self.least_sharpness:
            return "the face is blurred: hold the camera still and let it focus"
        return None


def _margin(image: Pixels, landmarks: NDArray[np.float32]) -> float:
    limit = np.array([image.shape[1] - 1, image.shape[0] - 1])
    nearest = min(float(landmarks.min()), float((limit - landmarks).min()))
    unit = np.linalg.norm(landmarks[:2].mean(axis=0) - landmarks[3:].mean(axis=0))
    return nearest / max(float(unit), 1.0)


def _roll(landmarks: NDArray[np.float32]) -> float:
    matrix = similarity_transform(landmarks)
    return float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))


def _patch(image: Pixels, face: Face) -> Pixels:
    """The box as grey levels, its shorter side PATCH pixels."""
    x, y, width, height = face.box
    part = image[int(y) : int(y + height) + 1, int(x) : int(x + width) + 1]
    scale = PATCH / min(part.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=how)
    return np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), np.uint8)
