"""What the descreening network's score learns from: all that an engine may be shown.

The restoration learns from portraits that are augmented beyond what is real. A score fitted on
those alone knew real rooms behind people, press photos and pictures of no person badly.
"""

import capture as captures
import mesh as meshes
import numpy as np
from examples import ENLARGED, enlarged, exposed
from mesh_sampling import sample
from numpy.typing import NDArray
from portraits import Portraits
from scenes import scene, seated

Image = NDArray[np.uint8]

SIZES = (
    (128, 112),
    (224, 176),
    (224, 192),
    (256, 256),
    (352, 288),
    (416, 304),
    (512, 512),
    (128, 112),
    (224, 176),
    (224, 192),
    (640, 512),
    (192, 160),
)
"""Height and width, multiples of the network's stride; each has its turn. Photos of the last are
thumbnails that the engine enlarges."""


def judged(portraits: Portraits, rng: np.random.Generator, number: int) -> tuple[Image, float]:
    """`(height, width, 3)` uint8 BGR, and 1 for a visible mesh, 0 for none, -1 for in between."""
    height, width = SIZES[number % len(SIZES)]
    if number % len(SIZES) < len(SIZES) - 1:
        return _judged(portraits, rng, height, width)
    thumbnail, label = _judged(portraits, rng, round(height / ENLARGED), round(width / ENLARGED))
    return enlarged(thumbnail, height, width), label


def _judged(
    portraits: Portraits, rng: np.random.Generator, height: int, width: int
) -> tuple[Image, float]:
    capture = captures.sample(rng)
    size = round(height / capture.scale), round(width / capture.scale)
    photo, augmented, closer = rng.random() < 0.8, rng.random() < 0.5, rng.uniform(1.0, 1.7)
    tall, wide = (round(side * closer) for side in size)
    image, person, side = portraits.draw(rng, tall, wide, photo, untouched=not augmented)
    top, left = round(rng.uniform(0, 0.4) * (tall - size[0])), (wide - size[1]) // 2
    part = slice(top, top + size[0]), slice(left, left + size[1])
    image, person = np.ascontiguousarray(image[part]), person[part]
    if not augmented and rng.random() < 0.3:
        image = np.repeat(image.mean(2, keepdims=True).astype(np.uint8), 3, axis=2)
    mesh = sample(rng, side) if photo and rng.random() < 0.55 else None
    if photo and mesh is None:
        image = _elsewhere(rng, image, person, side)
    if not photo and rng.random() < 0.6:
        image = scene(rng, *size)
    meshed, _, _, label = exposed(rng, image, person, mesh, capture, height, width)
    return meshed, float(label)


def _elsewhere(rng: np.random.Generator, image: Image, person: Image, side: float) -> Image:
    """Some people with a scene, or a fence or grille, behind them."""
    kind = rng.random()
    if kind < 0.2:
        return seated(rng, image, person)
    if kind < 0.25:
        fence = sample(rng, side * rng.uniform(0.7, 3.0))
        return meshes.printed(image, fence, np.asarray(1 - person / 255.0, np.float32))[0]
    return image
