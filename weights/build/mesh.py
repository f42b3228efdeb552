"""Anti-copy meshes, drawn on pictures.

A registry that hands out an ID photo draws thin wave lines over it. This module draws such meshes
from parameters in physical terms, so that a network can learn to take them off again and an
evaluation can measure how well it does. All lengths are in pixels of the picture drawn on.

Lines are polylines in a plane around the origin. The plane is rotated, warped and put in
perspective point by point, then drawn several times enlarged and averaged down, which gives
sub-pixel widths. Every choice comes from the caller's generator: one seed, one mesh.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from mesh_families import LINES, Points
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]

# The test families are kept out of all training: they show what happens on an unknown mesh.
TRAIN_FAMILIES = (
    "looped_waves",
    "crossed_waves",
    "mirrored_waves",
    "single_waves",
    "double_lines",
    "guilloche",
    "crossed_lines",
    "beating_waves",
)
TEST_FAMILIES = ("scales", "chevrons", "rosettes")
FAMILIES = TRAIN_FAMILIES + TEST_FAMILIES


@dataclass(frozen=True, slots=True)
class Mesh:
    """One mesh. `opacity` is 0..1, `colour` is BGR 0..255, `angle` in degrees."""

    family: str
    spacing: float  # between neighbouring lines
    period: float  # of one wave
    amplitude: float  # of one wave, centre to crest
    width: float  # of a line
    angle: float
    opacity: float
    colour: tuple[float, float, float]
    multiply: bool  # ink (darkens what is below) instead of paint (covers it)
    unevenness: float  # 0..1: how far the opacity falls along the lines
    softness: float  # blur of the lines' edges, as a share of the width
    perspective: float  # 0 none .. 0.5 strong
    warp: float  # amplitude of a slow displacement of the whole mesh
    fade: float  # 0 everywhere .. 1 only around one spot
    seed: int  # of the phases, the unevenness and the place of the fade


def sample(
    rng: np.random.Generator, picture: float, families: Sequence[str] = TRAIN_FAMILIES
) -> Mesh:
    """A random mesh for a picture whose shorter side is `picture` pixels."""
    width = float(np.clip(picture * _log_uniform(rng, 0.0045, 0.018), 0.9, 10.0))
    spacing = max(width * _log_uniform(rng, 9.0, 30.0), 10.0)
    family = str(rng.choice(list(families)))
    tone = rng.random()
    if tone < 0.6:  # dark and brownish, as on the one real photo known
        dark = rng.uniform(0, 90)
        colour = (dark * rng.uniform(0.5, 1.0), dark * rng.uniform(0.6, 1.0), dark)
    elif tone < 0.8:
        colour = tuple(rng.uniform(0, 255, 3))
    elif tone < 0.93:
        colour = tuple(np.clip(rng.uniform(170, 255) + rng.normal(0, 12, 3), 0, 255))
    else:
        colour = (rng.uniform(90, 170),) * 3
    straight = rng.choice([0.0, 90.0]) + rng.normal(0, 4)
    return Mesh(
        family=family,
        spacing=spacing,
        period=spacing * _log_uniform(rng, 0.75, 3.3),
        amplitude=spacing * rng.uniform(0.25, 0.9),
        width=width,
        angle=float(straight if rng.random() < 0.5 else rng.uniform(0, 180)),
        opacity=float(rng.uniform(0.25, 0.95)),
        colour=(float(colour[0]), float(colour[1]), float(colour[2])),
        multiply=bool(tone < 0.8 and rng.random() < 0.5),
        unevenness=float(rng.uniform(0, 0.7) if rng.random() < 0.7 else 0.0),
        softness=float(rng.uniform(0, 0.35)),
        perspective=float(rng.uniform(0.05, 0.45) if rng.random() < 0.4 else 0.0),
        warp=float(spacing * rng.uniform(0.1, 0.8) if rng.random() < 0.3 else 0.0),
        fade=float(rng.uniform(0.2, 1.0) if rng.random() < 0.3 else 0.0),
        seed=int(rng.integers(1 << 31)),
    )


def alpha(mesh: Mesh, height: int, width: int) -> Plane:
    """How strongly the mesh covers each pixel: `(height, width)` float32, 0..1."""
    rng = np.random.default_rng(mesh.seed)
    reach = 0.5 * float(np.hypot(height, width)) * (1.0 + 1.2 * mesh.perspective)
    reach += mesh.warp + mesh.amplitude
    layers = LINES[mesh.family](mesh, reach, rng)
    view = _View(mesh, height, width, rng)
    see_through = np.ones((height, width), np.float32)
    for lines in layers:
        see_through *= 1.0 - _draw(mesh, [view(line) for line in lines], height, width, rng)
    return (1.0 - see_through) * mesh.opacity * _strength(mesh, height, width, rng)


def blend(image: Image, mesh: Mesh, cover: Plane) -> Image:
    """`image` `(H, W, 3)` uint8 BGR under a mesh whose `alpha` is `cover`."""
    ink = np.array(mesh.colour, np.float32)
    picture = image.astype(np.float32)
    line = picture * (ink / 255.0) if mesh.multiply else ink
    return np.rint(picture + cover[..., None] * (line - picture)).astype(np.uint8)


class _View:
    """From the mesh's plane to the picture: warp, rotation, perspective."""

    def __init__(self, mesh: Mesh, height: int, width: int, rng: np.random.Generator) -> None:
        turn = np.deg2rad(mesh.angle)
        self._turn = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        self._centre = np.array([width, height]) / 2.0
        self._warp = mesh.warp
        self._wave = rng.uniform(-1, 1, (2, 2)) * 2 * np.pi / (mesh.spacing * rng.uniform(3, 8))
        self._phase = rng.uniform(0, 2 * np.pi, 2)
        lean = rng.uniform(0, 2 * np.pi)
        self._lean = mesh.perspective * np.array([np.cos(lean), np.sin(lean)])
        self._lean /= np.hypot(height, width) / 2.0

    def __call__(self, line: Points) -> Points:
        if self._warp:
            line = line + self._warp * np.sin(line @ self._wave + self._phase)
        line = line @ self._turn
        depth = np.maximum(1.0 + line @ self._lean, 0.2)
        return line / depth[:, None] + self._centre


