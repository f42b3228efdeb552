"""Measure the direction that sface.py takes out of every embedding.

    python weights/build/portrait_direction.py portraits/gan_idcards liveness/prints_cn/labels.csv \
        --strangers scut --cohort "^[A-Z]+" --leave-out scut_duplicates.txt

For SFace strangers on ID portraits are alike in more than their faces, and so are strangers on one
camera's close captures: the mean embedding of many people is far from zero, and what lies along it
says little of who somebody is. Taking it out brings the false match rates of groups and kinds of
photos closer to each other, so that one threshold does for more of them. As in nuisance attribute
projection (Solomonoff, Quillen and Campbell, Odyssey 2004), but of means: the direction lies
half-way between those of the sets, in each of which every person weighs the same.

Writes a unit vector to four decimals, a number a line. Prints for nothing taken out, for the mean
of each set alone and for what lies half-way, which cosine 1 in 1,000 of --strangers reach in their
worst cohort, and how many pairs of strangers of each set do, between people that the direction was
not measured on: half of a set is left out, HALVINGS times; in brackets the 5th and the 95th
percentile of these. Half-way is what ships: either mean alone leaves the other set's strangers as
alike as they were, or more.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
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
from engine.evaluation.embeddings import embed_file, file_checksum
from engine.evaluation.people import read_people
from engine.evaluation.photos import Photo, SampleError, leave_out
from engine.manifests import MANIFEST
from engine.operating import trials_needed
from engine.packs import read_pack
from engine.similarity import REFERENCE_FMR

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
        vector = embed_file(engine, photo.path, file_checksum(photo.path))
        if vector is None:
            raise SampleError(f"{photo.path}: no face was found; take it out")
        found.setdefault(photo.person, []).append(vector)
    return [np.stack(vectors) for vectors in found.values()]


def direction(sets: Sequence[Sequence[Embeddings]]) -> NDArray[np.float32]:
    """(D,), a unit vector, of sets of people, of each (photos, D) embeddings; of no set, zeros."""
    if not sets:
        return np.zeros(1, np.float32)
    means = [np.mean([photos.mean(axis=0) for photos in people], axis=0) for people in sets]
    found: NDArray[np.float32] = unit(unit(np.stack(means)).sum(axis=0, keepdims=True))[0]
    return found


def without(vectors: Embeddings, taken_out: NDArray[np.float32]) -> Embeddings:
    return unit(vectors - (vectors * taken_out).sum(axis=1, keepdims=True) * taken_out)


def passing(people: Sequence[Embeddings], taken_out: NDArray[np.float32], cosine: float) -> float:
    """The share of pairs of strangers' photos at or above a cosine; of at least two people."""
    owner = np.repeat(np.arange(len(people)), [len(photos) for photos in people])
    vectors = without(np.concatenate(people), taken_out)
    return float((vectors @ vectors.T >= cosine)[owner[:, None] != owner].mean())


def reached(cohorts: Mapping[str, Embeddings], taken_out: NDArray[np.float32]) -> float:
    """The cosine that 1 in 1,000 pairs of strangers reach in the worst cohort, a photo a person.

    Raises SampleError when no cohort has the pairs that this takes.
    """
    needed, found = trials_needed(REFERENCE_FMR), []
    for vectors in cohorts.values():
        vectors = without(vectors, taken_out)
        cosines = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
        if len(cosines) >= needed:
            found.append(float(np.quantile(cosines, 1 - REFERENCE_FMR)))
    if not found:
        raise SampleError(f"--strangers takes {needed:,} pairs of strangers in one cohort")
    return max(found)


def unseen(
    sets: Sequence[Sequence[Embeddings]], used: Sequence[int], number: int, cosine: float
) -> NDArray[np.float64]:
    """Of each halving of set `number`, what passes of one half with the direction of the other."""
    rng, people = np.random.default_rng(0), sets[number]
    shares = []
    for _ in range(HALVINGS):
        first, second = np.array_split(rng.permutation(len(people)), 2)
        half = [people[i] for i in first]
        seen = [half if i == number else sets[i] for i in used]
        shares.append(passing([people[i] for i in second], direction(seen), cosine))
    return np.array(shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="folder, or a CSV with path, person")
    parser.add_argument("--strangers", type=Path, required=True, help="a photo of each")
    parser.add_argument("--cohort", help="regular expression: the cohort in a person's name")
    parser.add_argument("--leave-out", type=Path, help="file of strangers' names to ignore")
    parser.add_argument("--out", type=Path, default=DIRECTION)
    options = parser.parse_args()
    listed = [read(source) for source in options.photos]
    strangers = read_people(options.strangers, options.cohort)
    if options.leave_out:
        strangers = leave_out(strangers, options.leave_out)
    if len({photo.person for photo in strangers}) < len(strangers):
        raise SampleError("--strangers takes one photo of each: leave the others out")
    with plain() as engine:
        sets = [
            embed(engine, photos, str(source))
            for source, photos in zip(options.photos, listed, strict=True)
        ]
        cohorts = {
            name: np.concatenate(embed(engine, [p for p in strangers if p.cohort == name], name))
            for name in sorted({photo.cohort for photo in strangers})
        }
    numbers = range(len(sets))
    tried = {"nothing": [], **{str(options.photos[i]): [i] for i in numbers}, "half-way": numbers}
    for name, used in tried.items():
        cosine = reached(cohorts, direction([sets[i] for i in used]))
        print(f"{name} taken out, 1 in 1,000 reach a cosine of {cosine:.4f}; of strangers not seen")
        for number in numbers:
            shares = 1000 * unseen(sets, used, number, cosine)
            low, high = np.quantile(shares, (0.05, 0.95))
            print(f"  {shares.mean():.1f} ({low:.1f} to {high:.1f}) of {options.photos[number]}")
    options.out.write_text("".join(f"{value:.4f}\n" for value in direction(sets)), "utf-8")


if __name__ == "__main__":
    run(main)
