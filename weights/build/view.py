"""How a flat thing, a sheet of paper or a display, lies before the camera."""

from dataclasses import dataclass

import cv2
import numpy as np
from camera import Light
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class View:
    """`matrix` (3, 3) maps pixels of the surface to those of the `height` by `width` picture."""

    matrix: NDArray[np.float64]
    height: int
    width: int

    def look(self, surface: Light) -> Light:
        """The surface `(h, w, C)` in the picture, mirrored beyond its edges."""
        scale = self.samples_per(1.0)
        if scale < 0.7:  # a lens averages what a pixel covers
            surface = cv2.GaussianBlur(surface, (0, 0), 0.35 / scale)
        size = self.width, self.height
        border = cv2.BORDER_REFLECT_101
        seen = cv2.warpPerspective(surface, self.matrix, size, None, cv2.INTER_LINEAR, border)
        return np.asarray(seen, np.float32)

    def places(self) -> tuple[Light, Light]:
        """For each pixel of the picture, x and y on the surface."""
        y, x = np.mgrid[: self.height, : self.width].astype(np.float32)
        back = np.linalg.inv(self.matrix)
        depth = back[2, 0] * x + back[2, 1] * y + back[2, 2]
        across = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / depth
        down = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / depth
        return np.asarray(across, np.float32), np.asarray(down, np.float32)

    def samples_per(self, length: float) -> float:
        """How many pixels of the picture a length on the surface takes."""
        scale = float(np.sqrt(abs(np.linalg.det(self.matrix[:2, :2]))))
        return length * scale

    def before(self, scene: Light, size: tuple[int, int], behind: Light) -> Light:
        """`scene` where the surface, `size` being its height and width, is; else `behind`."""
        cover = cv2.warpPerspective(
            np.ones(size, np.float32), self.matrix, (self.width, self.height)
        )
        return np.asarray(behind + (scene - behind) * cover[..., None], np.float32)
