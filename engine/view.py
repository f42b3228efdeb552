"""A picture turned, and by quarters the way back."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.images import Pixels
from engine.results import Face

QUARTERS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}


@dataclass(frozen=True, slots=True)
class View:
    """A picture turned so that its largest face is upright.

    image: (H, W, 3) uint8 BGR. face: in pixels of `image`. quarters: counter-clockwise quarter
    turns that were made. tilted: the face is nearer to a diagonal than to any quarter turn.
    """

    image: Pixels
    face: Face
    quarters: int
    tilted: bool

    def as_given(self, face: Face) -> Face:
        """A face in pixels of `image` in those of the picture as it was given."""
        if not self.quarters:
            return face
        x, y, width, height = face.box
        corners = np.array([[x, y], [x + width, y + height]], np.float32)
        low, high = np.sort(self._turned_back(corners), axis=0).tolist()
        box = (*low, high[0] - low[0], high[1] - low[1])
        return replace(face, box=box, landmarks=self._turned_back(face.landmarks))

    def _turned_back(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        height, width = self.image.shape[:2]
        for _ in range(self.quarters):
            points = np.stack([height - points[:, 1], points[:, 0]], axis=1)
            height, width = width, height
        return points.astype(np.float32)


def rotated(image: Pixels, degrees: int) -> Pixels:
    """A (H, W, 3) picture, counter-clockwise by one of QUARTERS, in degrees."""
    return np.asarray(cv2.rotate(image, QUARTERS[degrees]), np.uint8)


def tilted_by(image: Pixels, degrees: int) -> Pixels:
    """Counter-clockwise by any angle, shrunk into a black square as long as the picture."""
    height, width = image.shape[:2]
    side = max(height, width)
    scale = side / np.hypot(width, height)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    matrix[:, 2] += side / 2 - width / 2, side / 2 - height / 2
    return np.asarray(cv2.warpAffine(image, matrix, (side, side)), np.uint8)
