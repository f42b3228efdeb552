"""How a captured face becomes an input of the liveness network."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from camera import Image
from jpeg import compressed
from liveness_data import Sample
from numpy.typing import NDArray

from engine.crops import context_crop

SIZE = 128
CROP = 1.4  # times the face's box, where the picture reaches that far


def centred(sample: Sample) -> NDArray[np.float32]:
    """The crop that the engine makes, `(128, 128, 3)` float32 BGR 0..255."""
    image, box = _opened(sample)
    return _cropped(image, box, CROP).astype(np.float32)


def augmented(rng: np.random.Generator, sample: Sample) -> NDArray[np.float32]:
    """Another crop, as another detector, camera and channel might have given it."""
    image, box = _opened(sample)
    x, y, width, height = box
    grown = np.exp(rng.normal(0, 0.08, 2))
    x += width * (rng.normal(0, 0.05) - (grown[0] - 1) / 2)
    y += height * (rng.normal(0, 0.05) - (grown[1] - 1) / 2)
    box = x, y, width * float(grown[0]), height * float(grown[1])
    if rng.random() < 0.25:
        image, box = _resized(rng, image, box)
    if rng.random() < 0.3:
        image = compressed(image, int(rng.integers(40, 96)))
    crop = _cropped(image, _inside(box, image), float(np.exp(rng.uniform(0.05, 0.53))))
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    picture = crop.astype(np.float32)
    if rng.random() < 0.5:
        turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), rng.uniform(-12, 12), 1.0)
        picture = cv2.warpAffine(picture, turn, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
    if rng.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.5))
    if rng.random() < 0.7:
        picture = _recoloured(rng, picture)
    if rng.random() < 0.25:
        picture = picture + rng.standard_normal(picture.shape, np.float32) * rng.uniform(1, 8)
    return np.clip(picture, 0, 255).astype(np.float32)


def _recoloured(rng: np.random.Generator, picture: NDArray[Any]) -> NDArray[np.float32]:
    """Under another light. Other contrast matters most: where it never changed, little of it was
    taken for an attack, and cameras differ in it."""
    light = (np.clip(picture, 0, 255) / 255) ** np.exp(rng.normal(0, 0.15))
    gains = 2 ** rng.normal(0, 0.5) * np.exp(rng.normal(0, 0.08, 3))
    light = light.mean() + (light - light.mean()) * np.exp(rng.normal(0, 0.3))
    picture = 255 * np.clip(light * gains, 0, 1)
    grey = picture.mean(2, keepdims=True)
    return np.asarray(grey + (picture - grey) * rng.normal(1, 0.25), np.float32)


def _resized(
    rng: np.random.Generator, image: Image, box: Sequence[float]
) -> tuple[Image, tuple[float, float, float, float]]:
    share = float(np.exp(rng.uniform(np.log(0.4), np.log(1.3))))
    how = cv2.INTER_AREA if rng.random() < 0.5 else cv2.INTER_LINEAR
    x, y, width, height = (side * share for side in box)
    image = np.asarray(cv2.resize(image, None, fx=share, fy=share, interpolation=how), np.uint8)
    return image, (x, y, width, height)


def _inside(box: Sequence[float], image: Image) -> tuple[float, float, float, float]:
    height, width = image.shape[:2]
    x, y = min(max(box[0], 0.0), width * 0.9), min(max(box[1], 0.0), height * 0.9)
    return x, y, min(box[2], width - x), min(box[3], height - y)


def _opened(sample: Sample) -> tuple[Image, tuple[float, float, float, float]]:
    image = np.asarray(cv2.imdecode(np.frombuffer(sample.data, np.uint8), 1), np.uint8)
    height, width = image.shape[:2]
    x, y, w, h = sample.box
    return image, (x * width, y * height, w * width, h * height)


def _cropped(image: Image, box: Sequence[float], scale: float) -> Image:
    face: Any = SimpleNamespace(box=box)
    return context_crop(image, face, scale, SIZE)
