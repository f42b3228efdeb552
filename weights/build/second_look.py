"""What a second, mirrored look at both faces changes: cosines, decisions, error rates.

    python weights/build/second_look.py portraits/scut verification/lfw_a_to_m \\
        --cohort "^[A-Z]+" --leave-out weights/build/scut_duplicates.txt

Strangers are compared within their cohort. Comparing looks twice only where one look leaves a
doubt (engine.similarity.SimilarityScale.is_doubtful); this is the evidence for that, on any pack.
"""

import argparse
from pathlib import Path

import numpy as np
from command import run
from numpy.typing import NDArray
from operating_points import cohorts_of
from tqdm import tqdm

from engine.embedding import mirrored, unit
from engine.errors import FaceNotFound
from engine.evaluation.embeddings import Vector, cosines
from engine.evaluation.pairs import all_pairs
from engine.evaluation.photos import Photo, leave_out, read_folder, read_photo
from engine.networks import Networks
from engine.operating import trials_needed
from engine.packs import read_pack
from engine.runtime import Runtime
from engine.similarity import CLOSE, REFERENCE_FMR, THRESHOLD

Scores = NDArray[np.float64]
Looks = tuple[Scores, Scores]
"""Cosines of the same pairs, by one look and by two."""


def _looks(networks: Networks, photo: Photo) -> tuple[Vector, Vector]:
    """The embedding of one look and of two."""
    try:
        _, crops = networks.recognition.aligned([read_photo(photo.path)])
    except FaceNotFound:
        return None, None
    once = networks.embedder.embed(crops)
    return once[0], unit(once + networks.embedder.embed(mirrored(crops)))[0]


def _scores(networks: Networks, photos: list[Photo], same: bool) -> list[Looks]:
    """Of genuine pairs, or of strangers by cohort."""
    looks = [_looks(networks, photo) for photo in tqdm(photos, "photos", disable=None)]
    pairs = all_pairs(photos, impostors=0 if same else len(photos) ** 2)
    groups = [pairs.same] if same else [c & ~pairs.same for c in cohorts_of(pairs).values()]
    found = []
    for group in groups:
        a, b = pairs.a[group], pairs.b[group]
        once, twice = (cosines(list(vectors), a, b) for vectors in zip(*looks, strict=True))
        kept = ~np.isnan(once)
        found.append((once[kept], twice[kept]))
    return found


def _refused(genuine: Looks, strangers: list[Looks]) -> None:
    """Prints FNMR at the threshold of the worst cohort that supports one, for one look and two."""
    enough = [group for group in strangers if len(group[0]) >= trials_needed(REFERENCE_FMR)]
    if not enough:
        print(f"no cohort has the {trials_needed(REFERENCE_FMR):,} pairs that a threshold takes")
        return
    for name, look in (("one look", 0), ("two looks", 1)):
        threshold = max(float(np.quantile(group[look], 1 - REFERENCE_FMR)) for group in enough)
        share = 100 * float((genuine[look] < threshold).sum()) / max(len(genuine[look]), 1)
        print(f"{name}: threshold {threshold:.4f}, refused {share:.2f} % of {len(genuine[look])}")


def _changed(name: str, looks: Looks, networks: Networks, thresholds: list[float]) -> None:
    """Prints what the second look does to cosines, and to decisions at the pack's thresholds."""
    once, twice = looks
    if not len(once):
        print(f"{name}: no pairs")
        return
    scale = networks.similarity
    near = np.array([scale.is_doubtful(cosine) for cosine in once], bool)
    change = abs(twice - once)[near]
    print(f"{name}: {len(once)} pairs, {100 * near.mean():.1f} % looked at twice")
    if not len(change):
        return
    spread = np.sqrt((change**2).mean())
    print(f"  changed by {change.max():.3f} at most (limit {CLOSE}), {spread:.4f} root mean square")
    decided = scale.of(np.where(near, twice, once))
    for threshold in thresholds:
        differ = (decided >= threshold) != (scale.of(twice) >= threshold)
        print(f"  at {threshold}: {differ.sum()} decided otherwise than by two looks at all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("strangers", type=Path, help="photos, or a folder for each person's")
    parser.add_argument("genuine", type=Path, help="a folder for each person's photos")
    parser.add_argument("--cohort", help="regular expression on names, for strangers")
    parser.add_argument("--leave-out", type=Path, help="people who appear twice, one a line")
    parser.add_argument("--pack", help="folder of a model pack; the default pack when absent")
    options = parser.parse_args()
    pack = read_pack(options.pack)
    networks = Networks(pack, Runtime())
    photos = read_folder(options.strangers, options.cohort)
    photos = leave_out(photos, options.leave_out) if options.leave_out else photos
    strangers = _scores(networks, photos, same=False)
    (genuine,) = _scores(networks, read_folder(options.genuine), same=True)
    _refused(genuine, strangers)
    table = [float(row["similarity"]) for row in pack.similarity.get("matched", [])]
    for name, looks in (("genuine", [genuine]), ("strangers", strangers)):
        once, twice = (np.concatenate(scores) for scores in zip(*looks, strict=True))
        _changed(name, (once, twice), networks, table or [THRESHOLD])


if __name__ == "__main__":
    run(main)
