"""What a mesh costs comparisons, and how much of that descreening gives back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import Engine, FaceNotFound
from engine.evaluation.intervals import FEW, FEW_SAID, Rate, drawn, grouped, middle, widened, wilson
from engine.evaluation.people import read_people
from engine.evaluation.photos import SampleError, read_photo
from engine.evaluation.report import Report
from engine.evaluation.synthesis import draw, turn
from engine.evaluation.systems import progress
from engine.images import Pixels
from engine.operating import ERRORS_NEEDED

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Genuine:
    """Whether a pair is refused: as it is, with a mesh on one photo, and with that descreened.

    person: a number for each. photos: the two of that person's, as one pair may be drawn twice.
    """

    person: int
    photos: tuple[int, int]
    family: str
    opacity: str
    refused_clean: bool
    refused_meshed: bool
    refused_descreened: bool


@dataclass(frozen=True, slots=True)
class Recovery:
    """The three rates of several pairs, and of the refusals that the mesh causes the share that do
    not happen any more, with its interval; None where the mesh causes none. Intervals: 95 %,
    bootstrap over people, and where few pairs or people are lost at least Wilson's of as many
    trials as people.
    """

    clean: Rate
    meshed: Rate
    descreened: Rate
    share: Rate | None

    @classmethod
    def of(cls, pairs: Sequence[Genuine]) -> "Recovery":
        people = np.unique([pair.person for pair in pairs], return_inverse=True)[1]
        clean, meshed, descreened = (
            np.array([getattr(pair, f"refused_{name}") for pair in pairs])
            for name in ("clean", "meshed", "descreened")
        )
        rates = [grouped(one, people) for one in (clean, meshed, descreened)]
        return cls(rates[0], rates[1], rates[2], _recovered(clean, meshed, descreened, people))


def _recovered(
    clean: Flags, meshed: Flags, descreened: Flags, people: NDArray[np.int64]
) -> Rate | None:
    lost = int(meshed.sum()) - int(clean.sum())
    if lost <= 0:
        return None
    # The same draws of people for all three, as one seed draws them.
    of_clean, of_meshed, of_descreened = (drawn(one, people) for one in (clean, meshed, descreened))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = (of_meshed - of_descreened) / (of_meshed - of_clean)
    shares = shares[np.isfinite(shares)]
    value = (int(meshed.sum()) - int(descreened.sum())) / lost
    rate = widened(Rate(value, value, value, lost), *middle(shares, int(people.max()) + 1))
    losing = len(np.unique(people[meshed & ~clean]))
    if lost < ERRORS_NEEDED or losing < FEW:
        few = wilson(min(max(value, 0), 1) * losing, losing)
        rate = widened(rate, few.low, few.high)
    return rate


def photographed(identities: Path, seed: int) -> list[list[Path]]:
    """The photos of everybody who has two or more, in an order of people drawn from the seed;
    identities: as read_people() takes them.

    Raises SampleError as that does, and when nobody has.
    """
    people: dict[str, list[Path]] = {}
    for photo in read_people(identities):
        people.setdefault(photo.person, []).append(photo.path)
    several = [photos for photos in people.values() if len(photos) > 1]
    if not several:
        raise SampleError(f"{identities}: no person has two photos; it takes a folder for each")
    return [several[index] for index in np.random.default_rng(seed).permutation(len(several))]


def genuine(
    engine: Engine,
    identities: Path,
    count: int,
    families: Sequence[str],
    seed: int,
    varied: bool = False,
) -> list[Genuine]:
    """Pairs of different photos of one person, at the default threshold.

    identities: as photographed() takes it. varied: as draw() takes it.
    """
    people = photographed(identities, seed)
    pairs = []
    for number in progress(range(count), "genuine pairs"):
        rng = np.random.default_rng((seed, number, 2))
        person = number % len(people)
        chosen = rng.choice(len(people[person]), 2, replace=False)
        live, photo = (read_photo(people[person][index]) for index in chosen)
        height, width = photo.shape[:2]
        family = families[turn(number, len(people), len(families))]
        mesh = draw(rng, photo, family, width, height, varied)
        refused = [
            not _match(engine, live, *other)
            for other in ((mesh.clean, False), (mesh.meshed, False), (mesh.meshed, True))
        ]
        both = int(chosen.min()), int(chosen.max())
        pairs.append(Genuine(person, both, family, mesh.opacity, *refused))
    return pairs


def _match(engine: Engine, live: Pixels, photo: Pixels, id_photo: bool) -> bool:
    try:
        return engine.compare(live, photo, id_photo=(False, id_photo)).is_match
    except FaceNotFound:
        return False


def show_recovery(report: Report, pairs: Sequence[Genuine]) -> dict[str, Any]:
    """Adds the table of all pairs, by family of meshes and by opacity, to a report; returns the
    figures in it."""
    groups = {"all": list(pairs)}
    for key in ("family", "opacity"):
        for value in sorted({getattr(pair, key) for pair in pairs}):
            groups[f"{key} {value}"] = [p for p in pairs if getattr(p, key) == value]
    lines: list[list[object]] = []
    metrics: dict[str, Any] = {}
    for name, some in groups.items():
        found = Recovery.of(some)
        different = len({(pair.person, pair.photos) for pair in some})
        people = len({pair.person for pair in some})
        rates = {kind: getattr(found, kind) for kind in ("clean", "meshed", "descreened")}
        lines.append([name, len(some), different, people, *rates.values(), found.share or ""])
        metrics[name] = {
            "pairs": different,
            "people": people,
            **{f"fnmr_{kind}": rate.plain() for kind, rate in rates.items()},
            "share_that_comes_back": found.share and found.share.plain(),
        }
    header = ["", "draws", "of pairs", "of people"]
    header += ["FNMR without mesh", "with one", "descreened", "of the loss comes back"]
    report.text(
        f"Intervals of genuine pairs: 95 %, bootstrap over people, {FEW_SAID}; so is the loss's "
        f"where fewer than {ERRORS_NEEDED} pairs are lost."
    )
    report.table("Genuine pairs at the default threshold, a mesh on one photo", header, lines)
    return metrics
