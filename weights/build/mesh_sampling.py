"""Random meshes: every choice comes from the caller's generator."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from mesh import TRAIN_FAMILIES, Colour, Ink, Mesh


def sample(
    rng: np.random.Generator, picture: float, families: Sequence[str] = TRAIN_FAMILIES
) -> Mesh:
    """A random mesh of whole lines in one ink for a picture whose shorter side is `picture`."""
    width = float(np.clip(picture * _log_uniform(rng, 0.0045, 0.018), 0.9, 10.0))
    spacing = max(width * _log_uniform(rng, 9.0, 30.0), 10.0)
    family = str(rng.choice(list(families)))
    tone = rng.random()
    colour = _colour(rng, tone)
    straight = rng.choice([0.0, 90.0]) + rng.normal(0, 4)
    period = spacing * _log_uniform(rng, 0.75, 3.3)
    amplitude = spacing * rng.uniform(0.25, 0.9)
    angle = float(straight if rng.random() < 0.5 else rng.uniform(0, 180))
    opacity = float(rng.uniform(0.25, 0.95))
    ink = Ink(colour, opacity, multiply=bool(tone < 0.8 and rng.random() < 0.5))
    return Mesh(
        family=family,
        spacing=spacing,
        period=period,
        amplitude=amplitude,
        width=width,
        angle=angle,
        inks=(ink,),
        unevenness=float(rng.uniform(0, 0.7) if rng.random() < 0.7 else 0.0),
        softness=float(rng.uniform(0, 0.35)),
        perspective=float(rng.uniform(0.05, 0.45) if rng.random() < 0.4 else 0.0),
        warp=float(spacing * rng.uniform(0.1, 0.8) if rng.random() < 0.3 else 0.0),
        fade=float(rng.uniform(0.2, 1.0) if rng.random() < 0.3 else 0.0),
        seed=int(rng.integers(1 << 31)),
    )


def varied(rng: np.random.Generator, mesh: Mesh) -> Mesh:
    """The mesh as registries might also draw it: in other inks or two, broken into dashes or dots,
    from a coarse bitmap, narrow, wide, or on a part of the photo.

    Each of these is seldom: of three meshes one is left as it was.
    """
    if rng.random() < 0.2:  # of these tones there are few before
        first = replace(mesh.inks[0], colour=_colour(rng, rng.uniform(0.8, 1.1)), multiply=False)
        mesh = replace(mesh, inks=(first,))
    if rng.random() < 0.2:
        mesh = replace(mesh, inks=(*mesh.inks, _second(rng, mesh.inks[0])))
    size = rng.random()
    if size < 0.1:
        mesh = replace(mesh, width=mesh.width * float(rng.uniform(1.3, 2.0)))
    elif size < 0.18:
        mesh = _scaled(mesh, float(rng.uniform(1.5, 3.0)))
    elif size < 0.26:
        mesh = _scaled(mesh, float(rng.uniform(max(0.25, 5.0 * mesh.width / mesh.spacing), 0.7)))
    if rng.random() < 0.16:
        mesh = _broken(rng, mesh)
    elif rng.random() < 0.12:
        mesh = replace(mesh, grain=float(rng.uniform(0.8, max(0.9, 0.8 * mesh.width))))
    if rng.random() < 0.06:
        mesh = replace(mesh, part=float(rng.uniform(0.3, 0.8)))
    return mesh


def _colour(rng: np.random.Generator, tone: float) -> Colour:
    """Dark and brownish for a tone below 0.6, as on the one real photo known; up to 0.8 any; up to
    0.93 light; up to 1 grey; above that as saturated as can be."""
    if tone < 0.6:
        dark = rng.uniform(0, 90)
        found = dark * rng.uniform(0.5, 1.0), dark * rng.uniform(0.6, 1.0), dark
    elif tone < 0.8:
        found = tuple(rng.uniform(0, 255, 3))
    elif tone < 0.93:
        found = tuple(np.clip(rng.uniform(170, 255) + rng.normal(0, 12, 3), 0, 255))
    elif tone < 1.0:
        found = (rng.uniform(90, 170),) * 3
    else:
        found = tuple(rng.permutation([0.0, rng.uniform(0, 255), 255.0]))
    return float(found[0]), float(found[1]), float(found[2])


def _second(rng: np.random.Generator, first: Ink) -> Ink:
    """Another opacity and width beside the first, mostly another colour too."""
    opacity, width = float(rng.uniform(0.25, 0.95)), float(rng.uniform(0.6, 1.5))
    if rng.random() < 0.25:
        return replace(first, opacity=opacity, width=width)
    tone = rng.uniform(0, 1.2)
    return Ink(_colour(rng, tone), opacity, bool(tone < 0.8 and rng.random() < 0.3), width)


def _broken(rng: np.random.Generator, mesh: Mesh) -> Mesh:
    if rng.random() < 0.3:  # dots: lines so short that their round ends are all of them
        width = mesh.width * float(rng.uniform(1.0, 2.0))
        dash = width * float(rng.uniform(1.8, 3.5))
        return replace(mesh, width=width, dash=dash, gap=1.0)
    dash = mesh.width * _log_uniform(rng, 3.0, 20.0)
    least = 1.3 * mesh.width / dash  # of the gap, into which round ends reach
    return replace(mesh, dash=dash, gap=float(rng.uniform(max(0.1, least), 0.6)))


def _scaled(mesh: Mesh, factor: float) -> Mesh:
    """The lines as wide as before, the pattern that much larger."""
    lengths = mesh.spacing, mesh.period, mesh.amplitude, mesh.warp
    spacing, period, amplitude, warp = (factor * length for length in lengths)
    return replace(mesh, spacing=spacing, period=period, amplitude=amplitude, warp=warp)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
