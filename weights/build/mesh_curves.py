"""Families of lines that are no waves: more kinds of curves than registries are known to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours

if TYPE_CHECKING:
    from mesh import Mesh

Points = NDArray[np.float64]
Layers = list[list[Points]]


def contours(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    """Contour lines of hills, which on a slope flow beside each other."""
    cell = max(mesh.spacing / 6.0, reach / 120.0)
    side = int(2 * reach / cell) + 2
    rough = rng.standard_normal((side, side)).astype(np.float32)
    hills = cv2.GaussianBlur(rough, (0, 0), mesh.spacing * rng.uniform(1.0, 3.0) / cell)
    steepness = float(np.hypot(*np.gradient(hills)).mean()) / cell
    slope = rng.uniform(0.0, 3.0) * rng.integers(2) * steepness
    ground = hills + slope * cell * np.arange(side)[:, None]
    step = mesh.spacing * float(np.hypot(*np.gradient(ground)).mean()) / cell
    levels = np.arange(ground.min() + step * rng.random(), ground.max(), step)
    found = (line for level in levels for line in find_contours(ground, level))
    return [[line[:, ::-1] * cell - reach for line in found]]


def rings(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    """Concentric ellipses, often around two centres."""
    count = int(rng.integers(1, 3))
    flat = rng.uniform(0.5, 1.0)
    turn = np.linspace(0, 2 * np.pi, 150)
    circle = np.stack([np.cos(turn), flat * np.sin(turn)], 1)
    centres = rng.uniform(-0.6, 0.6, (count, 2)) * reach
    radii = np.arange(mesh.spacing * rng.uniform(0.3, 1.0), 2.2 * reach / flat, mesh.spacing)
    return [[circle * radius + centre for radius in radii] for centre in centres]


def rays(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    """Straight or waving rays from a centre."""
    begin = rng.uniform(0.1, 0.3) * reach
    count = max(8, int(2 * np.pi * (begin + 0.4 * reach) / mesh.spacing))
    away = np.arange(begin, 2.5 * reach, max(mesh.period / 16.0, 2.0))
    swing = rng.integers(2) * rng.uniform(0.2, 0.6) * 2 * np.pi / count
    wave = swing * np.sin(2 * np.pi * away / mesh.period)
    centre = rng.uniform(-0.5, 0.5, 2) * reach
    return [
        [
            np.stack([away * np.cos(turn + way), away * np.sin(turn + way)], 1) + centre
            for turn in np.arange(count) * 2 * np.pi / count
        ]
        for way in (wave, -wave)[: 1 + int(swing > 0)]
    ]


def curls(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    """Rows of loops like handwriting's: trochoids, every other row mirrored."""
    turns = int(2 * reach / mesh.period) + 4
    t = np.arange(0, 2 * np.pi * turns, 0.25)
    loop = mesh.period / (2 * np.pi) * rng.uniform(1.3, 2.8)
    x = mesh.period * (t / (2 * np.pi) - rng.uniform(1.0, 2.0)) - loop * np.sin(t) - reach
    step = mesh.spacing * rng.uniform(1.0, 1.6)
    rows = np.arange(-reach - step * rng.random(), reach + step, step)
    y = mesh.amplitude * np.cos(t)
    return [[np.stack([x, row + (-1) ** i * y], 1) for i, row in enumerate(rows)]]
