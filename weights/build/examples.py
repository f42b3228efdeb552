"""Training examples: an augmented portrait with and without a mesh."""

from typing import Any

import capture as captures
import cv2
import mesh as meshes
import numpy as np
import torch
from numpy.typing import NDArray
from portraits import Portraits
from torch import Tensor

Example = tuple[meshes.Image, meshes.Image, meshes.Plane, np.float32]

ENLARGED = 1.5  # as engine.descreen.SMALL_LOOKS has it


def example(
    portraits: Portraits,
    rng: np.random.Generator,
    height: int,
    width: int,
    whole: bool = False,
    decoys: bool = False,
) -> Example:
    """Meshed photo, clean photo, mask, and 1 for a visible mesh, 0 for none, -1 for in between.

    With `decoys`, some photos without a mesh have a fence or a grille behind the person instead.
    """
    capture = captures.sample(rng)
    image, person, side = portraits.draw(
        rng, round(height / capture.scale), round(width / capture.scale), whole
    )
    mesh = meshes.sample(rng, side) if rng.random() < (0.5 if decoys else 0.8) else None
    if decoys and mesh is None and rng.random() < 0.25:
        fence = meshes.sample(rng, side * rng.uniform(0.7, 3.0))
        behind = meshes.alpha(fence, *image.shape[:2]) * (1 - np.asarray(person / 255, np.float32))
        image = meshes.blend(image, fence, behind)
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

    def large(plane: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_CUBIC))

    return large(meshed), large(clean), np.clip(large(mask), 0, 1), label


def pictures(batch: NDArray[Any] | Tensor) -> Tensor:
    """`(N, H, W, 3)` uint8 -> `(N, 3, H, W)` float32, channels last in memory."""
    return torch.as_tensor(batch).permute(0, 3, 1, 2).float()
