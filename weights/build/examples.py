"""Training examples: an augmented portrait with and without a mesh."""

from typing import Any

import capture as captures
import cv2
import mesh as meshes
import numpy as np
from mesh_sampling import sample, varied
from numpy.typing import NDArray
from portraits import Portraits
from scenes import dressed, scene, seated

Example = tuple[meshes.Image, meshes.Image, meshes.Plane, np.float32]

ENLARGED = 1.5  # as engine.descreen.SMALL_LOOKS has it


def example(
    portraits: Portraits,
    rng: np.random.Generator,
    height: int,
    width: int,
    whole: bool = False,
) -> Example:
    """Meshed photo, clean photo, mask, and 1 for a visible mesh, 0 for none, -1 for in between."""
    capture = captures.sample(rng)
    size = round(height / capture.scale), round(width / capture.scale)
    image, person, side = portraits.draw(rng, *size, whole, untouched=rng.random() < 0.2)
    image = _textured(rng, image, person, whole)
    mesh = sample(rng, side) if rng.random() < 0.75 else None
    if mesh is not None and rng.random() < 0.6:
        mesh = varied(rng, mesh)
    return exposed(rng, image, person, mesh, capture, height, width)


def _textured(
    rng: np.random.Generator, image: meshes.Image, person: meshes.Image, whole: bool
) -> meshes.Image:
    """Sometimes with other texture, which is no mesh and has to stay."""
    kind = rng.random()
    if kind < 0.2:
        image = seated(rng, image, person)
    elif kind < 0.26 and not whole:
        image = scene(rng, *image.shape[:2])
    if whole and rng.random() < 0.15:
        image = dressed(rng, image, person)
    return image


def exposed(
    rng: np.random.Generator,
    image: meshes.Image,
    person: meshes.Image,
    mesh: meshes.Mesh | None,
    capture: captures.Capture,
    height: int,
    width: int,
) -> Example:
    """The same of a picture and its mesh; `person` is the matte, 0..255."""
    # Some offices cut the person out before the mesh is drawn, or after it.
    within = np.asarray(person / 255.0, np.float32) if rng.random() < 0.12 else None
    meshed, clean, mask = captures.expose(image, mesh, capture, height, width, within)
    seen = (np.abs(meshed.astype(np.int16) - clean).max(2) > 12)[mask > 0.5].sum() / mask.size
    label = 0.0 if mesh is None else 1.0 if seen > 0.01 else -1.0
    return meshed, clean, mask, np.float32(label)


def enlarged_example(
    portraits: Portraits, rng: np.random.Generator, height: int, width: int, whole: bool
) -> Example:
    """The same of a thumbnail, enlarged to that size as the engine does before it looks."""
    small = round(height / ENLARGED), round(width / ENLARGED)
    meshed, clean, mask, label = example(portraits, rng, *small, whole)
    meshed, clean, mask = (enlarged(plane, height, width) for plane in (meshed, clean, mask))
    return meshed, clean, np.clip(mask, 0, 1), label


def enlarged(plane: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """As the engine enlarges a thumbnail."""
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_CUBIC))
