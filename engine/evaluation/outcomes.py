"""What descreening does to photos that carry no mesh, and to comparisons of those that do."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine import Engine, FaceNotFound
from engine.evaluation.intervals import Rate, wilson
from engine.evaluation.listing import pictures
from engine.evaluation.meshed import SIZES, cut_out, draw, generator
from engine.evaluation.people import read_people
from engine.evaluation.photos import SampleError, read_photo
from engine.evaluation.report import Report
from engine.evaluation.restoration import psnr
from engine.evaluation.systems import progress
from engine.images import Pixels


@dataclass(frozen=True, slots=True)
class Plain:
    """What became of a photo without a mesh: its PSNR to its input in dB, None where bit-equal."""

    size: str
    psnr: float | None


@dataclass(frozen=True, slots=True)
class Genuine:
    """Whether a pair is refused: as it is, with a mesh on one photo, and with that descreened."""

    family: str
    opacity: str
    refused_clean: bool
    refused_meshed: bool
    refused_descreened: bool


@dataclass(frozen=True, slots=True)
class Recovery:
    """The three rates of several pairs."""

    clean: Rate
    meshed: Rate
    descreened: Rate

    @classmethod
    def of(cls, pairs: Sequence[Genuine]) -> "Recovery":
        names = ("clean", "meshed", "descreened")
        refused = {name: sum(getattr(pair, f"refused_{name}") for pair in pairs) for name in names}
        return cls(**{name: wilson(count, len(pairs)) for name, count in refused.items()})

    @property
    def share(self) -> float:
        """Of the refusals that the mesh causes, those that do not happen any more; NaN for none."""
        lost = self.meshed.value - self.clean.value
        return (self.meshed.value - self.descreened.value) / lost if lost > 0 else math.nan


def untouched(engine: Engine, images: Path, count: int, seed: int) -> list[Plain]:
    """Photos of a folder or CSV, at the sizes of the pairs, some of them compressed."""
    paths, capture = pictures(images), generator("capture")
    photos = []
    for number in progress(range(count), "without mesh"):
        rng = np.random.default_rng((seed, number, 1))
        width, height = SIZES[number % len(SIZES)]
        photo = cut_out(read_photo(paths[number % len(paths)]), width, height)
        photo = capture.expose(photo, None, capture.sample(rng), height, width)[0]
        output = engine.descreen(photo).image
        same = np.array_equal(output, photo)
        change = None if same else psnr((output.astype(np.float64) - photo) ** 2)
        photos.append(Plain(f"{width}x{height}", change))
    return photos


def photographed(identities: Path) -> list[list[Path]]:
    """The photos of everybody who has two or more; identities: as read_people() takes them.

    Raises SampleError as that does, and when nobody has.
    """
    people: dict[str, list[Path]] = {}
    for photo in read_people(identities):
        people.setdefault(photo.person, []).append(photo.path)
    several = [photos for photos in people.values() if len(photos) > 1]
    if not several:
        raise SampleError(f"{identities}: no person has two photos; it takes a folder for each")
    return several


def genuine(
    engine: Engine, identities: Path, count: int, families: Sequence[str], seed: int
) -> list[Genuine]:
    """Pairs of different photos of one person, at the default threshold.

    identities: as photographed() takes it.
    """
    people = photographed(identities)
    pairs = []
    for number in progress(range(count), "genuine pairs"):
        rng = np.random.default_rng((seed, number, 2))
        photos = people[number % len(people)]
        live, photo = (read_photo(photos[i]) for i in rng.choice(len(photos), 2, replace=False))
        height, width = photo.shape[:2]
        family = families[number % len(families)]
        drawn = draw(rng, photo, family, width, height)
        refused = [
            not _match(engine, live, *other)
            for other in ((drawn.clean, False), (drawn.meshed, False), (drawn.meshed, True))
        ]
        pairs.append(Genuine(family, drawn.opacity, *refused))
    return pairs


def _match(engine: Engine, live: Pixels, photo: Pixels, id_photo: bool) -> bool:
    try:
        return engine.compare(live, photo, id_photo=(False, id_photo)).is_match
    except FaceNotFound:
        return False


def show_untouched(report: Report, photos: Sequence[Plain]) -> dict[str, Any]:
    """Adds the table of all photos, and by size, to a report; returns the figures in it."""
    groups = {"all": list(photos)}
    for photo in photos:
        groups.setdefault(photo.size, []).append(photo)
    lines, metrics = [], {}
    for name, some in groups.items():
        changed = [photo.psnr for photo in some if photo.psnr is not None]
        equal = wilson(len(some) - len(changed), len(some))
        lines.append([name, len(some), equal, f"{min(changed):.1f} dB" if changed else ""])
        metrics[name] = {"bit_equal": equal.plain(), "psnr_of_the_others": changed}
    header = ["", "photos", "come back bit for bit", "least PSNR of the others to their input"]
    report.table("Without a mesh", header, lines)
    return metrics


def show_recovery(report: Report, pairs: Sequence[Genuine]) -> dict[str, Any]:
    """The same for genuine pairs, by family of meshes and by opacity."""
    groups = {"all": list(pairs)}
    for key in ("family", "opacity"):
        for value in sorted({getattr(pair, key) for pair in pairs}):
            groups[f"{key} {value}"] = [p for p in pairs if getattr(p, key) == value]
    lines: list[list[object]] = []
    metrics: dict[str, Any] = {}
    for name, some in groups.items():
        found = Recovery.of(some)
        share = None if math.isnan(found.share) else found.share
        rates = {kind: getattr(found, kind) for kind in ("clean", "meshed", "descreened")}
        comes_back = "" if share is None else f"{100 * share:.1f} %"
        lines.append([name, len(some), *rates.values(), comes_back])
        plainly = {f"fnmr_{kind}": rate.plain() for kind, rate in rates.items()}
        metrics[name] = {**plainly, "share_that_comes_back": share}
    header = ["", "pairs", "FNMR without mesh", "with one", "descreened", "of the loss comes back"]
    report.table("Genuine pairs at the default threshold, a mesh on one photo", header, lines)
    return metrics
