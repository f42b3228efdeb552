"""Pictures of no ID photo: textures and things, which carry no mesh whatever lines they show."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


def scene(rng: np.random.Generator, height: int, width: int) -> Image:
    """`(height, width, 3)` uint8 BGR of clouds or grass, leaves or pebbles, a wall, or a page."""
    kinds = (_clouds, _leaves, _wall, _page)
    picture = kinds[int(rng.integers(len(kinds)))](rng, height, width)
    picture = picture * rng.uniform(0.5, 1.2) + rng.uniform(-40, 40)
    if rng.random() < 0.3:
        picture = np.repeat(picture.mean(2, keepdims=True), 3, axis=2)
    if rng.random() < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 2.0))
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


def seated(rng: np.random.Generator, photo: Image, person: Image) -> Image:
    """The photo with a scene behind the person, whose matte is `person`, 0..255."""
    share = np.asarray(person[..., None] / 255.0, np.float32)
    return np.asarray(photo * share + scene(rng, *photo.shape[:2]) * (1 - share), np.uint8)


def dressed(rng: np.random.Generator, photo: Image, person: Image) -> Image:
    """The photo with the person in patterned clothes."""
    height, width = photo.shape[:2]
    share = np.asarray(person[..., None] / 255.0, np.float32)
    below = np.arange(height)[:, None, None] > height * rng.uniform(0.7, 0.85)
    light = photo.mean(2, keepdims=True) / max(float(photo.mean()), 1.0)
    cloth = scene(rng, height, width) * np.clip(light, 0.4, 1.6)
    return np.asarray(np.clip(photo + share * below * (cloth - photo), 0, 255), np.uint8)


def _clouds(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Noise whose amplitude falls with frequency, as that of natural scenes does by about 1
    (Field, "Relations between the statistics of natural images...", 1987), and often streaked."""
    across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    stretch = np.exp(rng.normal(0, 0.7))
    turn = rng.uniform(0, np.pi)
    u = (np.cos(turn) * across[1] + np.sin(turn) * across[0]) * stretch
    v = (np.cos(turn) * across[0] - np.sin(turn) * across[1]) / stretch
    fall = (u**2 + v**2 + 1e-5) ** (-rng.uniform(0.2, 1.4) / 2)
    noise = rng.standard_normal((3, height, width), np.float32)
    noise[1:] = noise[:1] + rng.uniform(0, 0.7) * noise[1:]
    planes = np.fft.irfft2(np.fft.rfft2(noise) * fall, (height, width))
    planes /= planes.std() + 1e-6
    picture = rng.uniform(60, 200, 3) + rng.uniform(8, 60) * planes.transpose(1, 2, 0)
    return np.asarray(picture, np.float32)


def _leaves(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Things that hide each other, of all sizes: the dead leaves model (Lee, Mumford & Huang,
    "Occlusion models for natural images", 2001)."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = rng.uniform(0, 255, 3)
    smallest = rng.uniform(0.005, 0.04)
    shape = int(rng.integers(3))
    palette = rng.uniform(0, 255, (int(rng.integers(2, 7)), 3))
    for _ in range(int(rng.integers(200, 1500))):
        radius = min(smallest / np.sqrt(1 - rng.random() * 0.998), 0.4) * width
        middle = rng.uniform(0, 1, 2) * (width, height)
        colour = [float(c) for c in palette[rng.integers(len(palette))] + rng.normal(0, 15, 3)]
        if shape == 0:
            count = int(rng.integers(3, 7))
            angles = np.sort(rng.uniform(0, 2 * np.pi, count))
            corners = middle + radius * np.stack([np.cos(angles), np.sin(angles)], 1)
            cv2.fillPoly(picture, [np.rint(corners * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)
        else:
            axes = max(1, int(radius)), max(1, int(radius * rng.uniform(0.1, 1) ** shape))
            place = int(middle[0]), int(middle[1])
            cv2.ellipse(picture, place, axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
    grain = rng.normal(1, rng.uniform(0, 0.15), (height, width, 1))
    return np.asarray(picture * grain, np.float32)


def _wall(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Bricks, tiles, planks, blinds or cloth: straight lines that repeat, seen at an angle."""
    side = max(height, width)
    y, x = np.mgrid[:height, :width].astype(np.float32) / side - 0.5
    turn = rng.normal(0, 0.2) if rng.random() < 0.6 else rng.uniform(0, np.pi)
    away = 1 + rng.normal(0, 0.25, 2) @ np.stack([x, y]).reshape(2, -1)
    away = np.maximum(away, 0.3).reshape(height, width)
    u, v = (
        (np.cos(turn) * x + np.sin(turn) * y) / away,
        (np.cos(turn) * y - np.sin(turn) * x) / away,
    )
    rows = v * np.exp(rng.uniform(np.log(4), np.log(60)))
    columns = u * np.exp(rng.uniform(np.log(2), np.log(60)))
    if rng.random() < 0.5:
        columns = columns + 0.5 * (np.floor(rows) % 2)
    joint = rng.uniform(0.05, 0.5)
    lines = rows % 1 < joint
    if rng.random() < 0.7:
        lines |= columns % 1 < joint * rng.uniform(0.2, 1)
    tone = np.sin(12.9898 * np.floor(rows) + 78.233 * np.floor(columns)) * rng.uniform(0, 30)
    ground, mortar = rng.uniform(20, 235, 3), rng.uniform(0, 255, 3)
    picture = np.where(lines[..., None], mortar, ground + tone[..., None])
    grain = _clouds(rng, height, width)
    return np.asarray(picture + rng.uniform(0, 0.6) * (grain - grain.mean()), np.float32)


def _page(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Lines of writing."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = rng.uniform(150, 255, 3)
    ink = [float(c) for c in rng.uniform(0, 120, 3)]
    size = float(rng.uniform(0.25, 1.2))
    font, step = int(rng.integers(0, 8)), size * rng.uniform(24, 45)
    for line in range(int(height / step) + 1):
        signs = "".join(chr(int(c)) for c in rng.integers(32, 122, 80))
        place = int(rng.uniform(-0.1, 0.2) * width), int((line + 1) * step)
        cv2.putText(picture, signs, place, font, size, ink, 1 + int(size > 0.8), cv2.LINE_AA)
    return picture.astype(np.float32)
