"""Fits the score of a finished descreening network, "carries a mesh", and writes it into the file.

    python weights/build/descreen_gate.py --portraits DIR --work DIR --network FILE

Everything else in the network stays as it is. The score is fitted on what the engine will judge it
by: the finished network's evidence, all looks at a photo averaged. Needs PyTorch (CPU is enough).
"""

from __future__ import annotations

import argparse
import json
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
from evidence import Evidence, stored
from examples import example
from numpy.typing import NDArray
from onnx import numpy_helper
from portraits import Portraits
from torch import Tensor, nn
from torch.nn import functional

SIZES = (
    *((126, 102), (128, 112), (126, 102), (144, 108)),
    *((220, 178), (224, 192), (220, 178), (280, 240), (352, 288), (441, 358)),
)
"""Heights and widths in turn. Thumbnails are hardest to judge, and cheap."""

_CHUNK = 500


def fit_gate(
    network: Path, portraits: Path, work: Path, count: int, seed: int, workers: int
) -> None:
    """Fits on `count` photos, prints by threshold the shares of meshes missed and of false alarms
    on a quarter as many of people held out, and rewrites the file."""
    score = _fit(*_gather(network, portraits, work, False, count, seed, workers), seed)
    evidence, seen, labels = _gather(network, portraits, work, True, count // 4, seed, workers)
    with torch.no_grad():
        odds = _mean_logit(score, evidence, seen).sigmoid()
    report = {}
    for threshold in (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8, 0.9):
        missed = (odds[labels == 1] < threshold).float().mean().item()
        false = (odds[labels == 0] >= threshold).float().mean().item()
        report[str(threshold)] = [round(missed, 4), round(false, 4)]
    print(json.dumps(report), flush=True)
    model = onnx.load(str(network))
    for layer in (0, 2):
        for kind in ("weight", "bias"):
            tensor = stored(model, f"score.{layer}.{kind}")
            array = getattr(score[layer], kind).detach().numpy()
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    onnx.save(model, str(network))


def _fit(evidence: Tensor, seen: Tensor, labels: Tensor, seed: int) -> nn.Sequential:
    """Logistic regression by two layers, on evidence of mean 0 and spread 1; half of every batch
    thumbnails, which have more looks than the others."""
    torch.manual_seed(seed)
    mean, spread = evidence[seen].mean(0), evidence[seen].std(0) + 1e-3
    scaled = (evidence - mean) / spread
    score = nn.Sequential(nn.Linear(evidence.shape[-1], 64), nn.ReLU(), nn.Linear(64, 1))
    steps, rate = 6000, 2e-3
    optimiser = torch.optim.AdamW(score.parameters(), rate, weight_decay=0.1)
    thumbnail = seen.all(1)
    kinds = [torch.where(thumbnail)[0], torch.where(~thumbnail)[0]]
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * (1 - step / steps)
        some = torch.cat([kind[torch.randint(len(kind), (128,))] for kind in kinds])
        logits = _mean_logit(score, functional.dropout(scaled[some], 0.1), seen[some])
        loss = functional.binary_cross_entropy_with_logits(logits, labels[some])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():  # from here on the score takes the evidence as it is
        score[0].weight /= spread
        score[0].bias -= score[0].weight @ mean
    return score


def _mean_logit(score: nn.Sequential, evidence: Tensor, seen: Tensor) -> Tensor:
    """`(N, looks, D)` and which of the looks there are, to `(N,)`."""
    logits: Tensor = score(evidence)[..., 0] * seen
    return logits.sum(1) / seen.sum(1)


def _gather(
    network: Path, portraits: Path, work: Path, held_out: bool, count: int, seed: int, workers: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Of `count` photos: the evidence `(N, looks, D)`, which looks there are, and labels `(N,)`."""
    parts = [
        (network, portraits, work, held_out, seed, first, min(_CHUNK, count - first))
        for first in range(0, count, _CHUNK)
    ]
    with Pool(workers) as pool:
        rows = [row for part in pool.map(_part, parts, chunksize=1) for row in part]
    evidence, seen, labels = zip(*rows, strict=True)
    return tuple(torch.as_tensor(np.stack(column)) for column in (evidence, seen, labels))


_Row = tuple[NDArray[np.float32], NDArray[np.bool_], np.float32]


def _part(part: tuple[Path, Path, Path, bool, int, int, int]) -> list[_Row]:
    network, folder, work, held_out, seed, first, count = part
    cv2.setNumThreads(1)
    portraits = Portraits(folder, work / "mattes.npy", held_out)
    watch = Evidence(network)
    rows = []
    for number in range(first, first + count):
        rng = np.random.default_rng((seed, number, held_out, 1))
        height, width = SIZES[number % len(SIZES)]
        decoys = rng.random() < 0.5
        photo, _, _, label = example(portraits, rng, height, width, whole=True, decoys=decoys)
        if label >= 0:
            rows.append((*watch(photo), label))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True, help="us_officials, gan_idcards")
    parser.add_argument("--work", type=Path, required=True, help="for the outlines of the people")
    parser.add_argument("--network", type=Path, required=True, help="ONNX file, is rewritten")
    parser.add_argument("--count", type=int, default=14000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    Portraits(options.portraits, options.work / "mattes.npy")  # draws the outlines once
    torch.set_num_threads(options.workers)
    fit_gate(
        options.network,
        options.portraits,
        options.work,
        options.count,
        options.seed,
        options.workers,
    )


if __name__ == "__main__":
    main()
