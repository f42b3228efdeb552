"""Landmarks good enough for alignment: found again closely, and in directions in which the face is
upright."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.alignment import window
from engine.images import Pixels
from engine.results import Face

Points = NDArray[np.float32]
"""(5, 2), as Face.landmarks."""

Look = tuple[float, NDArray[np.floating[Any]]]
"""The score and the landmarks, (5, 2), of one look at a face."""

Turned = tuple[Pixels, NDArray[np.float64]]
"""A picture as it is looked at, and the way back from its pixels."""

Find = Callable[[Pixels], list[Face]]
"""The faces of a picture that is brought to SIZE, largest first."""

FindEach = Callable[[Sequence[Pixels]], list[list[Face]]]
"""The same of several pictures of SIZE each."""

SMALL, WINDOW, SIZE = 56, 1.6, 128
"""Landmarks of a face below SMALL detector pixels are looked for again, in a window of WINDOW times
the face, at SIZE: on LFW landmarks of 50-pixel faces have a fifth more genuine pairs refused than
those of 64 to 80 pixels. (LFW is for measuring only: SMALL is chosen in its sight.)"""

UPRIGHT, RAMP, STEP, MOST, EQUAL = 0.94, 0.02, 20, 60, 0.01
"""A face that scores below UPRIGHT may be tilted. It is also looked at turned by STEP degrees to
either side, and further on the better side while each look scores within EQUAL of the best, up to
MOST. The lower its score, the more the new landmarks replace the old, fully at UPRIGHT - RAMP:
pictures that hardly differ are aligned alike. Chosen by the embeddings of licence-clean portraits
that were turned (weights/build/tilt.py) or descreened."""

_MIRRORED = [1, 0, 2, 4, 3]
"""Where a mirror shows each landmark: left is right."""


def closer(find: Find, image: Pixels, face: Face) -> Face:
    """The face with the landmarks that the window around it shows."""
    side = WINDOW * max(face.box[2:])
    part, begin, scale = window(image, _centre(face) - side / 2, side, min(1.0, SIZE / side))
    for seen in find(part)[:1]:
        return replace(face, landmarks=(seen.landmarks / scale + begin).astype(np.float32))
    return face


def are_found_anew(face: Face) -> bool:
    """Whether level() keeps nothing of the face's own landmarks."""
    return face.score <= UPRIGHT - RAMP


def level(find: FindEach, image: Pixels, face: Face) -> Face:
    """The face with landmarks averaged over turned views of it, blended in as its score falls, and
    with the best score of any view. Only for faces below UPRIGHT.

    The detector places landmarks as if every face were upright, so a turn to one side errs as much
    as one to the other; and it is surer of a face that is upright, so the surer looks weigh more.
    A look at the face as a mirror shows it steadies the mean.
    """
    side = WINDOW * max(face.box[2:])
    around = 1.5 * side  # so that the corners of a turned window have pixels too
    scale = min(1.0, SIZE / side)
    part, begin, scales = window(image, _centre(face) - around / 2, around, scale)
    centre = (_centre(face) - begin) * scales

    def turned(degrees: int, mirrored: bool = False) -> Turned:
        matrix = cv2.getRotationMatrix2D(centre.tolist(), degrees, SIZE / (side * scale))
        matrix[:, 2] += SIZE / 2 - centre
        if mirrored:
            matrix[0] = (0, 0, SIZE - 1) - matrix[0]
        view = np.asarray(cv2.warpAffine(part, matrix, (SIZE, SIZE)), np.uint8)
        return view, cv2.invertAffineTransform(matrix)

    def look(views: Sequence[Turned]) -> list[Look]:
        """Score and landmarks of what each view shows."""
        shown: list[Look] = []
        for faces, (_, back) in zip(find([view for view, _ in views]), views, strict=True):
            if faces:
                points = (faces[0].landmarks @ back[:, :2].T + back[:, 2]) / scales + begin
                shown.append((faces[0].score, points))
            else:
                shown.append((0.0, face.landmarks))
        return shown

    angles = (0, -STEP, STEP)
    *found, (score, points) = look([*map(turned, angles), turned(0, mirrored=True)])
    mirrored = score, points[_MIRRORED] if score else points
    looks = dict(zip(angles, found, strict=True))
    way = max((-STEP, STEP), key=lambda degrees: looks[degrees][0])
    degrees = way
    while looks[degrees][0] >= max(score for score, _ in looks.values()) - EQUAL:
        degrees += way
        if abs(degrees) > MOST:
            break
        (looks[degrees],) = look([turned(degrees)])
    counted = [*looks.values(), mirrored]
    scores, points = (np.array(column) for column in zip(*counted, strict=True))
    weights = np.exp((scores - scores.max()) / EQUAL)
    mean = np.tensordot(weights / weights.sum(), points, axes=1)
    doubt = min(1.0, (UPRIGHT - face.score) / RAMP)
    landmarks = (face.landmarks + doubt * (mean - face.landmarks)).astype(np.float32)
    return replace(face, score=float(scores.max()), landmarks=landmarks)


def _centre(face: Face) -> NDArray[np.float64]:
    x, y, width, height = face.box
    return np.array([x + width / 2, y + height / 2])
