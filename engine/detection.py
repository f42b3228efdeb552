"""Detection: where the faces are, looked for small first because most pictures are one face."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from engine import landmarks
from engine.boxes import Rows, suppress_nested
from engine.images import Pixels
from engine.results import Face
from engine.runtime import Runtime

SIZES = (160, 320, 640, 1280)
"""Longest sides a picture is brought to."""

FULL_SIZE = 640
"""Where a search for all faces looks for the small ones."""

SURE, LARGE_ENOUGH, RIVAL = 0.8, 24, 0.7
"""A search for the largest face looks closer while the largest so far scores below SURE, is
narrower than LARGE_ENOUGH detector pixels, or another has RIVAL of its area."""


class Detector(Protocol):
    """Finds faces in one picture at one size; rows are in pixels of the picture.

    tells_tilt: whether its scores tell an upright face from a tilted one by the limits of
    engine.landmarks and engine.orientation, which are YuNet's. One that lies, any detector tells.
    """

    tells_tilt: bool

    def rows(self, image: Pixels, longest: int) -> Rows:
        """One row a face, of a (H, W, 3) uint8 BGR picture looked at with its longer side brought
        to `longest` pixels; boxes may reach beyond the picture."""
        ...

    def each(self, images: Sequence[Pixels]) -> list[Rows]:
        """The rows of several pictures of one size, a multiple of 32, as they are."""
        ...


class Detection:
    """The policy above a detector: which sizes to look at, and when to stop."""

    def __init__(self, detector: Detector, runtime: Runtime) -> None:
        self._detector = detector
        self.map = runtime.map
        self.tells_tilt = detector.tells_tilt

    def largest(self, image: Pixels, refined: bool = True, levelled: bool = False) -> list[Face]:
        """The largest face, in a list that is empty when there is none.

        A face that a small size shows clearly is larger than any that it does not show.
        refined: look again, closely, for the landmarks of a small face. levelled: the caller will
        call level(); where that replaces all landmarks, the close look is left out.
        """
        best = None
        for size in _sizes(image):
            pixel = size / max(image.shape[:2])
            faces = self._look(image, size)
            clear = bool(faces) and (size == FULL_SIZE or _is_clear(faces, pixel))
            if faces and (clear or best is None):
                best = faces[0], max(faces[0].box[2:]) * pixel
            if clear:
                break
        if best is None:
            return []
        face, pixels = best
        anew = levelled and self.tells_tilt and landmarks.are_found_anew(face)
        closely = refined and pixels < landmarks.SMALL and not anew
        return [self.closer(image, face) if closely else face]

    def closer(self, image: Pixels, face: Face) -> Face:
        """The face with landmarks looked for again in a window around it."""
        return landmarks.closer(self._closely, image, face)

    def level(self, image: Pixels, face: Face) -> Face:
        """The face with landmarks good enough for alignment also where it is tilted, and with the
        score of the surest look at it."""
        if face.score >= landmarks.UPRIGHT or not self.tells_tilt:
            return face
        return landmarks.level(self._each, image, face)

    def _each(self, parts: Sequence[Pixels]) -> list[list[Face]]:
        found = self._detector.each(parts)
        return [_faces(rows, part) for rows, part in zip(found, parts, strict=True)]

    def _closely(self, part: Pixels) -> list[Face]:
        return self._look(part, landmarks.SIZE)

    def _look(self, image: Pixels, size: int) -> list[Face]:
        return _faces(self._detector.rows(image, size), image)

    def all(self, image: Pixels) -> list[Face]:
        """Every face, largest first.

        The smallest size shows faces that fill the frame, which a detector misses at full size.
        """
        sizes = list(_sizes(image))
        full = max(size for size in sizes if size <= FULL_SIZE)
        looked_at = sorted({sizes[0], full}, reverse=True)
        found = self.map(lambda size: self._detector.rows(image, size), looked_at)
        rows = suppress_nested(np.concatenate(found[::-1]))
        for size in sizes:
            if size > full and not len(rows):
                rows = self._detector.rows(image, size)
        return _faces(rows, image)


def _is_clear(faces: list[Face], pixel: float) -> bool:
    areas = [face.box[2] * face.box[3] for face in faces[:2]]
    alone = len(areas) == 1 or areas[1] < RIVAL * areas[0]
    return faces[0].score >= SURE and faces[0].box[2] * pixel >= LARGE_ENOUGH and alone


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
