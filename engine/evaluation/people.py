"""Who is on which photo: from a table, or from folders."""

from pathlib import Path

from engine.evaluation.listing import is_table, named_file, read_rows
from engine.evaluation.photos import Photo, SampleError, in_cohorts, read_folder


def read_people(source: Path, cohort: str | None = None) -> list[Photo]:
    """A CSV with path, person (or subject, as captures have it) and perhaps cohort; a folder with
    such a labels.csv; or a folder as read_folder takes it. Paths begin at the table's folder.

    Raises SampleError as read_folder does, and for a row whose file is missing, that names nobody,
    or that says of a photo or a person something else than a row above.
    """
    listing = source / "labels.csv" if (source / "labels.csv").is_file() else source
    if not is_table(listing):
        return read_folder(source, cohort)
    photos: dict[Path, Photo] = {}
    cohorts: dict[str, str] = {}
    for line, row in read_rows(listing, ["path"]).items():
        path = named_file(listing, line, row["path"])
        person = row.get("person", "").strip() or row.get("subject", "").strip()
        group = row.get("cohort", "").strip()
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