def _draw(
    mesh: Mesh, lines: list[Points], height: int, width: int, rng: np.random.Generator
) -> Plane:
    """Coverage 0..1 of the lines, each with a strength of its own."""
    scale = 4 if mesh.width < 2.5 else 2 if mesh.width < 5 else 1
    thickness = max(1, round(mesh.width * scale))
    canvas = np.zeros((height * scale, width * scale), np.uint8)
    kind = cv2.LINE_8 if scale > 2 else cv2.LINE_AA
    for line in lines:
        ink = 255.0 * (1.0 - 0.5 * mesh.unevenness * rng.random())
        fixed = np.rint(line * (scale * 16)).astype(np.int32)
        cv2.polylines(canvas, [fixed], False, ink, thickness, kind, shift=4)
    if scale > 1:
        canvas = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    sigma = mesh.softness * mesh.width
    if sigma > 0.2:
        canvas = cv2.GaussianBlur(canvas, (0, 0), sigma)
    cover: Plane = canvas.astype(np.float32) / np.float32(255.0)
    return cover


def _strength(mesh: Mesh, height: int, width: int, rng: np.random.Generator) -> Plane:
    """What the unevenness and the fade leave of the opacity, 0..1 at each pixel."""
    cells = rng.random((int(rng.integers(3, 9)), int(rng.integers(3, 9))), np.float32)
    field = cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR)
    strength = 1.0 - mesh.unevenness * field
    if mesh.fade:
        y, x = np.ogrid[:height, :width]
        cy, cx = height * rng.uniform(0.25, 0.75), width * rng.uniform(0.25, 0.75)
        radius = rng.uniform(0.25, 0.6, 2) * (height, width)
        away = np.hypot((y - cy) / radius[0], (x - cx) / radius[1])
        edge = rng.uniform(0.1, 0.8)
        strength *= 1.0 - mesh.fade * np.clip((away - 1.0) / edge, 0.0, 1.0)
    return np.asarray(strength, np.float32)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
