"""Detections held against true faces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.systems import progress
from engine.evaluation.truth import Box, TruePicture

OVERLAP = 0.5
"""Intersection over union from which a face counts as found."""


@dataclass(frozen=True, slots=True)
class Found:
    """A detection. score: for ranking; a service gives none, and then all are equal."""

    box: Box
    score: float = 1.0
    landmarks: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a system's detections are worth.

    hits: (score, right or false) of every detection that counts. sizes, found: of every true face.
    errors: mean distance of the five landmarks over the distance between the true eyes, per hit.
    """

    hits: list[tuple[float, bool]]
    sizes: list[float]
    found: list[bool]
    errors: list[float]
    unread: int


Detect = Callable[[Path], list[Found] | None]


def judge(pictures: Sequence[TruePicture], detect: Detect) -> Judged:
    """Detections, best scored first, each take the true face that they overlap most; who comes to a
    face that is taken is a false alarm (PASCAL VOC's rule)."""
    result = Judged([], [], [], [], 0)
    unread = 0
    for picture in progress(pictures, "detect"):
        found = detect(picture.path)
        unread += found is None
        taken: set[int] = set()
        for one in sorted(found or [], key=lambda one: -one.score):
            shares = [_overlap(one.box, face.box) for face in picture.faces]
            best = int(np.argmax(shares)) if shares else -1
            if best >= 0 and shares[best] >= OVERLAP and picture.faces[best].ignored:
                continue
            right = best >= 0 and shares[best] >= OVERLAP and best not in taken
            result.hits.append((one.score, right))
            if right:
                taken.add(best)
                expected = picture.faces[best].landmarks
                if expected is not None and one.landmarks is not None:
                    eyes = np.linalg.norm(expected[0] - expected[1])
                    away = np.linalg.norm(one.landmarks - expected, axis=1).mean()
                    result.errors.append(float(away / eyes))
        for index, face in enumerate(picture.faces):
            if not face.ignored:
                result.sizes.append(max(face.box[2:]))
                result.found.append(index in taken)
    return replace(result, unread=unread)


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / max(a[2] * a[3] + b[2] * b[3] - shared, 1e-9)


def average_precision(
    judged: Judged,
) -> tuple[float | None, NDArray[np.float64], NDArray[np.float64]]:
    """The area below the precision-recall curve, None without a true face, and the curve: recall,
    precision.

    Precision is made to fall with recall and summed over every step, as PASCAL VOC does since 2010
    (Everingham et al., IJCV 2015). Detections of equal scores are one step, whatever their order.
    Detections below the detector's own threshold are not in it.
    """
    ranked = sorted(judged.hits, key=lambda hit: -hit[0])
    last = np.flatnonzero(np.diff([hit[0] for hit in ranked], append=np.inf))
    right = np.cumsum([hit[1] for hit in ranked])[last]
    recall = np.append(0, right / max(len(judged.found), 1))
    precision = np.append(1, right / (last + 1))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    area = float(np.sum(np.diff(recall) * precision[1:])) if judged.found else None
    return area, recall, precision
