"""What the engine answers: frozen dataclasses, in pixels, probabilities and unit-free scores."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One detected face; two are equal only when they are the same object, as arrays are not.

    box: x, y, width, height in pixels of the picture as a viewer sees it, clipped to the picture.
    score: detector confidence, 0..1.
    landmarks: (5, 2) float32 pixels, x then y: right eye, left eye, nose tip, right and left
        mouth corner, right and left being the person's own; as the detector places them, which for
        a tilted face is as if it were upright (embed and compare correct that for themselves).
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """What a caller may refuse a picture for; it never changes a similarity.

    size: pixels, the shorter side of the face's box.
    sharpness: from 0; the detail of the aligned face for its contrast.
    yaw, pitch: degrees, estimated from the landmarks; positive is turned to the right of the
        picture, and up.
    """

    size: float
    sharpness: float
    yaw: float
    pitch: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How alike the largest faces of two pictures are.

    similarity: 0..1, a fixed monotone map of the cosine; at or above `threshold` means a match.
    threshold: 0..1, the similarity at the pack's operating point.
    is_match: similarity >= threshold.
    cosine: -1..1, between two unit-length embeddings. Near a threshold, of those that embed()
        gives; far from all, of single looks without the mirror image.
    quality: of the two faces that were compared, in order.
    """

    similarity: float
    threshold: float
    is_match: bool
    cosine: float
    quality: tuple[FaceQuality, FaceQuality]


@dataclass(frozen=True, slots=True, eq=False)
class LivenessResult:
    """Whether the largest face was captured from a person and not from a print or a screen.

    score: calibrated natural log-odds of "live", clipped to -12..12.
    probability: P(live), 0..1, the same score on another scale.
    threshold: on the score, of the operating point.
    is_alive: assessable, and score > threshold.
    face: the face that was judged.
    context: whether what is around the face was judged too, or its texture alone.
    assessable: False when the face is too small, cut off, tilted, turned away, too dark, too bright
        or blurred for the score to count.
    reason: what to do about it, a short sentence; None when assessable.
    """

    score: float
    probability: float
    threshold: float
    is_alive: bool
    face: Face
    context: bool
    assessable: bool
    reason: str | None


@dataclass(frozen=True, slots=True, eq=False)
class DescreenResult:
    """A picture with its mesh taken out, or the picture itself when it carries none to be seen.

    image: (H, W, 3) uint8 BGR, the size of the input. It may be the array that was given: copy it
        before writing.
    mesh_score: 0..1, the probability that the input carries a mesh.
    changed: False when `image` equals the input bit for bit.
    """

    image: NDArray[np.uint8] = field(repr=False)
    mesh_score: float
    changed: bool
