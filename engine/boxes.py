"""Detections as rows of numbers, and the arithmetic of their boxes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
"""(N, 15): score, box left, top, right, bottom, then five landmarks x, y; in pixels."""

Shares = NDArray[np.float32]
"""Fractions, 0..1, (N,) or (K, N)."""

SAME = 0.7
"""Boxes that overlap by this much are of one face, also where faces overlap each other."""


def suppress(rows: Rows, overlap: float) -> Rows:
    """Greedy non-maximum suppression, best score first, by intersection over union.

    The landmarks of what stays are the mean, weighted by the scores, of those of all boxes that are
    the SAME: several cells of a detector see a face, and their errors differ. Of a portrait and its
    descreened copy that takes a quarter of the difference between their landmarks away.
    """
    kept = _greedy(rows, overlap, shared_of_union)
    weights = rows[:, 0] * (shared_of_union(kept[:, None], rows) >= SAME)
    total = weights.sum(axis=1, keepdims=True)
    # A box without area is not even the same as itself, and keeps its landmarks.
    np.divide(weights @ rows[:, 5:], total, out=kept[:, 5:], where=total > 0)
    return kept


def suppress_nested(rows: Rows) -> Rows:
    """Merge the finds of several sizes: of two boxes that share more than half of the smaller one,
    the better scored stays. (A large face looked at too closely shows up as a part of itself.)"""
    return _greedy(rows, 0.5, shared_of_smaller)


def _greedy(rows: Rows, limit: float, shared: Callable[[Rows, Rows], Shares]) -> Rows:
    rows = rows[np.argsort(-rows[:, 0], kind="stable")]
    kept = [rows[:0]]
    while len(rows):
        best, others = rows[:1], rows[1:]
        kept.append(best)
        rows = others[shared(best[0], others) <= limit]
    return np.concatenate(kept)


def shared_of_union(row: Rows, others: Rows) -> Shares:
    """Intersection over union of one row's box with those of (N, 15) others; of (K, 1, 15) rows,
    (K, N) of them."""
    shared = _intersections(row, others)
    shares: Shares = shared / np.maximum(_areas(row) + _areas(others) - shared, 1e-9)
    return shares


def shared_of_smaller(row: Rows, others: Rows) -> Shares:
    """Intersection over the smaller of the two areas."""
    smaller: Shares = np.maximum(np.minimum(_areas(row), _areas(others)), 1e-9)
    shares: Shares = _intersections(row, others) / smaller
    return shares


def _intersections(row: Rows, others: Rows) -> Shares:
    low = np.maximum(row[..., 1:3], others[:, 1:3])
    high = np.minimum(row[..., 3:5], others[:, 3:5])
    shared: Shares = np.prod(np.clip(high - low, 0, None), axis=-1)
    return shared


def _areas(rows: Rows) -> Shares:
    areas: Shares = np.prod(rows[..., 3:5] - rows[..., 1:3], axis=-1)
    return areas
