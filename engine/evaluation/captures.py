"""Labelled captures: live, or an attack of some species, of some person."""

import csv
from dataclasses import dataclass
from pathlib import Path

from engine.evaluation.photos import SampleError, picture_files

LIVE = "live"


@dataclass(frozen=True, slots=True)
class Capture:
    """species: LIVE, or the attack's kind. subject: who is shown, or "" where nobody knows. source:
    the set it comes from."""

    path: Path
    species: str
    subject: str
    source: str


def read(source: Path) -> list[Capture]:
    """A CSV with path, label ("live" or the attack's species) and perhaps subject; or a folder of
    folders named live, SPECIES, SUBJECT_live or SUBJECT_SPECIES. Raises SampleError otherwise."""
    if source.suffix == ".csv":
        return _read_csv(source)
    if (source / "labels.csv").is_file():
        return _read_csv(source / "labels.csv")
    captures = []
    for path in picture_files(source):
        folder = path.relative_to(source).parts[0]
        if folder == path.name:
            raise SampleError(f"{path} lies in no folder that says whether it is live")
        subject, _, species = folder.rpartition("_")
        captures.append(_capture(path, species, subject, source.name))
    return captures


def _read_csv(listing: Path) -> list[Capture]:
    with listing.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"path", "label"} <= set(rows[0]):
        raise SampleError(f"{listing} must have a header with path and label, and rows below it")
    name = listing.parent.name
    return [
        _capture(listing.parent / row["path"], row["label"], row.get("subject") or "", name)
        for row in rows
    ]


def _capture(path: Path, species: str, subject: str, source: str) -> Capture:
    """Several sources are measured together, so subjects and species carry its name."""
    live = species.lower() == LIVE
    subject = f"{source}/{subject}" if subject else ""
    return Capture(path, LIVE if live else f"{source}: {species}", subject, source)
