"""Fit the liveness score of a pack: Platt scaling of the network's raw log-odds.

Every source and class weighs the same, so that the largest set does not decide alone. Prints the
settings for the [liveness] section of pack.toml and the error rates at the threshold, which are
those of the data it was fitted on.

Run: python weights/build/calibrate_liveness.py --prints DIR --replay DIR
(prints holds labels.csv with path,label,subject; replay holds folders NAME_live and NAME_spoof)
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.images import load
from engine.networks import Networks
from engine.packs import read_pack
from engine.runtime import Runtime

Sample = tuple[str, Path, bool]
"""Source, picture, whether it is live."""


def prints(folder: Path) -> Iterator[Sample]:
    with (folder / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            yield "prints", folder / row["path"], row["label"] == "live"


def replay(folder: Path) -> Iterator[Sample]:
    for group in sorted(folder.iterdir()):
        for path in sorted(group.iterdir()):
            yield "replay", path, group.name.endswith("_live")


def fit(raw: NDArray[np.float64], live: NDArray[np.bool_], weight: NDArray[np.float64]) -> (
    tuple[float, float]
):  # fmt: skip
    """Slope and intercept of P(live) = logistic(slope * raw + intercept), by Newton's method.

    Platt, "Probabilistic outputs for support vector machines" (1999), with weighted samples.
    """
    design = np.stack([raw, np.ones_like(raw)], 1)
    beta = np.zeros(2)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (weight * (live - chance))
        curvature = (design * (weight * chance * (1 - chance))[:, None]).T @ design
        step = np.linalg.solve(curvature, gradient)
        beta += step
        if np.abs(step).max() < 1e-9:
            break
    return float(beta[0]), float(beta[1])


def auc(live: NDArray[np.float64], spoof: NDArray[np.float64]) -> float:
    """The chance that a live picture scores above a spoof (Mann & Whitney, 1947)."""
    ordered = np.sort(spoof)
    below = np.searchsorted(ordered, live, "left") + np.searchsorted(ordered, live, "right")
    return float(below.mean() / 2 / len(spoof))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prints", type=Path, required=True)
    parser.add_argument("--replay", type=Path, required=True)
    parser.add_argument("--pack", type=Path)
    args = parser.parse_args()
    samples = [*prints(args.prints), *replay(args.replay)]
    rows, unjudged = [], 0
    networks = Networks(read_pack(args.pack), Runtime())
    for source, path, is_live in samples:
        picture = load(path)
        faces = networks.detection.largest(picture)
        if faces:
            rows.append((source, is_live, networks.liveness.log_odds(picture, faces[0])))
        unjudged += not faces
    sources = np.array([row[0] for row in rows])
    live = np.array([row[1] for row in rows])
    raw = np.array([row[2] for row in rows])
    weight = np.zeros(len(rows))
    for name in np.unique(sources):
        for kind in (True, False):
            group = (sources == name) & (live == kind)
            weight[group] = 1 / group.sum()
    slope, intercept = fit(raw, live, weight)
    print(f"slope = {slope:.4f}\nintercept = {intercept:.4f}\nthreshold = 0.0")
    score = slope * raw + intercept
    for name in np.unique(sources):
        alive, spoof = score[(sources == name) & live], score[(sources == name) & ~live]
        print(
            f"{name}: {len(alive)} live, {len(spoof)} spoof, AUC {auc(alive, spoof):.3f}, "
            f"BPCER {np.mean(alive <= 0):.3f}, APCER {np.mean(spoof > 0):.3f}"
        )
    print(f"no face found in {unjudged} of {len(samples)}")


if __name__ == "__main__":
    main()
