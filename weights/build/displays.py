"""Displays: the light that comes from a face on a screen, held before the camera.

The display's curve, black level, white point and impure primaries, its grid of subpixels, the bands
of its refresh, its paleness from aside, and the room that mirrors in its glass.
"""

import cv2
import numpy as np
from camera import Image, Light, linear
from view import View


def show(rng: np.random.Generator, photo: Image, view: View, behind: Light) -> Light:
    """The scene `(height, width, 3)` of `photo`, `(h, w, 3)` uint8 BGR, on a display in a view."""
    gamma = rng.uniform(0.9, 1.15)
    shown = np.power(linear(photo), np.float32(gamma)) * rng.uniform(0.6, 1.6)
    black = rng.uniform(0.0, 0.03) * np.array([1.15, 1.0, 0.9])
    blueness = rng.normal(0.08, 0.1)
    white = np.array([1 + blueness, 1.0, 1 - blueness], np.float32)
    mix = rng.uniform(0.0, 0.08)  # primaries less pure than the camera's
    matrix = np.full((3, 3), mix / 2) + np.eye(3) * (1 - 1.5 * mix)
    emitted = (shown @ matrix.astype(np.float32) + black.astype(np.float32)) * white
    scene = view.look(np.asarray(emitted, np.float32))
    x, y = view.places()
    scene = scene * _subpixels(rng, x, y, view, photo.shape[1])
    scene = _refreshed(rng, scene)
    if rng.random() < 0.5:  # seen from aside, one edge is paler
        tilt = (x / photo.shape[1] - 0.5) * rng.uniform(-0.5, 0.5)
        scene = scene * np.exp(tilt)[..., None] + np.abs(tilt)[..., None] * 0.03
    scene = _mirrored(rng, scene)
    size = photo.shape[0], photo.shape[1]
    return view.before(np.asarray(scene, np.float32), size, _in_case(rng, view, size, behind))


def _subpixels(rng: np.random.Generator, x: Light, y: Light, view: View, width: int) -> Light:
    """Red, green and blue stripes of the display's pixels, as the sensor's pixels sample them.

    Where the grid is finer than the sensor's the same samples are moire, without further work.
    """
    pitch = width / np.exp(rng.uniform(np.log(120), np.log(900)))  # photo pixels per display pixel
    contrast = abs(float(np.sinc(1 / view.samples_per(pitch)))) * rng.uniform(0.0, 1.0)
    phase = rng.uniform(0, 2 * np.pi)
    columns = [np.cos(2 * np.pi * (x / pitch + i / 3) + phase) for i in range(3)]
    rows = np.cos(2 * np.pi * y / pitch) * rng.uniform(0.2, 0.8)
    grid = 1 + contrast * (0.6 * np.dstack(columns) + 0.4 * rows[..., None])
    return np.asarray(grid, np.float32)


def _refreshed(rng: np.random.Generator, scene: Light) -> Light:
    """Bands from a display that is drawn line by line while the shutter runs."""
    if rng.random() < 0.6:
        return scene
    height, width = scene.shape[:2]
    along = np.linspace(0, 1, height if rng.random() < 0.7 else width, dtype=np.float32)
    wave = np.sin(2 * np.pi * (along * rng.uniform(0.5, 6) + rng.random()))
    band = 1 + rng.uniform(0.02, 0.25) * np.clip(wave * rng.uniform(1, 5), -1, 1)
    shape = (-1, 1, 1) if len(along) == height else (1, -1, 1)
    return np.asarray(scene * band.reshape(shape), np.float32)


def _mirrored(rng: np.random.Generator, scene: Light) -> Light:
    """The room and its lamps in the display's glass."""
    if rng.random() < 0.4:
        return scene
    height, width = scene.shape[:2]
    room = rng.random((int(rng.integers(2, 7)), int(rng.integers(2, 7)), 3), np.float32)
    room = room.mean(2, keepdims=True) * 0.7 + room * 0.3
    glass = cv2.resize(room, (width, height), interpolation=cv2.INTER_CUBIC) * rng.uniform(0, 0.12)
    for _ in range(int(rng.integers(0, 3))):
        lamp = np.zeros((height, width), np.float32)
        corner = rng.uniform(0, 1, 2) * (width, height)
        side = rng.uniform(0.03, 0.35, 2) * (width, height)
        box = cv2.boxPoints((corner.tolist(), side.tolist(), float(rng.uniform(0, 90))))
        cv2.fillPoly(lamp, [np.rint(box).astype(np.int32)], 1.0)
        lamp = cv2.GaussianBlur(lamp, (0, 0), rng.uniform(0.01, 0.08) * width + 0.5)
        glass = glass + (lamp * rng.uniform(0.05, 0.8))[..., None]
    return np.asarray(scene + np.clip(glass, 0, None), np.float32)


def _in_case(rng: np.random.Generator, view: View, size: tuple[int, int], behind: Light) -> Light:
    """What stands behind, and the rim of the display's case before it."""
    height, width = size
    rim = rng.uniform(0.01, 0.12) * width
    right, bottom = width + rim, height + rim
    frame = np.array([[-rim, -rim], [right, -rim], [right, bottom], [-rim, bottom]])
    corners = cv2.perspectiveTransform(frame[None], view.matrix)[0]
    case = np.zeros((view.height, view.width), np.float32)
    cv2.fillPoly(case, [np.rint(corners).astype(np.int32)], 1.0)
    tone = rng.uniform(0, 0.05) if rng.random() < 0.8 else rng.uniform(0.4, 0.9)
    return np.asarray(behind + (tone - behind) * case[..., None], np.float32)
