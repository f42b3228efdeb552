"""Measure the direction that sface.py takes out of every embedding.

    python weights/build/portrait_direction.py portraits/gan_idcards liveness/prints_cn/labels.csv

For SFace strangers on ID portraits are alike in more than their faces, and so are strangers on one
camera's close captures: the mean embedding of many people is far from zero, and what lies along it
says little of who somebody is. Taking it out brings the false match rates of groups and kinds of
photos closer to each other, so that one threshold does for more of them. As in nuisance attribute
projection (Solomonoff, Quillen and Campbell, Odyssey 2004), but of means: the direction lies
half-way between those of the sets, in each of which every person weighs the same.

Writes a unit vector to four decimals, a number a line. Prints how many pairs of strangers pass at
the cosine of the default pack's manifest between people that the direction was not measured on:
half of a set is left out, HALVINGS times; in brackets the 5th and the 95th percentile of these.
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
from manifest import dump
from numpy.typing import NDArray
from origin import sha256
from sface import DIRECTION, published, repaired
from tqdm import tqdm

from engine import Engine
from engine.embedding import Embeddings, unit
from engine.evaluation.embeddings import embed_file
from engine.evaluation.people import read_people
from engine.evaluation.photos import Photo, SampleError
from engine.packs import MANIFEST, read_pack

HALVINGS = 20
FEWEST = 4


@contextmanager
def plain() -> Iterator[Engine]:
    """The default pack, its embedding network with nothing taken out."""
    with tempfile.TemporaryDirectory() as name:
        network = Path(name) / "sface.onnx"
        save(repaired(published()), network)
        pack = read_pack()
        own = {"file": network.name, "sha256": sha256(network.read_bytes())}
        sections = {
            "pack": {"extends": "default"},
            "embedding": {**pack.entry("embedding").settings, **own},
            "similarity": pack.similarity,
        }
        text = "".join(dump(role, settings) for role, settings in sections.items())
        (Path(name) / MANIFEST).write_text(text, "utf-8")
        with Engine(name) as engine:
            yield engine


def read(source: Path) -> list[Photo]:
    """Raises SampleError for fewer than FEWEST people."""
    photos = read_people(source)
    if len({photo.person for photo in photos}) < FEWEST:
        raise SampleError(f"{source} shows fewer than {FEWEST} people")
    return photos


def embed(engine: Engine, photos: Sequence[Photo], name: str) -> list[Embeddings]:
    """(photos, D) for every person. Raises SampleError for a photo without a face."""
    found: dict[str, list[NDArray[np.float32]]] = {}
    for photo in tqdm(photos, name, disable=None):
        vector = embed_file(engine, photo.path)
        if vector is None:
            raise SampleError(f"{photo.path}: no face was found; take it out")
        found.setdefault(photo.person, []).append(vector)
    return [np.stack(vectors) for vectors in found.values()]


def direction(sets: Sequence[Sequence[Embeddings]]) -> NDArray[np.float32]:
    """(D,), a unit vector, of sets of people, of each (photos, D) embeddings."""
    means = [np.mean([photos.mean(axis=0) for photos in people], axis=0) for people in sets]
    found: NDArray[np.float32] = unit(unit(np.stack(means)).sum(axis=0, keepdims=True))[0]
    return found


def passing(people: Sequence[Embeddings], taken_out: NDArray[np.float32], cosine: float) -> float:
    """The share of pairs of strangers' photos at or above a cosine; of at least two people."""
    owner = np.repeat(np.arange(len(people)), [len(photos) for photos in people])
    vectors = np.concatenate(people)
    vectors = unit(vectors - np.outer(vectors @ taken_out, taken_out))
    return float((vectors @ vectors.T >= cosine)[owner[:, None] != owner].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="folder, or a CSV with path, person")
    parser.add_argument("--out", type=Path, default=DIRECTION)
    options = parser.parse_args()
    listed = [read(source) for source in options.photos]
    with plain() as engine:
        sets = [
            embed(engine, photos, str(source))
            for source, photos in zip(options.photos, listed, strict=True)
        ]
    options.out.write_text("".join(f"{value:.4f}\n" for value in direction(sets)), "utf-8")
    cosine, rng = float(read_pack().similarity["cosine"]), np.random.default_rng(0)
    for number, (source, people) in enumerate(zip(options.photos, sets, strict=True)):
        shares = []
        for _ in range(HALVINGS):
            first, second = np.array_split(rng.permutation(len(people)), 2)
            seen = [*sets[:number], [people[i] for i in first], *sets[number + 1 :]]
            shares.append(1000 * passing([people[i] for i in second], direction(seen), cosine))
        low, high = np.quantile(shares, (0.05, 0.95))
        print(
            f"{source}: {len(people)} people, {sum(map(len, people))} photos; strangers not seen "
            f"pass at {cosine}: {np.mean(shares):.1f} ({low:.1f} to {high:.1f}) in 1,000"
        )


if __name__ == "__main__":
    run(main)
