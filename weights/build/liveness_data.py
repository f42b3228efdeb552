"""What the liveness network learns from, and how a face becomes an example of it."""

from __future__ import annotations

import csv
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from camera import Image
from numpy.typing import NDArray
from portraits import held_out
from presentations import SPECIES, TIGHT, WIDE, Portrait, present

from engine import Engine
from engine.crops import context_crop
from engine.images import load

SIZE = 128
CROP = 1.4  # times the face's box, where the picture reaches that far
SIMULATED = "simulated"
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Sample:
    """data: bytes of a picture file. box: x, y, width, height of the face, shares of its sides.
    label: index in SPECIES. kept: apart from training."""

    data: bytes
    box: tuple[float, float, float, float]
    label: int
    source: str
    subject: str
    kept: bool


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

    Written to `cache`, a file, as they take about 50 ms each. `kept_only`: of the people alone
    that are kept apart from training. `wide`: whole selfies instead of crops of faces.
    """
    if not cache.exists():
        chunks = [
            (portraits, seed, n, min(_CHUNK, count - n), kept_only, wide)
            for n in range(0, count, _CHUNK)
        ]
        with Pool(workers) as pool:
            made = [sample for part in pool.imap(_simulate, chunks) for sample in part]
        cache.write_bytes(pickle.dumps(made))
    samples: list[Sample] = pickle.loads(cache.read_bytes())
    return samples


def _simulate(chunk: tuple[Path, int, int, int, bool, bool]) -> list[Sample]:
    folder, seed, first, count, kept_only, wide = chunk
    cv2.setNumThreads(1)
    people = [(p, face) for p, face in _people(folder) if held_out(p) or not kept_only]
    samples = []
    for number in range(first, first + count):
        rng = np.random.default_rng((seed, number))
        path, portrait = people[int(rng.integers(len(people)))]
        label = number % len(SPECIES)
        elsewhere = people[int(rng.integers(len(people)))][1].pixels
        widths = WIDE if wide else TIGHT
        data, box = present(rng, portrait, SPECIES[label], elsewhere, widths)
        source = SIMULATED + " selfies" * wide
        samples.append(Sample(data, box, label, source, path.stem, held_out(path)))
    return samples


def _people(folder: Path) -> list[tuple[Path, Portrait]]:
    names = ("us_officials", "gan_idcards")
    paths = sorted(p for name in names for p in (folder / name).glob("*.[jp][pn]g"))
    found = []
    with Engine(threads=1) as engine:
        for path in paths:
            pixels = load(path)
            faces = engine.detect(pixels, max_faces=1)
            if faces:
                found.append((path, Portrait(pixels, faces[0].box)))
    if not found:
        raise FileNotFoundError(f"no portraits in {folder}/us_officials or gan_idcards")
    return found


def shared(folder: Path) -> list[Sample]:
    """The captures of `prints_cn` and `replay_small`; every fourth subject of the prints kept."""
    rows = list(_listed(folder))
    subjects = sorted({subject for source, _, _, subject in rows if source == "prints_cn"})
    kept = set(subjects[::4])
    samples = []
    with Engine(threads=2) as engine:
        for source, path, label, subject in rows:
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


def centred(sample: Sample) -> NDArray[np.float32]:
    """The crop that the engine makes, `(128, 128, 3)` float32 BGR 0..255."""
    image, box = _opened(sample)
    return _cropped(image, box, CROP).astype(np.float32)


def augmented(rng: np.random.Generator, sample: Sample) -> NDArray[np.float32]:
    """Another crop, as another detector, camera and channel might have given it."""
    image, box = _opened(sample)
    x, y, width, height = box
    grown = np.exp(rng.normal(0, 0.08, 2))
    x += width * (rng.normal(0, 0.05) - (grown[0] - 1) / 2)
    y += height * (rng.normal(0, 0.05) - (grown[1] - 1) / 2)
    box = x, y, width * float(grown[0]), height * float(grown[1])
    if rng.random() < 0.25:
        image, box = _resized(rng, image, box)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 96))]
        image = np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], 1), np.uint8)
    crop = _cropped(image, _inside(box, image), float(np.exp(rng.uniform(0.05, 0.53))))
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    picture = crop.astype(np.float32)
    if rng.random() < 0.5:
        turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), rng.uniform(-12, 12), 1.0)
        picture = cv2.warpAffine(picture, turn, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
    if rng.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.5))
    if rng.random() < 0.7:
        picture = _recoloured(rng, picture)
    if rng.random() < 0.25:
        picture = picture + rng.standard_normal(picture.shape, np.float32) * rng.uniform(1, 8)
    return np.clip(picture, 0, 255).astype(np.float32)


def _recoloured(rng: np.random.Generator, picture: NDArray[Any]) -> NDArray[np.float32]:
    light = (np.clip(picture, 0, 255) / 255) ** np.exp(rng.normal(0, 0.15))
    gains = 2 ** rng.normal(0, 0.5) * np.exp(rng.normal(0, 0.08, 3))
    picture = 255 * np.clip(light * gains, 0, 1)
    grey = picture.mean(2, keepdims=True)
    return np.asarray(grey + (picture - grey) * rng.normal(1, 0.25), np.float32)


def _resized(
    rng: np.random.Generator, image: Image, box: Sequence[float]
) -> tuple[Image, tuple[float, float, float, float]]:
    share = float(np.exp(rng.uniform(np.log(0.4), np.log(1.3))))
    how = cv2.INTER_AREA if rng.random() < 0.5 else cv2.INTER_LINEAR
    x, y, width, height = (side * share for side in box)
    image = np.asarray(cv2.resize(image, None, fx=share, fy=share, interpolation=how), np.uint8)
    return image, (x, y, width, height)


def _inside(box: Sequence[float], image: Image) -> tuple[float, float, float, float]:
    height, width = image.shape[:2]
    x, y = min(max(box[0], 0.0), width * 0.9), min(max(box[1], 0.0), height * 0.9)
    return x, y, min(box[2], width - x), min(box[3], height - y)


def _opened(sample: Sample) -> tuple[Image, tuple[float, float, float, float]]:
    image = np.asarray(cv2.imdecode(np.frombuffer(sample.data, np.uint8), 1), np.uint8)
    height, width = image.shape[:2]
    x, y, w, h = sample.box
    return image, (x * width, y * height, w * width, h * height)


def _cropped(image: Image, box: Sequence[float], scale: float) -> Image:
    face: Any = SimpleNamespace(box=box)
    return context_crop(image, face, scale, SIZE)
