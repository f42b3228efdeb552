"""Lines of a mesh put on a picture's pixels.

Lines are polylines in a plane around the origin. The plane is warped, rotated and put in
perspective point by point, then drawn several times enlarged and averaged down, which gives
sub-pixel widths.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from mesh_curves import Points
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mesh import Mesh

Plane = NDArray[np.float32]


class View:
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


def cover(
    mesh: Mesh,
    thickness: float,
    lines: Iterable[Points],
    height: int,
    width: int,
    rng: np.random.Generator,
) -> Plane:
    """Coverage 0..1 by the lines, each with a strength of its own: `(height, width)` float32."""
    scale: float = 4 if thickness < 2.5 else 2 if thickness < 5 else 1
    kind = cv2.LINE_8 if scale > 2 else cv2.LINE_AA
    if mesh.grain:
        scale, kind = 1.0 / mesh.grain, cv2.LINE_8
    sides = max(1, round(height * scale)), max(1, round(width * scale))
    canvas = np.zeros(sides, np.uint8)
    for line in lines:
        ink = 255.0 * (1.0 - 0.5 * mesh.unevenness * rng.random())
        pieces = _dashes(line, mesh.dash, mesh.gap) if mesh.dash else [line]
        fixed = [np.rint(piece * (scale * 16)).astype(np.int32) for piece in pieces]
        cv2.polylines(canvas, fixed, False, ink, max(1, round(thickness * scale)), kind, shift=4)
    if scale != 1:
        how = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
        canvas = cv2.resize(canvas, (width, height), interpolation=how)
    sigma = mesh.softness * thickness
    if sigma > 0.2 and not mesh.grain:
        canvas = cv2.GaussianBlur(canvas, (0, 0), sigma)
    share: Plane = canvas.astype(np.float32) / np.float32(255.0)
    return share


def _dashes(line: Points, dash: float, gap: float) -> Sequence[Points]:
    """The pieces of a line that begin `dash` apart along it; the share `gap` of it is missing."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    # The phase comes with the line's place, so that neighbours are not in step.
    begin = np.arange(-float(np.abs(line[0]).sum() * 7.3 % dash), along[-1], dash)
    length = dash * (1.0 - gap)
    begin = begin[begin + length >= 0.0]
    places = begin[:, None] + np.linspace(0.0, length, 2 + int(length / 3.0))
    return list(np.stack([np.interp(places, along, axis) for axis in line.T], -1))


def strength(mesh: Mesh, height: int, width: int, rng: np.random.Generator) -> Plane:
    """What unevenness, fade and the mesh's part leave of the opacity, 0..1 at each pixel."""
    cells = rng.random((int(rng.integers(3, 9)), int(rng.integers(3, 9))), np.float32)
    field = cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR)
    left = 1.0 - mesh.unevenness * field
    y, x = np.ogrid[:height, :width]
    if mesh.fade:
        cy, cx = height * rng.uniform(0.25, 0.75), width * rng.uniform(0.25, 0.75)
        radius = rng.uniform(0.25, 0.6, 2) * (height, width)
        away = np.hypot((y - cy) / radius[0], (x - cx) / radius[1])
        edge = rng.uniform(0.1, 0.8)
        left *= 1.0 - mesh.fade * np.clip((away - 1.0) / edge, 0.0, 1.0)
    if mesh.part < 1.0:
        sides = y / height, x / width, 1.0 - y / height, 1.0 - x / width
        left = left * (sides[int(rng.integers(4))] < mesh.part)
    return np.asarray(left, np.float32)
