"""Detection: where the faces are, looked for small first because most pictures are one face."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from engine.boxes import Rows, suppress_nested
from engine.images import Pixels
from engine.results import Face

SIZES = (160, 320, 640, 1280)
"""Longest sides a picture is brought to. A short list keeps the shapes a GPU has to plan for few."""

FULL_SIZE = 640
"""Where a search for all faces looks for the small ones."""

SURE = 0.8
"""A best score below this makes the search for the largest face look at the next size as well."""


class Detector(Protocol):
    """Finds faces in one picture at one size; rows are in pixels of the picture."""

    def rows(self, image: Pixels, longest: int) -> Rows: ...


class Detection:
    """The policy above a detector: which sizes to look at, and when to stop."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def largest(self, image: Pixels) -> list[Face]:
        """The largest face, in a list that is empty when there is none.

        A face that a small size shows clearly is larger than any that it does not show.
        """
        unsure: Rows | None = None
        for size in _sizes(image):
            rows = self._detector.rows(image, size)
            if len(rows) and rows[:, 0].max() >= SURE:
                return _faces(rows, image)[:1]
            if unsure is None and len(rows):
                unsure = rows
        return [] if unsure is None else _faces(unsure, image)[:1]

    def all(self, image: Pixels) -> list[Face]:
        """Every face, largest first.

        The smallest size shows faces that fill the frame, which a detector misses at full size.
        """
        sizes = list(_sizes(image))
        full = max(size for size in sizes if size <= FULL_SIZE)
        found = [self._detector.rows(image, size) for size in sorted({sizes[0], full})]
        rows = suppress_nested(np.concatenate(found))
        for size in sizes:
            if size > full and not len(rows):
                rows = self._detector.rows(image, size)
        return _faces(rows, image)


def _sizes(image: Pixels) -> Iterator[int]:
    """Up to and including the first size that shows the whole detail of the picture."""
    for size in SIZES:
        yield size
        if size >= max(image.shape[:2]):
            return


def _faces(rows: Rows, image: Pixels) -> list[Face]:
    """Rows as faces, largest first, clipped to the picture."""
    height, width = image.shape[:2]
    low = np.clip(rows[:, 1:3], 0, (width, height))
    high = np.clip(rows[:, 3:5], 0, (width, height))
    extent = high - low
    order = np.argsort(-extent.prod(axis=1), kind="stable")
    return [
        Face(
            (float(low[i, 0]), float(low[i, 1]), float(extent[i, 0]), float(extent[i, 1])),
            float(min(rows[i, 0], 1)),
            rows[i, 5:].reshape(5, 2).copy(),
        )
        for i in order
        if extent[i].min() >= 1
    ]
