"""The protocol of Labeled Faces in the Wild: its lists, its folds, its accuracy."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.pairs import Indices, Pairs
from engine.evaluation.photos import Photo, SampleError

FOLDS, PAIRS_PER_FOLD = 10, 300


def folded_pairs(photos: Sequence[Photo], seed: int = 0) -> Pairs:
    """Ten folds of 300 genuine and 300 impostor pairs, no person in two folds, drawn at random.

    Made as LFW's View 2 was (Huang et al., "Labeled Faces in the Wild", 2007, section 3), for a
    set that is not LFW or holds only a part of it. Raises SampleError for a set too small.
    """
    people = np.unique([photo.person for photo in photos], return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    fold_of = (rng.permutation(people.max() + 1) % FOLDS)[people]
    chosen = []
    for fold in range(FOLDS):
        inside = np.flatnonzero(fold_of == fold)
        a, b = np.triu_indices(len(inside), 1)
        same = people[inside[a]] == people[inside[b]]
        for group in (np.flatnonzero(same), np.flatnonzero(~same)):
            if len(group) < PAIRS_PER_FOLD:
                raise SampleError(
                    f"ten folds need {PAIRS_PER_FOLD} genuine and as many impostor pairs each; "
                    f"one has only {len(group)}: more people or more photos of them are needed"
                )
            taken = rng.choice(group, PAIRS_PER_FOLD, replace=False)
            chosen.append((inside[a[taken]], inside[b[taken]], np.full(len(taken), fold)))
    return Pairs(photos, *(np.concatenate(part) for part in zip(*chosen, strict=True))).alone()


def read_lfw(root: Path, listing: Path) -> Pairs:
    """LFW's folder and its pairs.txt (or pairsDevTest.txt, which is one fold).

    Raises SampleError for another file, and for a pair that tells nothing or the wrong thing: of a
    photo with itself, or of one person where the list has pairs of two, and the other way round.
    """
    try:
        lines = [
            line.split() for line in listing.read_text("utf-8-sig").splitlines() if line.strip()
        ]
        folds, size = (1, int(lines[0][0])) if len(lines[0]) == 1 else map(int, lines[0])
        named = [
            ((name, int(first)), (rest[0] if len(rest) == 2 else name, int(rest[-1])))
            for name, first, *rest in lines[1:]
        ]
    except (ValueError, IndexError) as error:
        raise SampleError(f"{listing} is not in the form of LFW's pairs.txt: {error}") from error
    if not named or len(named) != folds * size * 2:
        raise SampleError(f"{listing}: {len(named)} pairs, its first line promises otherwise")
    for number, (one, other) in enumerate(named):
        same = number % (2 * size) < size  # each fold begins with those of one person
        if one == other or (one[0] == other[0]) != same:
            pair = " and ".join(f"{name} {photo}" for name, photo in (one, other))
            wanted = "two photos of one person" if same else "photos of two people"
            raise SampleError(f"{listing}: {pair} is no pair of {wanted}, as should be there")
    index = {key: n for n, key in enumerate(sorted({key for pair in named for key in pair}))}
    photos = [Photo(root / name / f"{name}_{number:04d}.jpg", name) for name, number in index]
    ends = np.array([[index[x], index[y]] for x, y in named])
    fold = np.repeat(np.arange(folds), 2 * size) if folds > 1 else None
    return Pairs(photos, ends[:, 0], ends[:, 1], fold)


def folded_accuracy(
    scores: NDArray[np.float64], same: NDArray[np.bool_], fold: Indices
) -> tuple[float, float]:
    """Mean accuracy over the folds and its standard error, each fold judged at the threshold that
    is best on the others (LFW's "image-restricted" protocol). A pair without a score is an error.
    """
    accuracies, scored = [], ~np.isnan(scores)
    for number in np.unique(fold):
        rest, held = (fold != number) & scored, fold == number
        order = np.argsort(scores[rest])
        ordered, truth = scores[rest][order], same[rest][order]
        # The first k called different: right are the impostors among them, and genuine beyond.
        right = np.append(0, np.cumsum(~truth)) + np.append(np.cumsum(truth[::-1])[::-1], 0)
        parted = np.concatenate([[True], ordered[1:] > ordered[:-1], [True]])  # not inside a tie
        best = int(np.argmax(np.where(parted, right, -1)))
        threshold = ordered[best] if best < len(ordered) else np.inf
        if 0 < best < len(ordered):
            threshold = (ordered[best - 1] + ordered[best]) / 2
        said = scores[held] >= threshold
        accuracies.append(float(np.mean((said == same[held]) & scored[held])))
    spread = np.std(accuracies, ddof=1) / math.sqrt(len(accuracies))
    return float(np.mean(accuracies)), float(spread)
