"""Orientation: which way up the largest face of a picture is, told by how sure the detector is.

Turned faces are found too, but less surely: of 3,485 faces in eight sets, every one scored highest
upright. Landmarks tell nothing here: the detector places them as if the face were upright.
"""

from collections.abc import Callable, Sequence

import numpy as np

from engine.alignment import window
from engine.detection import FULL_SIZE, Detection
from engine.images import Pixels
from engine.landmarks import UPRIGHT
from engine.resizing import shrink
from engine.results import Face
from engine.view import QUARTERS, View, rotated, tilted_by

SURE = 0.91
"""A face that scores this much is upright: no other direction is looked at."""

NEARLY, LEVELLED = 0.9, 0.92
"""So is one that scores NEARLY, and LEVELLED once it is levelled: of 2,284 that are looked at on
their side or head none does."""

BETTER, MUCH_BETTER = 0.01, 0.05
"""Another direction is believed when its score is this much higher: with YuNet, and with other
detectors. (Of a light SCRFD, 124 upright faces of three sets all score highest upright, one by
0.001, one in twenty by under 0.04 to 0.25.)"""

LONE = 0.88
"""What a face has to score that only a turned picture shows. Cats reach 0.83; of 461 upright faces,
portraits and live captures, none is below 0.9. Nor is another direction looked at for boxes alone
where one face scores this much: of pictures on their side or head, 107 faces did, and each was
right."""

CLEAR, AROUND, NEAR, FAR = 0.8, 2.5, 160, 320
"""A face found with a score of CLEAR is turned alone, AROUND times its box at NEAR pixels of the
longest side; else the whole picture is, at FAR, or at FULL_SIZE where nothing is found at all."""

_DIAGONALS = (45, 135, 225, 315)


def faces(detection: Detection, image: Pixels, most: int) -> list[Face]:
    """At most `most` faces, largest first, of a picture that may lie on its side or its head.

    A detector finds faces there too, but misses some, and takes other things for faces.
    """

    def found(picture: Pixels) -> list[Face]:
        if most == 1:
            return detection.largest(picture)
        return detection.all(picture)[:most]

    as_it_is = found(image)
    # Others score upright faces lower, each in its own way.
    sure = any(face.score >= LONE for face in as_it_is) or not detection.tells_tilt
    if as_it_is and sure:
        return as_it_is
    view = upright(detection, image)
    if view is None or not view.quarters:
        return as_it_is
    turned = found(view.image)
    if as_it_is and not any(face.score >= LONE for face in turned):
        return as_it_is
    return [view.as_given(face) for face in turned]


def upright(detection: Detection, image: Pixels) -> View | None:
    """The picture with its largest face upright, or None when no direction shows a face.

    What only a turned picture shows has to score LONE: more looks, more chances to be mistaken.
    With a detector that does not tell tilt, none is tilted, and a turn has to show MUCH_BETTER.
    """
    found = detection.largest(image)
    if found and found[0].score >= SURE:
        return View(image, found[0], 0, tilted=False)
    scores = {0: found[0].score if found else 0.0}
    if scores[0] >= CLEAR:
        small = _around(image, found[0])
        scores[0] = max(scores[0], _score(detection, small))
    else:
        small = _shrunk(image, FAR if found else FULL_SIZE)
    scores |= _scores(detection, small, rotated, list(QUARTERS))
    best = _best(scores, 0, BETTER if detection.tells_tilt else MUCH_BETTER)
    if not found and scores[best] < LONE:
        return None
    tilted = False
    if scores[best] < SURE and detection.tells_tilt:
        scores |= _scores(detection, small, tilted_by, _DIAGONALS)
        tilted = _best(scores, best) % 90 > 0
    if best:
        turned = rotated(image, best)
        if shown := detection.largest(turned):
            return View(turned, shown[0], best // 90, tilted)
    return View(image, found[0], 0, tilted) if found else None


def levelled(detection: Detection, image: Pixels) -> tuple[Pixels, Face] | None:
    """The picture, by quarters turned where that has to be, and its largest face, with landmarks
    good enough for alignment. None when no direction shows a face.

    Turned by as much as it may be tilted, a face that lies is almost as sure as an upright one: so
    a tilted one is also looked at by quarters, and is what it is most surely.
    """
    for face in detection.largest(image, levelled=True):
        if face.score < CLEAR:
            break
        level = detection.level(image, face)
        if _is_upright(face.score, level.score):
            return image, level
        if detection.tells_tilt and (lying := _lying(detection, image, face, level)):
            return lying
        if level.score >= SURE:
            return image, level
    view = upright(detection, image)
    if view is None:
        return None
    return view.image, detection.level(view.image, view.face)


def _is_upright(score: float, levelled: float) -> bool:
    """By the scores of a face as it is found, and levelled."""
    nearly = score >= NEARLY and levelled >= LEVELLED
    return levelled >= UPRIGHT or min(score, levelled) >= SURE or nearly


def _lying(
    detection: Detection, image: Pixels, face: Face, level: Face
) -> tuple[Pixels, Face] | None:
    """The picture turned by the best of the quarters, and the face there, if that is surer."""
    scores = _scores(detection, _around(image, face), rotated, list(QUARTERS))
    best = max(scores, key=lambda turn: scores[turn])
    if scores[best] < max(CLEAR, face.score + BETTER):
        return None
    turned = rotated(image, best)
    for seen in detection.largest(turned, levelled=True):
        other = detection.level(turned, seen)
        if scores[best] >= SURE or other.score >= max(SURE, level.score):
            return turned, other
    return None


def _best(scores: dict[int, float], usual: int, better: float = BETTER) -> int:
    best = max(scores, key=lambda turn: scores[turn])
    return best if scores[best] >= scores[usual] + better else usual


def _scores(
    detection: Detection,
    image: Pixels,
    turned: Callable[[Pixels, int], Pixels],
    turns: Sequence[int],
) -> dict[int, float]:
    found = detection.map(lambda turn: _score(detection, turned(image, turn)), turns)
    return dict(zip(turns, found, strict=True))


def _score(detection: Detection, image: Pixels) -> float:
    found = detection.largest(image, refined=False)
    return found[0].score if found else 0.0


def _around(image: Pixels, face: Face) -> Pixels:
    x, y, width, height = face.box
    side = AROUND * max(width, height)
    corner = np.array([x + (width - side) / 2, y + (height - side) / 2])
    return window(image, corner, side, min(1.0, NEAR / side))[0]


def _shrunk(image: Pixels, longest: int) -> Pixels:
    scale = longest / max(image.shape[:2])
    if scale >= 1:
        return image
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return shrink(image, width, height)
