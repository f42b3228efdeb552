"""What a second, mirrored look at both faces changes: cosines, decisions, error rates.

    python weights/build/second_look.py portraits/scut --cohort "^[A-Z]+" \\
        --leave-out weights/build/scut_duplicates.txt verification/lfw_a_to_m

Strangers are compared within their cohort, and the threshold that gives FMR 1e-3 in the worst
cohort is taken for one look and for two. Comparing looks twice only where one look comes within
engine.similarity.CLOSE of the threshold; this is the evidence for it, on any pack.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engine.alignment import align
from engine.embedding import mirrored, unit
from engine.evaluation.embeddings import Vector, cosines
from engine.evaluation.pairs import all_pairs
from engine.evaluation.photos import Photo, leave_out, read_folder
from engine.images import load
from engine.networks import Networks
from engine.packs import read_pack
from engine.runtime import Runtime
from engine.similarity import CLOSE, REFERENCE_FMR

NEAR = 1.5 * CLOSE


def _looks(networks: Networks, photo: Photo) -> tuple[Vector, Vector]:
    """The embedding of one look and of two."""
    pixels = load(photo.path)
    faces = networks.detection.largest(pixels)
    if not faces:
        return None, None
    crops = [align(pixels, faces[0].landmarks, networks.embedder.size)]
    once = networks.embedder.embed(crops)
    return once[0], unit(once + networks.embedder.embed(mirrored(crops)))[0]


def _scores(
    networks: Networks, photos: list[Photo], same: bool
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Cosines of one look and of two: genuine pairs, or strangers by cohort."""
    looks = [_looks(networks, photo) for photo in tqdm(photos, "photos", disable=None)]
    pairs = all_pairs(photos, impostors=0 if same else len(photos) ** 2)
    groups = [pairs.same] if same else [c & ~pairs.same for c in pairs.cohorts.values()]
    found = []
    for group in groups:
        a, b = pairs.a[group], pairs.b[group]
        once, twice = (cosines(list(vectors), a, b) for vectors in zip(*looks, strict=True))
        kept = ~np.isnan(once)
        found.append((once[kept], twice[kept]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("strangers", type=Path, help="photos, one person each, of several cohorts")
    parser.add_argument("genuine", type=Path, help="a folder for each person's photos")
    parser.add_argument("--cohort", default="^[A-Z]+", help="regular expression on names")
    parser.add_argument("--leave-out", type=Path, help="people who appear twice, one a line")
    parser.add_argument("--pack", help="folder of a model pack; the default pack when absent")
    options = parser.parse_args()
    networks = Networks(read_pack(options.pack), Runtime())
    photos = read_folder(options.strangers, options.cohort)
    photos = leave_out(photos, options.leave_out) if options.leave_out else photos
    strangers = _scores(networks, photos, same=False)
    ((once, twice),) = _scores(networks, read_folder(options.genuine), same=True)
    thresholds = [
        max(float(np.quantile(group[look], 1 - REFERENCE_FMR)) for group in strangers)
        for look in (0, 1)
    ]
    threshold = thresholds[1]
    print(f"{len(once)} genuine pairs, threshold {thresholds[0]:.4f} for one look, {threshold:.4f}")
    refused = [100 * float((s < t).mean()) for s, t in zip((once, twice), thresholds, strict=True)]
    print(f"refused by one look {refused[0]:.2f} %, by two {refused[1]:.2f} %")
    for name, group in (("genuine", [(once, twice)]), ("strangers", strangers)):
        one, two = (np.concatenate(scores) for scores in zip(*group, strict=True))
        change = (two - one)[abs(one - threshold) < NEAR]
        close = abs(one - threshold) < CLOSE
        differ = (np.where(close, two, one) >= threshold) != (two >= threshold)
        print(
            f"{name}: {len(one)} pairs, {len(change)} within {NEAR:.2f} of the threshold, changed "
            f"by {abs(change).max():.3f} at most, {np.sqrt((change**2).mean()):.4f} in the root "
            f"mean square; {100 * close.mean():.1f} % looked at twice, {differ.sum()} decided "
            "otherwise than with two looks at all"
        )


if __name__ == "__main__":
    main()
