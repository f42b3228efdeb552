"""What happens to a photo around the moment the mesh is drawn: JPEG, scaling, blur, JPEG.

The clean counterpart of a meshed photo goes through everything but the mesh and the last JPEG
compression, which belongs to the meshed file alone.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import mesh as meshes
import numpy as np
from jpeg import compressed
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Capture:
    """What happens to one photo."""

    jpeg_before: int  # quality, 0 for none
    scale: float  # output size / size on which the mesh was drawn
    blur: float  # sigma in output pixels
    jpeg_after: int  # quality, 0 for none


def sample(rng: np.random.Generator) -> Capture:
    """A random capture: half of the photos are left as drawn but for the last compression."""
    plain = rng.random() < 0.5
    return Capture(
        jpeg_before=int(rng.integers(60, 98)) if rng.random() < 0.4 else 0,
        scale=1.0 if plain else float(np.exp(rng.uniform(np.log(0.7), np.log(1.5)))),
        blur=float(rng.uniform(0.3, 1.0)) if not plain and rng.random() < 0.4 else 0.0,
        jpeg_after=int(rng.integers(65, 99)) if rng.random() < 0.5 else 0,
    )


def expose(
    image: Image,
    mesh: meshes.Mesh | None,
    capture: Capture,
    height: int,
    width: int,
    within: meshes.Plane | None = None,
) -> tuple[Image, Image, meshes.Plane]:
    """The meshed photo, its clean counterpart and the mask of the mesh.

    `image` is `(h, w, 3)` uint8 BGR, best of `height / scale` by `width / scale`. The photos come
    back `(height, width, 3)` uint8, the mask `(height, width)` float32: 1 on pixels that the lines
    change noticeably, falling to 0 beside them. `within`, `(h, w)` 0..1, confines the mesh.
    """
    image = compressed(image, capture.jpeg_before)
    clean = _develop(image, capture, height, width)
    if mesh is None:
        empty = np.zeros((height, width), np.float32)
        return compressed(clean, capture.jpeg_after), clean, empty
    drawn, cover = meshes.printed(image, mesh, within)
    meshed = _develop(drawn, capture, height, width)
    mask = cv2.dilate(_develop(cover, capture, height, width), np.ones((3, 3), np.uint8))
    return compressed(meshed, capture.jpeg_after), clean, np.clip(4.0 * mask, 0.0, 1.0)


def _develop(image: NDArray[Any], capture: Capture, height: int, width: int) -> NDArray[Any]:
    if image.shape[:2] != (height, width):
        shrinks = image.shape[0] > height
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        image = cv2.resize(image, (width, height), interpolation=how)
    if capture.blur:
        image = cv2.GaussianBlur(image, (0, 0), capture.blur)
    return image
