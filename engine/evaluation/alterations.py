"""What may happen to a picture on its way: compression, a smaller size, another exposure or
contrast."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from engine.images import Pixels


def compressed(image: Pixels) -> Pixels:
    """Through JPEG of quality 60, as messengers send pictures."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 60])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def halved(image: Pixels) -> Pixels:
    """Half as wide and half as high."""
    height, width = image.shape[:2]
    size = max(1, width // 2), max(1, height // 2)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def exposed(image: Pixels, stops: float) -> Pixels:
    """2 to the power of `stops` times the light, by sRGB's transfer function (IEC 61966-2-1)."""
    level = np.arange(256) / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    light = np.clip(light * 2**stops, 0, 1)
    level = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(level * 255).astype(np.uint8)[image], np.uint8)


def paler(image: Pixels) -> Pixels:
    """Three tenths less contrast, around the mean of the picture."""
    mean = image.mean()
    return np.asarray(np.rint(mean + 0.7 * (image - mean)), np.uint8)


ALTERATIONS: Mapping[str, Callable[[Pixels], Pixels]] = {
    "JPEG quality 60": compressed,
    "half the size": halved,
    "2 stops brighter": lambda image: exposed(image, 2),
    "2 stops darker": lambda image: exposed(image, -2),
    "0.7 of the contrast": paler,
}
