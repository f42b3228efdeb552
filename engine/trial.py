"""A trial of a pack's networks, each run once or twice: do their settings fit them?"""

from dataclasses import astuple

import numpy as np

from engine.alignment import ARCFACE_TEMPLATE, TEMPLATE_SIZE
from engine.classifier import SURELY
from engine.descreen import Descreener
from engine.detection import Detection
from engine.embedding import Embedder
from engine.images import Pixels
from engine.liveness import Liveness
from engine.results import Face

ALIKE = 0.9
"""Above this cosine between grey and noise the settings are wrong. Right: 0.0 (SFace) to 0.6 (a
light ArcFace). With pixels scaled a hundred times too small: 0.92 and more."""


def try_out(
    detection: Detection,
    embedder: Embedder,
    liveness: Liveness | None,
    descreener: Descreener | None,
) -> None:
    """Raises ValueError, or what a network that does not fit its settings makes numpy, OpenCV and
    the engine raise."""
    grey, _ = _unlike(TEMPLATE_SIZE)
    detection.largest(grey)
    _try_embedder(embedder)
    if liveness is not None:
        _try_liveness(liveness)
    if descreener is not None:
        descreener.descreen(grey)


def _try_embedder(embedder: Embedder) -> None:
    """Raises ValueError for one that says of everybody that they are the same person."""
    vectors = embedder.embed(_unlike(embedder.size))
    if vectors.ndim != 2:
        raise ValueError(f"an embedding has one dimension, and not {vectors.ndim - 1}")
    if vectors[0] @ vectors[1] > ALIKE:
        raise ValueError("all pictures are embedded alike: mean and std are not the network's")


def _try_liveness(liveness: Liveness) -> None:
    """Raises ValueError for a network that says the same of whatever it sees."""
    side = TEMPLATE_SIZE
    face = Face((side, side, side, side), 1.0, ARCFACE_TEMPLATE + np.float32(side))
    pictures = _unlike(4 * side)  # the face and enough around it
    liveness.judge(pictures[0], face)
    evidence = (astuple(liveness.evidence(picture, face)) for picture in pictures)
    for one, other in zip(*evidence, strict=True):
        if one is not None and one == other and abs(one) < SURELY:
            raise ValueError("all pictures are judged alike: the network's weights are damaged")


def _unlike(size: int) -> tuple[Pixels, Pixels]:
    """A grey square and noise, (size, size, 3) uint8 BGR."""
    noise = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    return np.full_like(noise, 128), noise
