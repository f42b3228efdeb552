"""What descreening does to photos that carry no mesh, and to comparisons of those that do."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import Engine, FaceNotFound
from engine.evaluation.intervals import Rate, wilson
from engine.evaluation.meshed import SIZES, cut_out, generator
from engine.evaluation.photos import SampleError, picture_files
from engine.evaluation.restoration import psnr
from engine.evaluation.systems import progress
from engine.images import Pixels, load


@dataclass(frozen=True, slots=True)
class Untouched:
    """bit_equal: of photos without a mesh. changed: PSNR in dB of each of the others."""

    bit_equal: Rate
    changed: list[float]


@dataclass(frozen=True, slots=True)
class Recovery:
    """Genuine pairs refused: as they are, with a mesh on one photo, and with that descreened."""

    clean: Rate
    meshed: Rate
    descreened: Rate

    @property
    def share(self) -> float:
        """Of the refusals that the mesh causes, those that do not happen any more."""
        lost = self.meshed.value - self.clean.value
        return (self.meshed.value - self.descreened.value) / lost if lost else math.nan


def untouched(engine: Engine, images: Path, count: int, seed: int) -> Untouched:
    """At the sizes of the pairs, some of them compressed."""
    paths, capture = picture_files(images), generator("capture")
    changed = []
    for number in progress(range(count), "without mesh"):
        rng = np.random.default_rng((seed, number, 1))
        width, height = SIZES[number % len(SIZES)]
        photo = cut_out(load(paths[number % len(paths)]), width, height)
        photo = capture.expose(photo, None, capture.sample(rng), height, width)[0]
        output = engine.descreen(photo).image
        if not np.array_equal(output, photo):
            changed.append(psnr((output.astype(np.float64) - photo) ** 2))
    return Untouched(wilson(count - len(changed), count), changed)


def recovery(
    engine: Engine, identities: Path, count: int, families: Sequence[str], seed: int
) -> Recovery:
    """Pairs of different photos of one person, at the default threshold.

    identities: a folder for each person. Raises SampleError when nobody has two photos.
    """
    folders = [picture_files(path) for path in sorted(identities.iterdir()) if path.is_dir()]
    people = [photos for photos in folders if len(photos) > 1]
    if not people:
        raise SampleError(f"{identities}: no person has two photos; it takes a folder for each")
    mesh, capture = generator("mesh"), generator("capture")
    refused = np.zeros(3, int)
    for number in progress(range(count), "genuine pairs"):
        rng = np.random.default_rng((seed, number, 2))
        photos = people[number % len(people)]
        live, photo = (load(photos[i]) for i in rng.choice(len(photos), 2, replace=False))
        how = capture.sample(rng)
        size = photo.shape[:2]
        base = cut_out(photo, round(size[1] / how.scale), round(size[0] / how.scale))
        lines = mesh.sample(rng, min(base.shape[:2]), [families[number % len(families)]])
        meshed, clean, _ = capture.expose(base, lines, how, *size)
        refused += [
            not _match(engine, live, clean, False),
            not _match(engine, live, meshed, False),
            not _match(engine, live, meshed, True),
        ]
    return Recovery(*(wilson(int(number), count) for number in refused))


def _match(engine: Engine, live: Pixels, photo: Pixels, id_photo: bool) -> bool:
    try:
        return engine.compare(live, photo, id_photo=(False, id_photo)).is_match
    except FaceNotFound:
        return False
