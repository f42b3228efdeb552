"""Prints: the light that comes from a printed face, held before the camera.

Inks multiply their transmittances under halftone screens or in sprayed grain, on paper with a
tint, fibres, curl, creases, gloss and edges. Every step has a wide spread.
"""

import cv2
import numpy as np
from camera import Image, Light
from view import View

# Reflectances of full coverage of cyan, magenta, yellow and black ink on white, BGR in linear
# light; rounded from the sRGB values usual for offset inks (ISO 12647-2, coated paper).
_INKS = np.array(
    [[0.83, 0.36, 0.02], [0.22, 0.02, 0.72], [0.02, 0.82, 0.97], [0.02, 0.02, 0.02]], np.float32
)
_SCREEN_ANGLES = np.deg2rad([15.0, 75.0, 0.0, 45.0])


def print_out(rng: np.random.Generator, photo: Image, view: View, behind: Light) -> Light:
    """The scene `(height, width, 3)` of a print of `photo`, `(h, w, 3)` uint8 BGR, in a view."""
    ink = _separate(rng, photo)
    gain = rng.uniform(0.0, 0.25)
    ink = ink + gain * 4 * ink * (1 - ink) * 0.5  # dots spread while they dry
    x, y = view.places()
    cover = np.dstack([view.look(np.ascontiguousarray(ink[..., i])) for i in range(4)])
    cover = np.clip(_screened(rng, cover, x, y, view, photo.shape[1]), 0, 1)
    paper = rng.uniform(0.7, 0.92) * np.array([rng.uniform(0.9, 1.03), 1.0, 1.0], np.float32)
    sheet = np.broadcast_to(paper.astype(np.float32), (*x.shape, 3))
    density = rng.uniform(0.85, 1.0)  # of the inks; the rest is light scattered at the surface
    for number in range(4):
        sheet = sheet * (1 - cover[..., number, None] * density * (1 - _INKS[number]))
    sheet = sheet + rng.uniform(0.0, 0.03)
    sheet = _textured(rng, np.asarray(sheet, np.float32), x, y)
    sheet = _bent(rng, sheet, x / photo.shape[1], y / photo.shape[0])
    return view.before(sheet, photo.shape[:2], behind)


def _separate(rng: np.random.Generator, photo: Image) -> Light:
    """Ink amounts 0..1, `(h, w, 4)` cyan, magenta, yellow, black."""
    light = np.power(photo[..., ::-1].astype(np.float32) / 255, np.float32(rng.uniform(0.8, 1.2)))
    if rng.random() < 0.08:  # a black and white printer
        light = np.repeat(light.mean(2, keepdims=True), 3, 2)
    amounts = 1 - light
    black = amounts.min(2, keepdims=True) * rng.uniform(0.2, 0.9)
    colours = (amounts - black) / np.maximum(1 - black, 0.05)
    faded = np.clip(rng.normal(0.92, 0.08, 3), 0.6, 1.0)  # worn cartridges
    return np.concatenate([colours * faded.astype(np.float32), black], 2).astype(np.float32)


def _screened(
    rng: np.random.Generator, cover: Light, x: Light, y: Light, view: View, width: int
) -> Light:
    """Coverage broken up into dots: by screens at the inks' angles, or sprayed at random."""
    kind = rng.random()
    pitch = width / np.exp(rng.uniform(np.log(70), np.log(500)))  # surface pixels per dot
    if kind < 0.45:
        # What a sensor pixel averages of a dot pattern: its contrast falls as a sinc.
        contrast = float(np.sinc(1 / view.samples_per(pitch)) ** 2)
        shape = np.empty_like(cover)
        for number, angle in enumerate(_SCREEN_ANGLES):
            u = (x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / pitch)
            v = (y * np.cos(angle) - x * np.sin(angle)) * (2 * np.pi / pitch)
            shape[..., number] = 0.5 + 0.25 * (np.cos(u) + np.cos(v))
        hardness = rng.uniform(1.5, 6.0)
        dots = 1 / (1 + np.exp(-hardness * (cover - shape) * 4))
        return np.asarray(cover + contrast * (dots - cover) * rng.uniform(0.3, 1.0), np.float32)
    if kind < 0.85:
        grain = rng.standard_normal(cover.shape, np.float32)
        size = rng.uniform(0.3, 1.2)
        grain = cv2.GaussianBlur(grain, (0, 0), size) * (2.5 * size)
        spread = np.sqrt(np.clip(cover * (1 - cover), 0, None)) * rng.uniform(0.01, 0.2)
        return np.asarray(cover + grain * spread, np.float32)
    return cover  # a photo lab's continuous tone


def _textured(rng: np.random.Generator, sheet: Light, x: Light, y: Light) -> Light:
    """Fibres of the paper, and lines where the print head passed."""
    fibres = rng.standard_normal(sheet.shape[:2], np.float32)
    fibres = cv2.GaussianBlur(fibres, (0, 0), rng.uniform(0.5, 2.0)) * rng.uniform(0, 0.05)
    if rng.random() < 0.25:
        along = y if rng.random() < 0.7 else x
        fibres = fibres + np.sin(along * rng.uniform(0.1, 0.9)) ** 8 * rng.uniform(0.01, 0.1)
    return np.asarray(sheet * (1 + fibres)[..., None], np.float32)


def _bent(rng: np.random.Generator, sheet: Light, u: Light, v: Light) -> Light:
    """Shading of curl and creases, and the lamp's mirror image in glossy paper."""
    turn = rng.uniform(0, np.pi)
    across = (u - 0.5) * np.cos(turn) + (v - 0.5) * np.sin(turn)
    shade = 1 + rng.uniform(-0.5, 0.5) * across + rng.uniform(-0.8, 0.8) * across**2
    for _ in range(int(rng.integers(0, 3)) if rng.random() < 0.3 else 0):
        bend = rng.uniform(0, np.pi)
        fold = (u - rng.uniform(0, 1)) * np.cos(bend) + (v - rng.uniform(0, 1)) * np.sin(bend)
        width = rng.uniform(0.005, 0.02)
        shade = shade + rng.uniform(-0.3, 0.3) * np.tanh(fold / width) * np.exp(-np.abs(fold) * 12)
        shade = shade + rng.uniform(0, 0.4) * np.exp(-((fold / width) ** 2))
    sheet = sheet * np.clip(shade, 0.3, 1.8)[..., None].astype(np.float32)
    if rng.random() < 0.5:
        sheet = sheet + _gloss(rng, u, v, across)[..., None]
    return np.asarray(sheet, np.float32)


def _gloss(rng: np.random.Generator, u: Light, v: Light, across: Light) -> Light:
    """From a faint sheen over the whole sheet to hard streaks of a lamp's tubes."""
    if rng.random() < 0.5:
        spot = np.hypot(u - rng.uniform(0, 1), (v - rng.uniform(0, 1)) * rng.uniform(0.5, 2))
        return np.asarray(
            rng.uniform(0.05, 0.7) * np.exp(-((spot / rng.uniform(0.1, 0.6)) ** 2)), np.float32
        )
    streaks = np.zeros_like(u)
    for _ in range(int(rng.integers(1, 5))):
        away = (across - rng.uniform(-0.5, 0.5)) / rng.uniform(0.004, 0.05)
        along = (u - rng.uniform(0, 1)) ** 2 + (v - rng.uniform(0, 1)) ** 2
        streaks += rng.uniform(0.2, 1.5) * np.exp(-(away**2) - along * rng.uniform(5, 60))
    return np.asarray(streaks, np.float32)
