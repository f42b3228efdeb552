"""Pairs of photos to be compared: all of a folder's, or those of a table."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.listing import read_rows
from engine.evaluation.photos import Photo, SampleError

Indices = NDArray[np.int64]
SAME = dict.fromkeys(("1", "1.0", "true", "yes"), True)
SAME |= dict.fromkeys(("0", "0.0", "false", "no"), False)


@dataclass(frozen=True, slots=True)
class Pairs:
    """N pairs. a, b: (N,) indices into photos. fold: (N,) of LFW's protocol, or None."""

    photos: Sequence[Photo]
    a: Indices
    b: Indices
    fold: Indices | None = None

    def __len__(self) -> int:
        return len(self.a)

    def take(self, chosen: NDArray[Any]) -> "Pairs":
        """Some of the pairs, by index or mask."""
        fold = None if self.fold is None else self.fold[chosen]
        return Pairs(self.photos, self.a[chosen], self.b[chosen], fold)

    def alone(self) -> "Pairs":
        """The same pairs, with no photos but those in them."""
        used, ends = np.unique(np.stack([self.a, self.b]), return_inverse=True)
        a, b = ends.reshape(2, -1)
        return Pairs([self.photos[index] for index in used], a, b, self.fold)

    @property
    def people(self) -> Indices:
        """A number per photo, equal for one person's photos."""
        return np.unique([photo.person for photo in self.photos], return_inverse=True)[1]

    @property
    def same(self) -> NDArray[np.bool_]:
        """(N,) whether a pair shows one person."""
        people = self.people
        result: NDArray[np.bool_] = people[self.a] == people[self.b]
        return result

    @property
    def cohorts(self) -> dict[str, NDArray[np.bool_]]:
        """Of every cohort, which pairs have both people in it; empty when there is but one."""
        names, codes = np.unique([photo.cohort for photo in self.photos], return_inverse=True)
        if len(names) < 2:
            return {}
        inside = np.where(codes[self.a] == codes[self.b], codes[self.a], -1)
        return {str(name): inside == code for code, name in enumerate(names) if name}


def all_pairs(photos: Sequence[Photo], impostors: int, seed: int = 0) -> Pairs:
    """Every genuine pair, and every impostor pair or that many of them at random."""
    people = np.unique([photo.person for photo in photos], return_inverse=True)[1]
    total = len(photos) * (len(photos) - 1) // 2
    if total <= impostors:
        a, b = np.triu_indices(len(photos), 1)
        return Pairs(photos, a, b)
    a, b = _genuine(people)
    rng = np.random.default_rng(seed)
    drawn = np.empty((0, 2), np.int64)
    while len(drawn) < min(impostors, total - len(a)):
        more = np.sort(rng.integers(0, len(photos), (impostors * 5 // 4, 2)), axis=1)
        more = more[people[more[:, 0]] != people[more[:, 1]]]
        drawn = np.unique(np.concatenate([drawn, more]), axis=0)
    drawn = rng.permutation(drawn)[:impostors]
    return Pairs(photos, np.concatenate([a, drawn[:, 0]]), np.concatenate([b, drawn[:, 1]]))


def read_table(listing: Path) -> Pairs:
    """A CSV with columns a, b (paths, relative to the file's folder), same (1 or 0), and perhaps
    cohort, that of both people. Photos that genuine pairs connect are one person's. A pair counts
    once, however often and in whichever order it is listed, and a photo with itself not at all.

    Raises SampleError for rows that cannot be read, or that contradict each other.
    """
    rows = read_rows(listing, ["a", "b", "same"])
    for row in rows.values():
        for end in ("a", "b"):
            row[end] = os.path.normpath(row[end].strip())
    person: dict[str, str] = {}
    cohort: dict[str, str] = {}

    def root(name: str) -> str:
        while person.setdefault(name, name) != name:
            name = person[name]
        return name

    different = {}
    for line, row in rows.items():
        a, b = root(row["a"]), root(row["b"])
        same = SAME.get(row["same"].strip().lower())
        if same is None:
            raise SampleError(f"{listing}, line {line}: same is 1 or 0, not {row['same']!r}")
        if same:
            person[a] = b
        else:
            different[line] = a, b
        for name in (row["a"], row["b"]):
            stated = row.get("cohort", "").strip()
            if stated and cohort.setdefault(name, stated) != stated:
                raise SampleError(
                    f"{listing}, line {line}: {name} is of {stated}, and of {cohort[name]} in "
                    "another row: leave cohort empty where it is not that of both"
                )
    for line, (a, b) in different.items():
        if root(a) == root(b):
            raise SampleError(
                f"{listing}, line {line}: two people, whom other rows make one: correct the rows"
            )
    index = {name: number for number, name in enumerate(person)}
    photos = [Photo(listing.parent / name, root(name), cohort.get(name, "")) for name in index]
    ends = np.array([[index[row["a"]], index[row["b"]]] for row in rows.values()])
    ends = ends[ends[:, 0] != ends[:, 1]]
    if not len(ends):
        raise SampleError(f"{listing}: every photo is paired with itself, which tells nothing")
    _, first = np.unique(np.sort(ends, axis=1), axis=0, return_index=True)
    ends = ends[np.sort(first)]
    return Pairs(photos, ends[:, 0], ends[:, 1])


def _genuine(people: Indices) -> tuple[Indices, Indices]:
    ends = [np.zeros((0, 2), np.int64)]
    order = np.argsort(people, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(people[order])) + 1):
        ends.append(np.stack([group[side] for side in np.triu_indices(len(group), 1)], 1))
    both = np.concatenate(ends)
    return both[:, 0], both[:, 1]
