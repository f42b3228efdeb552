"""Other backgrounds, colours, sharpness and noise for a portrait."""

import cv2
import numpy as np
from clutter import cluttered
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def augment(rng: np.random.Generator, image: Image, person: Image) -> Image:
    """Other background, colours, sharpness and clutter; `person` is the matte, 0..255."""
    if rng.random() < 0.4:
        image = _on_plain_background(rng, image, person)
    picture = image.astype(np.float32)
    if rng.random() < 0.6:
        picture = _recolour(rng, picture)
    if rng.random() < 0.25:
        picture = cluttered(rng, picture)
    if rng.random() < 0.2:  # a small picture blown up
        small = rng.uniform(0.3, 0.9)
        picture = cv2.resize(
            cv2.resize(picture, None, fx=small, fy=small, interpolation=cv2.INTER_AREA),
            picture.shape[1::-1],
            interpolation=cv2.INTER_CUBIC,
        )
    if rng.random() < 0.35:
        noise = rng.standard_normal(picture.shape, np.float32)
        if rng.random() < 0.5:
            noise = noise[..., :1]
        picture = picture + noise * rng.uniform(0.5, 6.0)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _on_plain_background(rng: np.random.Generator, image: Image, person: Image) -> Image:
    kind = rng.random()
    if kind < 0.35:
        colour = np.full(3, rng.uniform(225, 255)) + rng.normal(0, 3, 3)
    elif kind < 0.6:  # red, as BGR
        colour = np.array([rng.uniform(0, 60), rng.uniform(0, 50), rng.uniform(150, 245)])
    elif kind < 0.85:  # blue
        colour = np.array([rng.uniform(150, 245), rng.uniform(80, 170), rng.uniform(20, 110)])
    else:
        colour = rng.uniform(0, 255, 3)
    ramp = np.linspace(rng.uniform(-15, 15), rng.uniform(-15, 15), image.shape[0])
    ground = colour + ramp[:, None, None]
    share = person[..., None].astype(np.float32) / 255.0
    mixed = np.clip(image * share + ground * (1.0 - share), 0, 255)
    return np.asarray(mixed, np.uint8)


def _recolour(rng: np.random.Generator, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    kind = rng.random()
    if kind < 0.2:
        grey = picture @ np.array([0.114, 0.587, 0.299], np.float32)
        return np.repeat(grey[..., None], 3, 2) * rng.uniform(0.8, 1.15) + rng.uniform(-15, 15)
    gain = rng.uniform(0.75, 1.2) * np.exp(rng.normal(0, 0.08, 3))
    picture = picture * gain.astype(np.float32) + np.float32(rng.uniform(-20, 20))
    grey = picture.mean(2, keepdims=True)
    return np.asarray(grey + (picture - grey) * rng.uniform(0.6, 1.5), np.float32)
