"""Detections as rows of numbers, and the arithmetic of their boxes."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
"""(N, 15): score, box left, top, right, bottom, then five landmarks x, y; in pixels."""

Shares = NDArray[np.float32]
"""(N,) fractions, 0..1."""

SAME = 0.7
"""Boxes that overlap by this much are of one face, also where faces overlap each other."""


def suppress(rows: Rows, overlap: float) -> Rows:
    """Greedy non-maximum suppression, best score first.

    overlap: 0..1, the intersection over union with a better scored box above which a box goes.
    The landmarks of what stays are the mean, weighted by the scores, of those of all boxes that are
    the SAME: several cells of a detector see a face, and their errors differ. Of a portrait and its
    descreened copy that takes a quarter of the difference between their landmarks away.
    """
    rows, kept = _by_score(rows), [rows[:0]]
    for best, shares in _greedy(rows, overlap, shared_of_union):
        row = rows[best : best + 1].copy()
        weights = rows[:, 0] * (shares >= SAME)
        if total := weights.sum():  # a box without area is not even the same as itself
            row[:, 5:] = weights @ rows[:, 5:] / total
        kept.append(row)
    return np.concatenate(kept)


def suppress_nested(rows: Rows) -> Rows:
    """Merge the finds of several sizes: of two boxes that share more than half of the smaller one,
    the better scored stays. (A large face looked at too closely shows up as a part of itself.)"""
    rows = _by_score(rows)
    return rows[[best for best, _ in _greedy(rows, 0.5, shared_of_smaller)]]


def _by_score(rows: Rows) -> Rows:
    return rows[np.argsort(-rows[:, 0], kind="stable")]


def _greedy(
    rows: Rows, limit: float, shared: Callable[[Rows, Rows], Shares]
) -> Iterator[tuple[int, Shares]]:
    """Of rows, best first: the index of each that stays, and what it shares with every row."""
    left = np.ones(len(rows), np.bool_)
    while left.any():
        best = int(left.argmax())
        shares = shared(rows[best], rows)
        yield best, shares
        left &= shares <= limit
        left[best] = False


def shared_of_union(row: Rows, others: Rows) -> Shares:
    """Intersection over union of one row's box with the boxes of (N, 15) others."""
    shared = _intersections(row, others)
    shares: Shares = shared / np.maximum(_areas(row) + _areas(others) - shared, 1e-9)
    return shares


def shared_of_smaller(row: Rows, others: Rows) -> Shares:
    """Intersection over the smaller of the two areas."""
    smaller: Shares = np.maximum(np.minimum(_areas(row), _areas(others)), 1e-9)
    shares: Shares = _intersections(row, others) / smaller
    return shares


def _intersections(row: Rows, others: Rows) -> Shares:
    low = np.maximum(row[1:3], others[:, 1:3])
    high = np.minimum(row[3:5], others[:, 3:5])
    return _product(np.maximum(high - low, 0))


def _areas(rows: Rows) -> Shares:
    return _product(rows[..., 3:5] - rows[..., 1:3])


def _product(extents: Rows) -> Shares:
    """Width times height: for two numbers a row that is four times as fast as np.prod."""
    shares: Shares = extents[..., 0] * extents[..., 1]
    return shares
