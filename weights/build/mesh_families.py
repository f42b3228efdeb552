"""The families of meshes: which lines there are, before they are turned, bent and drawn.

Each family gives one or two layers of polylines, `(points, 2)` x and y in pixels around the
origin, that cover a square of 2 * reach. Layers are inked one over the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import mesh_curves
import numpy as np
from mesh_curves import Layers, Points

if TYPE_CHECKING:
    from mesh import Mesh


def _rows(mesh: Mesh, reach: float, rng: np.random.Generator) -> tuple[Points, Points]:
    """Abscissae of one line and the ordinates of all lines."""
    step = max(min(mesh.period / 20.0, 12.0), 1.5)
    x = np.arange(-reach - step, reach + 2 * step, step)
    extra = mesh.amplitude + mesh.spacing
    y = np.arange(-reach - extra, reach + extra, mesh.spacing) + rng.uniform(0, mesh.spacing)
    return x, y


def _wave(mesh: Mesh, x: Points, phase: float) -> Points:
    return mesh.amplitude * np.sin(2 * np.pi * x / mesh.period + phase)


def _looped(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    """Neighbours in opposite phase whose crests just overlap: diamonds joined by small loops."""
    x, rows = _rows(mesh, reach, rng)
    swing = mesh.spacing * (0.5 + 0.22 * mesh.amplitude / mesh.spacing)
    phase = rng.uniform(0, 2 * np.pi)
    unit = np.sin(2 * np.pi * x / mesh.period + phase)
    lines = [np.stack([x, y + swing * (-1) ** i * unit], 1) for i, y in enumerate(rows)]
    return [lines[::2], lines[1::2]] if rng.random() < 0.4 else [lines]


def _single(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    x, rows = _rows(mesh, reach, rng)
    wave, slip = _wave(mesh, x, rng.uniform(0, 6.3)), rng.uniform(-0.3, 0.3) * mesh.period
    return [[np.stack([x + slip * (i % 2), y + wave], 1) for i, y in enumerate(rows)]]


def _crossed(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    """Two families of waves, one turned against the other."""
    turn = np.deg2rad(rng.uniform(25, 90))
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    first, second = _single(mesh, reach, rng)[0], _single(mesh, reach, rng)[0]
    return [first, [line @ matrix for line in second]]


def _mirrored(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    x, rows = _rows(mesh, reach, rng)
    wave, shift = _wave(mesh, x, rng.uniform(0, 6.3)), rng.uniform(0, 0.5) * mesh.spacing
    return [
        [np.stack([x, y + wave], 1) for y in rows],
        [np.stack([x, y - wave + shift], 1) for y in rows],
    ]


def _doubled(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    """Every line a close pair."""
    source = _looped if rng.random() < 0.5 else _single
    gap = np.array([0.0, mesh.width * rng.uniform(2.0, 3.5)])
    return [
        [pair for line in layer for pair in (line, line + gap)]
        for layer in source(mesh, reach, rng)
    ]


def _guilloche(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    """Bundles of waves that run through each other, the bundles far apart."""
    strands = int(rng.integers(3, 6))
    x, rows = _rows(mesh, reach, rng)
    phases = rng.uniform(0, 6.3) + np.arange(strands) * 2 * np.pi / strands
    waves = [_wave(mesh, x, phase) for phase in phases]
    return [[np.stack([x, y + wave], 1) for y in rows[::3] for wave in waves]]


def _straight(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    flat = np.array([[-2 * reach, 0.0], [2 * reach, 0.0]])
    # Short pieces, so that warp and perspective bend the lines.
    t = np.linspace(0, 1, 40)[:, None]
    flat = flat[0] * (1 - t) + flat[1] * t
    rows = np.arange(-reach, reach, mesh.spacing) + rng.uniform(0, mesh.spacing)
    lines = [flat + np.array([0.0, y]) for y in rows]
    turn = np.deg2rad(rng.uniform(35, 90))
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return [lines, [line @ matrix for line in lines]]


def _beating(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    """Waves whose amplitude swells and shrinks along the line."""
    x, rows = _rows(mesh, reach, rng)
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * x / (mesh.period * rng.uniform(2.5, 6)))
    wave = swell * _wave(mesh, x, rng.uniform(0, 6.3))
    lines = [np.stack([x, y + (-1) ** i * wave], 1) for i, y in enumerate(rows)]
    return [lines]


def _scales(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    """Rows of half circles, every second row moved by half an arc, as on a fish."""
    arc = np.linspace(0, np.pi, 24)
    size = max(mesh.spacing, 6.0) * 1.2
    shape = np.stack([np.cos(arc), -np.sin(arc)], 1) * size
    lines = []
    for row, y in enumerate(np.arange(-reach - size, reach + 2 * size, size * 0.8)):
        for x in np.arange(-reach - size, reach + 2 * size, 2 * size):
            lines.append(shape + np.array([x + size * (row % 2), y]))
    return [lines]


def _chevrons(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    """Zigzags in opposite phase: corners instead of crests."""
    _, rows = _rows(mesh, reach, rng)
    x = np.arange(-reach - mesh.period, reach + mesh.period, mesh.period / 2)
    swing = np.where(np.arange(len(x)) % 2, 1.0, -1.0) * max(mesh.amplitude, 0.5 * mesh.spacing)
    return [[np.stack([x, y + (-1) ** i * swing], 1) for i, y in enumerate(rows)]]


def _rosettes(mesh: Mesh, reach: float, rng: np.random.Generator) -> Layers:
    """Hypotrochoids side by side, as on banknotes."""
    petals = int(rng.integers(5, 9))
    t = np.linspace(0, 2 * np.pi, 30 * petals)
    size = 1.6 * mesh.spacing
    radius = size * (0.7 + 0.3 * np.cos(petals * t))
    shape = np.stack([radius * np.cos(2 * t), radius * np.sin(2 * t)], 1)
    grid = np.arange(-reach - size, reach + size, 1.7 * size)
    return [[shape + np.array([x, y]) for y in grid for x in grid]]


LINES: dict[str, Callable[[Mesh, float, np.random.Generator], Layers]] = {
    "looped_waves": _looped,
    "crossed_waves": _crossed,
    "mirrored_waves": _mirrored,
    "single_waves": _single,
    "double_lines": _doubled,
    "guilloche": _guilloche,
    "crossed_lines": _straight,
    "beating_waves": _beating,
    "contours": mesh_curves.contours,
    "rings": mesh_curves.rings,
    "rays": mesh_curves.rays,
    "curls": mesh_curves.curls,
    "scales": _scales,
    "chevrons": _chevrons,
    "rosettes": _rosettes,
}
