"""What descreening does to photos that carry no mesh."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine import Engine
from engine.evaluation.intervals import grouped
from engine.evaluation.listing import shuffled
from engine.evaluation.photos import read_photo
from engine.evaluation.report import Report
from engine.evaluation.restoration import psnr
from engine.evaluation.synthesis import SIZES, cut_out, generator, turn
from engine.evaluation.systems import progress


@dataclass(frozen=True, slots=True)
class Plain:
    """What became of a photo without a mesh: its PSNR to its input in dB, None where bit-equal.

    photo: a number for each file, as one may be drawn several times.
    """

    photo: int
    size: str
    psnr: float | None


def untouched(engine: Engine, images: Path, count: int, seed: int) -> list[Plain]:
    """Photos drawn from a folder or CSV, at the sizes of the pairs, some of them compressed."""
    paths, capture = shuffled(images, seed), generator("capture")
    photos = []
    for number in progress(range(count), "without mesh"):
        rng = np.random.default_rng((seed, number, 1))
        place = number % len(paths)
        width, height = SIZES[turn(number, len(paths), len(SIZES))]
        photo = cut_out(read_photo(paths[place]), width, height)
        photo = capture.expose(photo, None, capture.sample(rng), height, width)[0]
        output = engine.descreen(photo).image
        same = np.array_equal(output, photo)
        change = None if same else psnr((output.astype(np.float64) - photo) ** 2)
        photos.append(Plain(place, f"{width}x{height}", change))
    return photos


def show_untouched(report: Report, photos: Sequence[Plain]) -> dict[str, Any]:
    """Adds the table of all photos, and by size, to a report; returns the figures in it."""
    groups = {"all": list(photos)}
    for photo in photos:
        groups.setdefault(photo.size, []).append(photo)
    lines, metrics = [], {}
    for name, some in groups.items():
        changed = [photo.psnr for photo in some if photo.psnr is not None]
        files = np.unique([photo.photo for photo in some], return_inverse=True)[1]
        equal = grouped(np.array([photo.psnr is None for photo in some]), files)
        different = int(files.max()) + 1
        least = f"{min(changed):.1f} dB" if changed else ""
        lines.append([name, len(some), different, equal, least])
        metrics[name] = {
            "photos": different,
            "bit_equal": equal.plain(),
            "psnr_of_the_others": changed,
        }
    header = ["", "draws", "of photos", "come back bit for bit", "least PSNR of the others"]
    report.table("Without a mesh", header, lines)
    return metrics
