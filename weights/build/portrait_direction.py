"""Measure what photos of Chinese people have in common for SFace, whoever is on them.

    python weights/build/portrait_direction.py portraits/gan_idcards liveness/prints_cn/labels.csv

Strangers on one kind of photo are alike in more than their faces: pose, light, camera, country. The
mean embedding of many people points there. sface.py takes this direction out of every embedding
(nuisance attribute projection, which Solomonoff, Campbell and Quillen made for telephones that make
voices alike: Odyssey 2004). Each set weighs the same, and in it each person.

Writes `portrait_direction.txt`: 128 numbers, a unit vector to four decimals. Prints how many pairs
of strangers pass in each set, between people that the direction was not measured on: half of a set
is taken out of it, twenty times.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from command import run
from graph import save
from numpy.typing import NDArray
from origin import sha256
from sface import DIRECTION, repaired
from tqdm import tqdm

from engine import Engine
from engine.evaluation.people import read_people
from engine.packs import read_pack

Vectors = NDArray[np.float64]
HALVINGS = 20
PACK = """
[pack]
extends = "default"
[embedding]
kind = "arcface"
file = "sface.onnx"
sha256 = "{}"
licence = "Apache-2.0"
origin = "sface.py, with nothing taken out"
size = 112
channels = "RGB"
mean = 0.0
std = 1.0
[similarity]
cosine = 0.45
steepness = 16.0
"""


@contextmanager
def plain() -> Iterator[Engine]:
    """The default pack, its embedding network with nothing taken out."""
    with tempfile.TemporaryDirectory() as name:
        network = Path(name) / "sface.onnx"
        save(repaired(), network)
        (Path(name) / "pack.toml").write_text(PACK.format(sha256(network.read_bytes())), "utf-8")
        with Engine(name) as engine:
            yield engine


def direction(sets: Sequence[Sequence[Vectors]]) -> Vectors:
    """Of sets of people, of each (photos, D) embeddings."""
    means = [np.mean([photos.mean(axis=0) for photos in people], axis=0) for people in sets]
    return unit(np.sum([unit(mean) for mean in means], axis=0))


def unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def passing(people: Sequence[Vectors], taken_out: Vectors, cosine: float) -> float:
    """The share of pairs of strangers' photos that are at least that much alike."""
    owner = np.repeat(np.arange(len(people)), [len(photos) for photos in people])
    vectors = np.concatenate(people)
    vectors = unit(vectors - np.outer(vectors @ taken_out, taken_out))
    return float((vectors @ vectors.T >= cosine)[owner[:, None] != owner].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="folder, or a CSV with path, person")
    sources = parser.parse_args().photos
    listed = [read_people(source) for source in sources]
    sets = []
    with plain() as engine:
        for source, photos in zip(sources, listed, strict=True):
            found: dict[str, list[NDArray[np.float32]]] = {}
            for photo in tqdm(photos, str(source), disable=None):
                found.setdefault(photo.person, []).append(engine.embed(photo.path))
            sets.append([np.stack(vectors).astype(np.float64) for vectors in found.values()])
    lines = [f"{value:.4f}\n" for value in direction(sets)]
    DIRECTION.write_text("".join(lines), "utf-8")
    cosine, rng = float(read_pack().similarity["cosine"]), np.random.default_rng(0)
    for number, (source, people) in enumerate(zip(sources, sets, strict=True)):
        shares = []
        for _ in range(HALVINGS):
            first, second = np.array_split(rng.permutation(len(people)), 2)
            seen = [*sets[:number], [people[i] for i in first], *sets[number + 1 :]]
            shares.append(passing([people[i] for i in second], direction(seen), cosine))
        print(
            f"{source}: {len(people)} people, {sum(map(len, people))} photos; strangers not seen "
            f"pass at {cosine}: {1000 * np.mean(shares):.1f} in 1,000"
        )


if __name__ == "__main__":
    run(main)
