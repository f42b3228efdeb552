"""Who is kept apart from training, and who of these is not judged on either.

People go by the names in the data, and some have two there. Whoever is held out under one name and
trained on under the other is left out of judging: a network that has seen somebody does better on
them. Training goes by the names as before, so the shipped networks are what it would make.
"""

import hashlib
from pathlib import Path

SEEN_PORTRAITS = {
    "us-governors_ned-lamont",  # us-governors_edward-lamont, pixel by pixel
    "us-governors_ronald-desantis",  # us-governors_ron-desantis, pixel by pixel
}
SEEN_SUBJECTS = {
    "32",  # 33: a mean cosine of 0.55, two other subjects reach 0.31 at most; one woman by eye
}
"""Portraits by file name, subjects as prints_cn calls them; after each who it is in training."""


def held_out(path: Path) -> bool:
    """Whether no training sees the portrait under this name: one person in twelve, by name."""
    person = path.stem.rsplit("_", 1)[-1]
    return hashlib.sha256(person.encode()).digest()[0] < 256 // 12


def unseen(path: Path) -> bool:
    """Whether no training sees the person of the portrait, so that networks are judged on it."""
    return held_out(path) and path.stem not in SEEN_PORTRAITS


def kept_subjects(subjects: set[str]) -> set[str]:
    """Every fourth subject of the prints: those that no training sees under this name."""
    return set(sorted(subjects)[::4])
