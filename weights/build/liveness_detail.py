"""The second of liveness' two judges of tight crops: a classifier of ImageNet trained further."""

import argparse
from pathlib import Path
from typing import Any

import efficientnet
from efficientnet import EfficientNet
from liveness_batches import Batches
from liveness_crops import SIZE
from liveness_data import Sample
from liveness_run import Groups, Rated, blend, learnt
from presentations import SPECIES
from torch import Tensor

HEAD_RATE, RATE, FALL = 3e-3, 3e-4, 0.9
"""Learning rates of the last layer while it learns alone, and then, and from each layer to the one
before it."""

STANDARD = range(1_000_000, 1_000_008)
"""Batches that no run draws: the last layer's inputs are standardised by them."""


def detail(options: argparse.Namespace, samples: list[Sample], settings: dict[str, Any]) -> Path:
    """Writes what the published network has become. settings: what checkpoints tell of it."""
    network = EfficientNet(efficientnet.published(), len(SPECIES))

    def batches(seed: int) -> Batches:
        return Batches(samples, options.simulated_share, options.batch, seed)

    def run(rated: Rated, seed: int, steps: int, name: str) -> list[Tensor]:
        draw, checkpoint = batches(seed).__getitem__, options.work / f"{name}.pt"
        return learnt(network, rated, draw, steps, checkpoint, settings, options.report)

    network.standardise([batches(options.seed)[step][0] for step in STANDARD])
    # The seed of the head decides what all runs begin with.
    head = run(_head, options.seed, options.head_steps, f"detail_head_{options.seed}")
    blend(network, _head, [head], 1.0)
    seeds = range(options.seed, options.seed + options.runs)
    name = f"detail_{options.seed}"
    runs = [run(_all, seed, options.detail_steps, f"{name}_{seed}") for seed in seeds]
    blend(network, _all, runs, options.blend)
    path: Path = options.work / "detail.onnx"
    efficientnet.export(network, path, SIZE)
    return path


def _head(network: EfficientNet) -> Groups:
    return [(network.groups()[-1], HEAD_RATE)]


def _all(network: EfficientNet) -> Groups:
    groups = reversed(network.groups())
    return [(group, RATE * FALL**before) for before, group in enumerate(groups)]
