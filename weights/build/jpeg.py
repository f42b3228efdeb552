"""JPEG as phones and messengers write it: pictures as files, and what the files keep of them."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def saved(image: Image, quality: int) -> bytes:
    """The file of an `(H, W, 3)` uint8 BGR picture, its colours half as fine as its light."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(data)


def compressed(image: Image, quality: int) -> Image:
    """The picture after it was saved and opened again; quality 0 means that it was not."""
    if not quality:
        return image
    data = np.frombuffer(saved(image, quality), np.uint8)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
