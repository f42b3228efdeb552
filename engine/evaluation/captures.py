"""Labelled captures: live, or an attack of some species, of some person."""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from engine.evaluation.listing import is_table, named_file, read_rows
from engine.evaluation.photos import SampleError, picture_files, spelled

LIVE = "live"
NEGATIONS = {"not", "non", "no"}
ALSO_LIVE = re.compile(
    "(live|living|alive|real|genuine|bonafide|nonspoof|notspoof)"
    "(face|person|people|human|user|subject|presentation|capture|sample|photo|image|picture|video)?"
    "s?[0-9]*"
)
"""Other words for it, without signs between: for an attack they would turn every figure round."""


@dataclass(frozen=True, slots=True)
class Capture:
    """species: LIVE, or the attack's kind. subject: who is shown, or "" where nobody knows. source:
    the set it comes from."""

    path: Path
    species: str
    subject: str
    source: str


def read_all(sources: Sequence[Path]) -> list[Capture]:
    """As read() of each. Raises SampleError where nothing at all is live, too, for a picture that
    is there twice, and for folders of one name, whose subjects would be one another's."""
    found = [capture for source in sources for capture in read(source)]
    folders: dict[str, Path] = {}
    for source in sources:
        folder = _folder(source)
        if folders.setdefault(folder.name, folder) != folder:
            raise SampleError(f"{folders[folder.name]} and {folder} have one name: rename one")
    seen: set[Path] = set()
    for capture in found:
        if (file := capture.path.resolve()) in seen:
            raise SampleError(f"{capture.path} is listed twice: each capture counts once")
        seen.add(file)
    if not any(capture.species == LIVE for capture in found):
        labels = ", ".join(sorted({capture.species for capture in found}))
        raise SampleError(f"nothing is labelled live ({labels}): call live captures {LIVE}")
    return found


def read(source: Path) -> list[Capture]:
    """A CSV with path, label ("live" or the attack's species) and perhaps subject; or a folder of
    folders, either live and SPECIES, or SUBJECT_live and SUBJECT_SPECIES. Capitals in labels do
    not count. Raises SampleError otherwise."""
    if is_table(source):
        return _read_csv(source)
    if (source / "labels.csv").is_file():
        return _read_csv(source / "labels.csv")
    captures = []
    paths = picture_files(source)
    # Beside a plain folder "live", paper_mask is a kind of mask and not somebody called paper.
    folders = {path.relative_to(source).parts[0].strip() for path in paths}
    plain = any(folder.lower() == LIVE for folder in folders)
    ending = f"_{LIVE}"
    subjects = {one[: -len(ending)] for one in folders if one.lower().endswith(ending)}
    for path in paths:
        folder = path.relative_to(source).parts[0]
        if folder == path.name:
            raise SampleError(f"{path} lies in no folder that says whether it is live")
        subject, species = ("", folder) if plain else _named(source / folder, subjects)
        if folder.strip().lower().startswith(f"{LIVE}_"):
            raise SampleError(f"{source / folder}: call it SUBJECT_{LIVE}, or put it into {LIVE}")
        if plain and folder.strip().lower().endswith(f"_{LIVE}"):
            raise SampleError(f"{source / folder} beside {LIVE}: put it into that, or rename it")
        if species.lower() == LIVE and subject.lower().rpartition("_")[2] in NEGATIONS:
            raise SampleError(f"{source / folder} would be live captures of {subject}: rename it")
        captures.append(_capture(path, species, subject, _folder(source).name))
    return captures


def _named(folder: Path, subjects: Set[str]) -> tuple[str, str]:
    """Subject and species of SUBJECT_SPECIES, in which both may be of several words: the subject is
    whoever of these, with live captures, has the longest name. Raises SampleError where that leaves
    it open."""
    name = folder.name.strip()
    if known := [subject for subject in subjects if name.startswith(f"{subject}_")]:
        subject = max(known, key=len)
        return subject, name[len(subject) + 1 :]
    if name.count("_") > 1:
        raise SampleError(
            f"{folder} may be split in several ways, and none has live captures beside it: call "
            f"them SUBJECT_{LIVE}, or write a labels.csv with path, label, subject"
        )
    subject, _, species = name.rpartition("_")
    return subject, species


def _folder(source: Path) -> Path:
    """The folder of a set, which has a name even where it is given as a dot."""
    folder = source.parent if is_table(source) else source
    return folder.absolute() if folder.name.strip(".") else folder.resolve()


def _read_csv(listing: Path) -> list[Capture]:
    captures = []
    for line, row in read_rows(listing, ["path", "label"]).items():
        path = named_file(listing, line, row["path"])
        captures.append(_capture(path, row["label"], row.get("subject", ""), _folder(listing).name))
    return captures


def _capture(path: Path, species: str, subject: str, source: str) -> Capture:
    """Several sources are measured together, so subjects and species carry its name."""
    species, subject = spelled(species).casefold(), spelled(subject)
    of_a_kind = species.startswith(tuple(f"{LIVE}{sign}" for sign in "_- "))
    bare = "".join(letter for letter in species if letter.isalnum())
    if of_a_kind or (species != LIVE and ALSO_LIVE.fullmatch(bare)):
        raise SampleError(f"{path} is labelled {species}: call live captures {LIVE}")
    subject = f"{source}/{subject}" if subject else ""
    return Capture(path, LIVE if species == LIVE else f"{source}: {species}", subject, source)
