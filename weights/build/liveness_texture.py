"""The first of liveness' two judges of tight crops: an anti-spoof network trained further."""

import argparse
from pathlib import Path
from typing import Any

import onnx
from channels import fill_blocks
from graph import save, split_prelu
from liveness_batches import Batch, Batches
from liveness_data import SIMULATED, Sample
from liveness_run import Groups, blend, learnt
from replay import Replay


def texture(options: argparse.Namespace, samples: list[Sample], settings: dict[str, Any]) -> Path:
    """Writes what the published network has become. settings: what checkpoints tell of it."""
    network = Replay(options.start, options.trained_from)

    def rated(network: Replay) -> Groups:
        return [([p for p in network.parameters() if p.requires_grad], options.rate)]

    runs = []
    for seed in range(options.seed, options.seed + options.runs):
        mixed = Batches(samples, options.simulated_share, options.batch, seed)
        simulated = [s for s in samples if s.source == SIMULATED]
        alone = Batches(simulated, 1.0, options.batch, seed) if simulated else mixed

        def draw(step: int, alone: Batches = alone, mixed: Batches = mixed) -> Batch:
            return (alone if step < options.alone * options.steps else mixed)[step]

        checkpoint = options.work / f"texture_{seed}.pt"
        runs.append(
            learnt(network, rated, draw, options.steps, checkpoint, settings, options.report)
        )
    blend(network, rated, runs, options.blend)
    path: Path = options.work / "texture.onnx"
    network.save(path)
    model = onnx.load(str(path))
    split_prelu(model.graph)
    fill_blocks(model.graph)
    save(model, path)
    return path
