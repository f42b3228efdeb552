"""Labelled photos: who is on which picture, and what group of people they belong to."""

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import EngineError, ImageError
from engine.images import Pixels, load

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp"}
OTHERS = {".avif", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".tif", ".tiff", ".webp"}
"""Pictures that nothing here reads: convert them."""


KEPT_BESIDE = {"@eaDir", "__MACOSX"}
"""What a NAS and an archive from a Mac keep beside pictures, as small copies of them."""

REPORT = ("report.html", "metrics.json")
"""The files by which the folder of a report is known; its contact sheets are no sample."""


class SampleError(EngineError):
    """Labelled data is missing, unreadable or too small; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture. person: unique over the set. cohort: people alike (sex, ethnic group), or ""."""

    path: Path
    person: str
    cohort: str = ""


def read_folder(root: Path, cohort: str | None = None) -> list[Photo]:
    """Photos as root/person/photo, root/cohort/person/photo, or root/photo (a person each).

    cohort: a regular expression; what it matches of the person's name is the cohort.
    Raises SampleError for a folder without pictures or with others than these, and for a cohort
    that is no regular expression or matches nobody.
    """
    paths = [path.relative_to(root) for path in picture_files(root)]
    holders = {path.parent for path in paths}
    for path in paths:
        # In deeper folders one person would be several, and genuine pairs those of strangers.
        if len(path.parts) > 3 or holders & {*path.parent.parents} - {Path()}:
            raise SampleError(
                f"{root / path} lies below a person's folder: put all photos of a person into one, "
                "as PERSON/PHOTO or GROUP/PERSON/PHOTO"
            )
    if alone := sum(path.parent == Path() for path in paths):
        print(f"{root}: {alone} photos in no folder are of {alone} people here", file=sys.stderr)
    stems = Counter(path.with_suffix("") for path in paths)
    return in_cohorts(
        [_photo(path, root, stems[path.with_suffix("")] == 1) for path in paths], cohort
    )


def spelled(name: str) -> str:
    """A name without blanks around, in one spelling of its accents (Unicode's NFC): two
    systems would make two people of one."""
    return unicodedata.normalize("NFC", name).strip()


def in_cohorts(photos: list[Photo], cohort: str | None) -> list[Photo]:
    """The photos with what the regular expression matches of the person's name as their cohort.

    None leaves them as they are. Raises SampleError for one that is none or matches nobody.
    """
    if cohort is None:
        return photos
    try:
        pattern = re.compile(cohort)
    except re.error as error:
        raise SampleError(f"--cohort {cohort} is no regular expression: {error}") from error
    photos = [replace(photo, cohort=_match(pattern, photo.person)) for photo in photos]
    if not any(photo.cohort for photo in photos):
        raise SampleError(f"--cohort {cohort} matches nobody's name, such as {photos[0].person}")
    return photos


def picture_files(root: Path) -> list[Path]:
    """Every picture below a folder and the folders linked there, in a fixed order.

    Folders may be called like pictures; ._NAME holds what a Mac noted about NAME. Left out, which
    stderr is told, are pictures of other kinds, hidden ones and those that other programs keep
    beside pictures (.thumbnails, @eaDir), and what lies in the folder of a report beside that.
    Raises SampleError when there is none of these, for a folder that holds a report itself, and for
    a link to nothing.
    """
    if _holds_report(root):
        raise SampleError(
            f"{root} holds a report, whose pictures would count: move it, and give another --out"
        )
    files = [(path, aside) for path, aside in _files(root) if not path.name.startswith("._")]
    found = sorted((path, aside) for path, aside in files if path.suffix.lower() in SUFFIXES)
    paths = [path for path, aside in found if not aside]
    kinds = ", ".join(sorted(SUFFIXES))
    if not root.is_dir():
        raise SampleError(f"{root} is a file" if root.exists() else f"there is no folder {root}")
    if not paths:
        raise SampleError(f"{root} holds no pictures ({kinds})")
    for path in paths:
        if not path.exists():
            raise SampleError(f"{path} is a link to nothing: take it out")
    if hidden := [path for path, aside in found if aside]:
        print(
            f"{root}: {len(hidden)} pictures are left out, which are hidden, kept by another "
            f"program or a report's, such as {hidden[0]}",
            file=sys.stderr,
        )
    if others := [path for path, _ in files if path.suffix.lower() in OTHERS]:
        print(
            f"{root}: {len(others)} pictures are left out, such as {min(others).name}: convert "
            f"them to one of {kinds}",
            file=sys.stderr,
        )
    return paths


def _files(
    folder: Path, above: frozenset[Path] = frozenset(), aside: bool = False
) -> Iterator[tuple[Path, bool]]:
    """Every file, and whether it is no part of a sample."""
    real = folder.resolve()
    if real in above or not folder.is_dir():  # a link to where it lies itself
        return
    report = _holds_report(folder)
    for entry in folder.iterdir():
        apart = aside or entry.name.startswith(".") or entry.name in KEPT_BESIDE
        if entry.is_dir():
            yield from _files(entry, above | {real}, apart)
        else:
            yield entry, apart or report


def _holds_report(folder: Path) -> bool:
    return all((folder / name).is_file() for name in REPORT)


def read_photo(path: Path) -> Pixels:
    """(H, W, 3) uint8 BGR. Raises SampleError, which names the file, where that is no picture."""
    try:
        return load(path)
    except ImageError as error:
        raise SampleError(f"{error}; take it out") from error


def leave_out(photos: Iterable[Photo], listed: Path) -> list[Photo]:
    """The photos without those that a file names, one a line; # is a comment.

    A name is the person's, or that of the file, with its suffix or without, and in folders of
    people perhaps after the person's: ann is all of hers, 1 everybody's first photo, and ann/1 that
    of one. Raises SampleError for a file that is not UTF-8, and where nobody has one of the names:
    who appears twice would be taken for two strangers.
    """
    try:
        text = listed.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SampleError(f"{listed} is not UTF-8: save it as that") from error
    names = {spelled(line.split("#")[0]) for line in text.splitlines()} - {""}
    photos = list(photos)
    if unknown := sorted(names.difference(*map(_names, photos))):
        raise SampleError(f"{listed}: no photo here is called {', '.join(unknown[:5])}")
    return [photo for photo in photos if not names & _names(photo)]


def place(photo: Photo) -> str:
    """The photo's name after its person's, or alone where that is the person's."""
    alone = photo.person in (photo.path.stem, photo.path.name)
    return photo.person if alone else f"{photo.person}/{photo.path.stem}"


def _names(photo: Photo) -> set[str]:
    person, name, stem = photo.person, spelled(photo.path.name), spelled(photo.path.stem)
    return {person, name, stem, f"{person}/{name}", f"{person}/{stem}"}


def _photo(path: Path, root: Path, alone: bool) -> Photo:
    """alone: no other file has this stem, which then is the name of who lies in no folder."""
    folders = path.parts[:-1]
    person = spelled("/".join(folders) or (path.stem if alone else path.name))
    return Photo(root / path, person, spelled(folders[0]) if len(folders) > 1 else "")


def _match(pattern: re.Pattern[str], person: str) -> str:
    found = pattern.search(person)
    return found.group(0) if found else ""
