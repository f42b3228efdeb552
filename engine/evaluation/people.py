"""Who is on which photo: from a table, or from folders."""

from pathlib import Path

from engine.evaluation.listing import is_table, read_rows
from engine.evaluation.photos import Photo, SampleError, in_cohorts, read_folder


def read_people(source: Path, cohort: str | None = None) -> list[Photo]:
    """A CSV with path, person (or subject, as of captures) and perhaps cohort; or a folder.

    Paths are taken from the table's folder. cohort and errors as read_folder's; raises SampleError
    for a row that names no file, nobody, or a photo once more, too.
    """
    if not is_table(source):
        return read_folder(source, cohort)
    photos: dict[Path, Photo] = {}
    for line, row in read_rows(source, ["path"]).items():
        path = source.parent / row["path"].strip()
        person = (row.get("person") or row.get("subject") or "").strip()
        if not path.is_file():
            raise SampleError(f"{source}, line {line}: there is no file {path}")
        if not person:
            raise SampleError(f"{source}, line {line}: fill in person")
        if path in photos:
            raise SampleError(f"{source}, line {line}: {path} has a row above: take one out")
        photos[path] = Photo(path, person, row.get("cohort", "").strip())
    return in_cohorts([*photos.values()], cohort)
