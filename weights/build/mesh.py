"""Anti-copy meshes, drawn on pictures.

A registry that hands out an ID photo draws thin wave lines over it. This module draws such meshes
from parameters in physical terms, so that a network can learn to take them off again and an
evaluation can measure how well it does. All lengths are in pixels of the picture drawn on.
One seed, one mesh; mesh_sampling.py draws random ones.
"""

from dataclasses import dataclass

import numpy as np
from mesh_families import LINES
from mesh_lines import View, cover, strength
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
OTHER_CURVES = ("contours", "rings", "rays", "curls")
"""Not trained on by the recipe, though one leg of the shipped weights' training drew some of them;
no registry is known to do so."""
TEST_FAMILIES = ("scales", "chevrons", "rosettes")
FAMILIES = TRAIN_FAMILIES + OTHER_CURVES + TEST_FAMILIES

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Ink:
    """What lines are drawn with. `colour` is BGR 0..255, `opacity` 0..1."""

    colour: Colour
    opacity: float
    multiply: bool = False  # darkens what is below instead of covering it
    width: float = 1.0  # of its lines, as a share of the mesh's


@dataclass(frozen=True, slots=True)
class Mesh:
    """One mesh. `angle` is in degrees.

    Of two inks each draws every other layer, or every other line of a single layer, the second
    over the first.
    """

    family: str
    spacing: float  # between neighbouring lines
    period: float  # of one wave
    amplitude: float  # of one wave, centre to crest
    width: float  # of a line
    angle: float
    inks: tuple[Ink, ...]  # one or two
    unevenness: float  # 0..1: how far the opacity falls along the lines
    softness: float  # blur of the lines' edges, as a share of the width
    perspective: float  # 0 none .. 0.5 strong
    warp: float  # amplitude of a slow displacement of the whole mesh
    fade: float  # 0 everywhere .. 1 only around one spot
    seed: int  # of the phases, the unevenness, and where the fade and the part are
    dash: float = 0.0  # from the beginning of one dash to that of the next, 0 for whole lines
    gap: float = 0.0  # the share of it that is missing, 0..1
    grain: float = 0.0  # side of the pixels of the bitmap printed from, 0 for smooth lines
    part: float = 1.0  # of the picture that the mesh lies on, from one side


def printed(image: Image, mesh: Mesh, within: Plane | None = None) -> tuple[Image, Plane]:
    """`image` `(H, W, 3)` uint8 BGR under the mesh, and how strongly that covers each pixel.

    The cover is `(H, W)` float32, 0..1, as is `within`, which confines the mesh.
    """
    height, width = image.shape[:2]
    rng = np.random.default_rng(mesh.seed)
    reach = 0.5 * float(np.hypot(height, width)) * (1.0 + 1.2 * mesh.perspective)
    reach += mesh.warp + mesh.amplitude
    layers = LINES[mesh.family](mesh, reach, rng)
    view = View(mesh, height, width, rng)
    if len(mesh.inks) > len(layers):
        (lines,) = layers
        layers = [lines[i :: len(mesh.inks)] for i in range(len(mesh.inks))]
    apart = [np.ones((height, width), np.float32) for _ in mesh.inks]
    for number, lines in enumerate(layers):
        which = number % len(mesh.inks)
        thickness = mesh.width * mesh.inks[which].width
        apart[which] *= 1.0 - cover(mesh, thickness, map(view, lines), height, width, rng)
    kept = strength(mesh, height, width, rng)
    if within is not None:
        kept = kept * within
    picture, total = image.astype(np.float32), np.zeros((height, width), np.float32)
    for ink, bare in zip(mesh.inks, apart, strict=True):
        covered = (1.0 - bare) * ink.opacity * kept
        colour = np.array(ink.colour, np.float32)
        line = picture * (colour / 255.0) if ink.multiply else colour
        picture = picture + covered[..., None] * (line - picture)
        total += covered * (1.0 - total)
    return np.rint(picture).astype(np.uint8), total
