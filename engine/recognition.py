"""Recognition: from decoded pictures to embeddings, and from two of them to a comparison."""

from collections.abc import Sequence

import numpy as np

from engine.alignment import align
from engine.detection import Detection
from engine.embedding import Embedder, Embeddings, mirrored, unit
from engine.errors import FaceNotFound, ImageError
from engine.images import Image, Pixels, load
from engine.orientation import levelled
from engine.quality import assess
from engine.results import Comparison, Face
from engine.runtime import Runtime
from engine.similarity import SimilarityScale

PART = 16
"""Pictures that are embedded at a time: their crops, as they are and mirrored, are in memory."""


class Recognition:
    """The largest face of a picture, aligned and embedded, once or twice.

    Its methods raise FaceNotFound, naming the first picture in which there is none, and ImageError.
    Pictures that are not decoded yet are when their turn comes, so that they are not all in memory.
    """

    def __init__(
        self, detection: Detection, embedder: Embedder, scale: SimilarityScale, runtime: Runtime
    ) -> None:
        self._detection = detection
        self._embedder = embedder
        self._scale = scale
        self._map = runtime.map

    def embed(self, pictures: Sequence[Image]) -> Embeddings:
        """(N, D) of at least one picture: each face as it is and mirrored, the mean of both."""
        alone, vectors = len(pictures) == 1, []
        for start in range(0, len(pictures), PART):
            part = pictures[start : start + PART]
            _, crops = self.aligned(part, None if alone else start + 1)
            both = self._embedder.embed([*crops, *mirrored(crops)])
            vectors.append(unit(both[: len(crops)] + both[len(crops) :]))
        return np.concatenate(vectors)

    def compare(self, pair: Sequence[Pixels]) -> Comparison:
        """Two pictures. The mirrored faces are looked at only where that could change a decision:
        it takes as long as the first look."""
        faces, crops = self.aligned(pair, first=1)
        vectors = self._embedder.embed(crops)
        cosine = _cosine(vectors)
        if self._scale.is_doubtful(cosine):
            cosine = _cosine(unit(vectors + self._embedder.embed(mirrored(crops))))
        similarity, threshold = self._scale(cosine), self._scale.threshold
        quality = (assess(faces[0], crops[0]), assess(faces[1], crops[1]))
        return Comparison(similarity, threshold, similarity >= threshold, cosine, quality)

    def aligned(
        self, pictures: Sequence[Image], first: int | None = None
    ) -> tuple[list[Face], list[Pixels]]:
        """The largest face of each picture, upright, and its crop for the embedding network.

        first: the first picture's number, in messages; None for one that has none.
        """

        def face_and_crop(index: int) -> tuple[Face, Pixels]:
            number = None if first is None else first + index
            found = levelled(self._detection, loaded(pictures[index], number))
            if found is None:
                raise face_not_found(number)
            image, face = found
            return face, align(image, face.landmarks, self._embedder.size)

        found = self._map(face_and_crop, range(len(pictures)))
        return [face for face, _ in found], [crop for _, crop in found]


def _cosine(pair: Embeddings) -> float:
    first, second = pair
    return float(np.clip(first @ second, -1, 1))


def loaded(picture: Image, number: int | None) -> Pixels:
    """Decoded; a number, of several pictures, goes before the message of an ImageError."""
    try:
        return load(picture)
    except ImageError as error:
        if number is None:
            raise
        raise ImageError(f"picture {number}: {error}") from error


def face_not_found(number: int | None = None) -> FaceNotFound:
    where = "the picture" if number is None else f"picture {number}"
    return FaceNotFound(
        f"no face was found in {where}: it must show one, clearly and not too small"
    )
