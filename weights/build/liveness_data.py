"""What the liveness network learns from: captures of faces and of attacks, each a file."""

import csv
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np
from checksum import checksum
from kept_apart import SEEN_SUBJECTS, held_out, kept_subjects, unseen
from portraits import portrait_files
from presentations import SPECIES, TIGHT, WIDE, Portrait, present

from engine import Engine
from engine.evaluation.photos import SampleError
from engine.evaluation.replacing import replacing
from engine.images import load

SIMULATED = "simulated"
SIMULATOR = ("camera", "displays", "jpeg", "presentations", "prints", "view")
DRAWN_BY = (*SIMULATOR, "kept_apart", "liveness_data")
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Sample:
    """data: bytes of a picture file. box: x, y, width, height of the face, shares of its sides.
    label: index in SPECIES. kept: apart from training, and judged on."""

    data: bytes
    box: tuple[float, float, float, float]
    label: int
    source: str
    subject: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file of simulated captures holds. made_of: what they were drawn from and how; the
    engine, which finds the faces, does not count."""

    made_of: tuple[str, int, int, bool, bool]  # the first a checksum of portraits and code
    samples: list[Sample]


def simulated(
    portraits: Path,
    count: int,
    seed: int,
    workers: int,
    cache: Path,
    kept_only: bool = False,
    wide: bool = False,
) -> list[Sample]:
    """Live faces, prints and displays in equal parts, from us_officials and gan_idcards.

    Written to `cache`, a file, as they take about 50 ms each, and made anew when it holds others.
    `kept_only`: of the people alone that are kept apart from training. `wide`: whole selfies
    instead of crops of faces. A little less than `count` where portraits are held out but are of
    people that training sees.
    """
    made_of = checksum(portrait_files(portraits), DRAWN_BY), count, seed, kept_only, wide
    kept = pickle.loads(cache.read_bytes()) if cache.exists() else None
    if isinstance(kept, Kept) and kept.made_of == made_of:
        return kept.samples
    chunks = [
        (portraits, seed, n, min(_CHUNK, count - n), kept_only, wide)
        for n in range(0, count, _CHUNK)
    ]
    with Pool(workers) as pool:
        samples = [sample for part in pool.imap(_simulate, chunks) for sample in part]
    with replacing(cache) as new:
        new.write_bytes(pickle.dumps(Kept(made_of, samples)))
    return samples


def _simulate(chunk: tuple[Path, int, int, int, bool, bool]) -> list[Sample]:
    folder, seed, first, count, kept_only, wide = chunk
    cv2.setNumThreads(1)
    people = [(p, face) for p, face in _people(folder) if unseen(p) or not kept_only]
    if not people:
        kind = "portrait that is kept apart from training" if kept_only else "portrait"
        raise SampleError(f"no {kind} in {folder} shows a face")
    samples = []
    for number in range(first, first + count):
        rng = np.random.default_rng((seed, number))
        path, portrait = people[int(rng.integers(len(people)))]
        if held_out(path) and not unseen(path):
            continue
        label = number % len(SPECIES)
        elsewhere = people[int(rng.integers(len(people)))][1].pixels
        widths = WIDE if wide else TIGHT
        data, box = present(rng, portrait, SPECIES[label], elsewhere, widths)
        source = SIMULATED + " selfies" * wide
        samples.append(Sample(data, box, label, source, path.stem, held_out(path)))
    return samples


def _people(folder: Path) -> list[tuple[Path, Portrait]]:
    found = []
    with Engine(threads=1) as engine:
        for path in portrait_files(folder):
            pixels = load(path)
            faces = engine.detect(pixels, max_faces=1)
            if faces:
                found.append((path, Portrait(pixels, faces[0].box)))
    return found


def shared(folder: Path) -> list[Sample]:
    """The captures of `prints_cn` and `replay_small`; every fourth subject of the prints kept, but
    those left out that training sees under another name."""
    rows = list(_listed(folder))
    kept = kept_subjects({subject for source, _, _, subject in rows if source == "prints_cn"})
    samples = []
    with Engine(threads=2) as engine:
        for source, path, label, subject in rows:
            if source == "prints_cn" and subject in SEEN_SUBJECTS:
                continue
            pixels = load(path)
            faces = engine.detect(pixels, max_faces=1)
            if not faces:
                continue
            height, width = pixels.shape[:2]
            x, y, w, h = faces[0].box
            box = x / width, y / height, w / width, h / height
            samples.append(Sample(path.read_bytes(), box, label, source, subject, subject in kept))
    return samples


def _listed(folder: Path) -> Iterator[tuple[str, Path, int, str]]:
    """Source, file, label and subject of every capture."""
    with (folder / "prints_cn" / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            path = folder / "prints_cn" / row["path"]
            yield "prints_cn", path, int(row["label"] != "live"), row["subject"]
    for group in sorted((folder / "replay_small").iterdir()):
        subject, kind = group.name.rsplit("_", 1)
        for path in sorted(group.iterdir()):
            yield f"replay_{subject}", path, 2 * int(kind != "live"), subject
