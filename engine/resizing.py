"""Resizing: pictures made smaller at a cost that depends on the small one, not on the large."""

import cv2
import numpy as np

from engine.images import Pixels


def shrink(image: Pixels, width: int, height: int, finer: int = 4) -> Pixels:
    """The whole picture as (height, width, 3) uint8; also larger, by bilinear interpolation.

    Every pixel is the mean of all that it covers, or where they are more than finer x finer, of so
    many places among them; finer is a power of two. At 4 that moves the landmarks of a picture of
    12 megapixels by a hundredth of the eyes' distance at most, and takes a tenth of the time.
    """
    if image.shape[1] < finer * width:
        shrinks = width < image.shape[1]
        return _resized(image, width, height, cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    image = _resized(image, finer * width, finer * height, cv2.INTER_LINEAR)
    while image.shape[1] > width:
        image = halve(image)
    return image


def halve(image: Pixels) -> Pixels:
    """(H, W, 3) to (H // 2, W // 2, 3) uint8, every pixel the mean of 2 x 2; both at least 2."""
    height, width = (side // 2 for side in image.shape[:2])
    return _resized(image[: 2 * height, : 2 * width], width, height, cv2.INTER_AREA)


def _resized(image: Pixels, width: int, height: int, how: int) -> Pixels:
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)
