"""Lines wider than the descreening network knows: their width, and the way back from the smaller
picture in which they are taken out."""

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.images import Pixels


def line_width(mask: NDArray[np.float32]) -> float:
    """Typical width, in pixels, of the lines of a mask (H, W), 0..1; 0 for an empty one.

    On a line's centre the distance to the nearest pixel outside is half the width; the centres
    are where that distance is largest among the neighbours.
    """
    lines = (mask > 0.5).astype(np.uint8)
    if not lines.any():
        return 0.0
    distance = cv2.distanceTransform(lines, cv2.DIST_L2, 3)
    ridge = (lines > 0) & (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)))
    return float(2.0 * np.median(distance[ridge]))


def enlarged_change(image: Pixels, small: Pixels, clean: Pixels) -> Pixels:
    """`image` (H, W, 3) uint8 changed as `small` (h, w, 3) was changed to `clean`, in strips to
    keep memory low."""
    change = (clean.astype(np.int16) - small).astype(np.float32)
    output = image.copy()
    height, width = image.shape[:2]
    ratio = small.shape[0] / height, small.shape[1] / width
    x = ((np.arange(width) + 0.5) * ratio[1] - 0.5).astype(np.float32)
    for top in range(0, height, 256):
        rows = slice(top, min(top + 256, height))
        y = ((np.arange(rows.start, rows.stop) + 0.5) * ratio[0] - 0.5).astype(np.float32)
        grid_x, grid_y = np.meshgrid(x, y)
        grown = cv2.remap(change, grid_x, grid_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        output[rows] = np.clip(np.rint(image[rows] + grown), 0, 255).astype(np.uint8)
    return output
