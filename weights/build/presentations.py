"""Presentations to learn liveness from: a face before the camera, or an attack made from it."""

from dataclasses import dataclass

import camera
import cv2
import displays
import numpy as np
import prints
from camera import Image, Light
from jpeg import compressed
from numpy.typing import NDArray
from view import View

TIGHT, WIDE = (1.1, 2.2), (2.4, 3.6)
"""How wide a photo is, for its face: crops of faces, and whole selfies."""

SPECIES = ("live", "print", "display")  # in the order of the network's logits


@dataclass(frozen=True, slots=True)
class Portrait:
    """A picture `(h, w, 3)` uint8 BGR, and x, y, width, height of the face in it."""

    pixels: Image
    box: tuple[float, float, float, float]


def present(
    rng: np.random.Generator,
    portrait: Portrait,
    species: str,
    elsewhere: Image,
    widths: tuple[float, float] = TIGHT,
) -> tuple[bytes, tuple[float, float, float, float]]:
    """A JPEG file of the face, and x, y, width, height of the face as shares of its sides.

    `elsewhere` is another picture, for what stands behind a sheet or display; `widths` are the
    least and the most width of the photo, over the face's.
    """
    x, y, box_w, box_h = portrait.box
    largest = max(100.0, min(260.0, 1.3 * box_w, 460.0 / widths[0]))
    face = float(np.exp(rng.uniform(np.log(80), np.log(largest))))  # its width in the photo, pixels
    around = float(np.exp(rng.uniform(*np.log(widths))))  # the photo's over the face's
    aspect = rng.uniform(1.1, 1.35)
    width, height = round(face * around), round(face * around * aspect)
    scale = face / box_w
    lean = rng.uniform(-0.12, 0.12) if species == "live" else rng.normal(0, 0.12)
    matrix = _placed(portrait.box, scale, lean, width, height, rng)
    if species != "live":
        matrix = _tilted(rng, width, height) @ matrix
    view = View(matrix, height, width)
    if species == "live":
        scene = view.look(camera.linear(portrait.pixels))
    else:
        photo = portrait.pixels
        if rng.random() < 0.7:  # the attacker's own photo of the face
            lit = camera.light_up(rng, camera.linear(photo))
            photo = camera.photograph(rng, lit, steady=True)
        photo, view = _degraded(rng, photo, view)
        make = prints.print_out if species == "print" else displays.show
        scene = make(rng, photo, view, _behind(rng, elsewhere, height, width))
    if species != "display" or rng.random() < 0.3:
        scene = camera.light_up(rng, scene)
    photo = camera.photograph(rng, scene)
    data = camera.compress(rng, photo)
    corners = np.array([[x, y], [x + box_w, y], [x + box_w, y + box_h], [x, y + box_h]])
    placed = cv2.perspectiveTransform(corners[None], matrix)[0]
    return data, _box(placed, width, height)


def _placed(
    box: tuple[float, float, float, float],
    scale: float,
    lean: float,
    width: int,
    height: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Turns, scales and moves the face to about the middle of the picture."""
    x, y, box_w, box_h = box
    turn = np.array([[np.cos(lean), np.sin(lean)], [-np.sin(lean), np.cos(lean)]]) * scale
    if rng.random() < 0.5:
        turn[:, 0] *= -1
    spare = np.maximum([width - box_w * scale, height - box_h * scale], 0) * 0.35
    middle = np.array([width, height]) / 2 + rng.uniform(-1, 1, 2) * spare
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = middle - turn @ [x + box_w / 2, y + box_h / 2]
    return matrix


def _tilted(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float64]:
    """A sheet or display that is not held square to the camera."""
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.normal(0, 0.04, (4, 2)) * (width, height)
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return np.asarray(matrix, np.float64)


def _degraded(rng: np.random.Generator, photo: Image, view: View) -> tuple[Image, View]:
    """The attacker's file: cropped to nothing or a margin, fewer pixels, compressed."""
    share = float(rng.uniform(0.35, 1.0)) if rng.random() < 0.6 else 1.0
    if share < 1.0:
        photo = np.asarray(
            cv2.resize(photo, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8
        )
        view = View(view.matrix @ np.diag([1 / share, 1 / share, 1.0]), view.height, view.width)
    if rng.random() < 0.7:
        photo = compressed(photo, int(rng.integers(50, 97)))
    return photo, view


def _behind(rng: np.random.Generator, elsewhere: Image, height: int, width: int) -> Light:
    """What is seen past the edge: a blurred room, or one colour."""
    if rng.random() < 0.5:
        return np.broadcast_to(rng.uniform(0, 0.8, 3).astype(np.float32), (height, width, 3))
    room = cv2.resize(camera.linear(elsewhere), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(room, (0, 0), rng.uniform(1, 8)), np.float32)


def _box(
    corners: NDArray[np.float64], width: int, height: int
) -> tuple[float, float, float, float]:
    """As shares of the picture's sides, whatever size the file was saved at."""
    low = np.clip(corners.min(0) / (width, height), 0, 1)
    high = np.clip(corners.max(0) / (width, height), 0, 1)
    x, y = (float(v) for v in low)
    return x, y, float(high[0]) - x, float(high[1]) - y
