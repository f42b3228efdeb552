"""Who is on which photo: from a table, or from folders."""

import sys
from pathlib import Path

from engine.evaluation.captures import LIVE
from engine.evaluation.listing import is_table, named_file, read_rows
from engine.evaluation.photos import Photo, SampleError, in_cohorts, read_folder, spelled


def read_people(source: Path, cohort: str | None = None) -> list[Photo]:
    """A CSV with path, person (or subject, as captures have it) and perhaps cohort; a folder with
    such a labels.csv; or a folder as read_folder takes it. Paths begin at the table's folder.
    Photos that such a table labels as attacks count like others, which stderr is told.

    Raises SampleError as read_folder does, and for a row whose file is missing, that names nobody,
    or that says of a photo or a person something else than a row above.
    """
    listing = source / "labels.csv" if (source / "labels.csv").is_file() else source
    if not is_table(listing):
        return read_folder(source, cohort)
    photos: dict[Path, Photo] = {}
    cohorts: dict[str, str] = {}
    rows = read_rows(listing, ["path"])
    labels = [spelled(row.get("label", "")) for row in rows.values()]
    if attacks := [label for label in labels if label.casefold() not in ("", LIVE)]:
        print(
            f"{listing}: {len(attacks)} photos are not labelled {LIVE}, but {attacks[0]}, and "
            "count as photos of their person",
            file=sys.stderr,
        )
    for line, row in rows.items():
        path = named_file(listing, line, row["path"])
        person = spelled(row.get("person", "")) or spelled(row.get("subject", ""))
        group = spelled(row.get("cohort", ""))
        if not person:
            raise SampleError(f"{listing}, line {line}: fill in person (or subject)")
        if path.resolve() in photos:
            raise SampleError(f"{listing}, line {line}: {path} has a row above: take one out")
        if cohorts.setdefault(person, group) != group:
            raise SampleError(f"{listing}, line {line}: {person} has another cohort above")
        photos[path.resolve()] = Photo(path, person, group)
    if cohort is not None and any(cohorts.values()):
        raise SampleError(f"{listing} has cohorts of its own: take out --cohort, or them")
    return in_cohorts([*photos.values()], cohort)
