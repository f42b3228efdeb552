"""Fits the liveness score of a pack: Platt scaling and thresholds, on what no training has seen.

Takes the subjects that train_liveness.py kept apart: of simulated captures and, with --captures,
of printed ones. Every source and class weighs the same, so that the largest does not decide alone.
Prints the settings for the [liveness] section of pack.toml with the error rates at each threshold,
and those for [liveness_context], fitted on the simulated captures that show enough around the face.

Run: python weights/build/calibrate_liveness.py --portraits DIR --captures DIR --work DIR
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from command import run
from liveness_data import Sample, shared, simulated
from liveness_points import Judged, fit, table
from presentations import SPECIES

from engine.gate import Gate
from engine.images import load
from engine.networks import Networks
from engine.packs import read_pack
from engine.runtime import Runtime


def judge(networks: Networks, gate: Gate, samples: list[Sample]) -> Judged:
    rows: list[tuple[float, float, Sample]] = []
    left_out = 0
    for sample in samples:
        picture = load(sample.data)
        faces = networks.detection.largest(picture)
        if not faces or gate.reason(picture, faces[0]) is not None:
            left_out += 1
            continue
        evidence = networks.liveness.evidence(picture, faces[0])
        context = np.nan if evidence.context is None else evidence.context
        rows.append((evidence.texture, context, sample))
    print(f"# no face, or not assessable: {left_out} of {len(samples)}")
    return Judged(
        texture=np.array([row[0] for row in rows]),
        context=np.array([row[1] for row in rows]),
        live=np.array([row[2].label == 0 for row in rows]),
        species=np.array([SPECIES[row[2].label] for row in rows]),
        source=np.array([row[2].source for row in rows]),
        subject=np.array([row[2].subject for row in rows]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True, help="us_officials, gan_idcards")
    parser.add_argument("--captures", type=Path, help="prints_cn, replay_small")
    parser.add_argument("--work", type=Path, required=True, help="keeps the simulated captures")
    parser.add_argument(
        "--simulate", type=int, default=1500, help="simulated captures of either width"
    )
    parser.add_argument("--pack", type=Path)
    parser.add_argument("--export", type=Path, help="write the captures here, for an evaluation")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    samples = _kept(args)
    if args.export:
        _export(samples, args.export)
    pack = read_pack(args.pack)
    networks = Networks(pack, Runtime())
    gate = Gate(**pack.entry("liveness").settings.get("gate", {}))
    judged = judge(networks, gate, samples)
    weight = judged.weights()
    slope, intercept = fit(judged.texture, judged.live, weight)
    print(f"[liveness]\nslope = {slope:.4f}\nintercept = {intercept:.4f}")
    score = slope * judged.texture + intercept
    wide = ~np.isnan(judged.context)
    if wide.any():
        both = np.column_stack([judged.texture, judged.context])[wide]
        slopes = fit(both, judged.live[wide], weight[wide])
        score[wide] = both @ slopes[:-1] + slopes[-1]
        print(f"[liveness_context]  # fitted on {wide.sum()} captures that show enough")
        for key, value in zip(("texture_slope", "context_slope", "intercept"), slopes, strict=True):
            print(f"{key} = {value:.4f}")
    print("\n".join(table(judged, score, weight)))


def _kept(args: argparse.Namespace) -> list[Sample]:
    """Captures of people kept apart. The seed is not that of training's captures: these are new."""
    samples = []
    for wide in (False, True):
        cache = args.work / f"calibration_{'wide' if wide else 'tight'}.pickle"
        samples += simulated(args.portraits, args.simulate, 2, 2, cache, kept_only=True, wide=wide)
    if args.captures:
        samples += [sample for sample in shared(args.captures) if sample.kept]
    return samples


def _export(samples: list[Sample], folder: Path) -> None:
    """A folder for each source, as `python -m engine.evaluation liveness` reads it."""
    for source in {sample.source for sample in samples}:
        place = folder / source.replace(" ", "_")
        place.mkdir(parents=True, exist_ok=True)
        with (place / "labels.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "label", "subject"])
            for number, sample in enumerate(s for s in samples if s.source == source):
                (place / f"{number:05}.jpg").write_bytes(sample.data)
                writer.writerow([f"{number:05}.jpg", SPECIES[sample.label], sample.subject])


if __name__ == "__main__":
    run(main)
