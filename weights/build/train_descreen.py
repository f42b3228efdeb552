"""Trains the descreening network and writes `descreen.onnx`.

    python weights/build/train_descreen.py --portraits DIR --out weights/default/descreen.onnx \
        --work DIR

Needs PyTorch (CPU is enough). Picks up at the last checkpoint in `--work` when started again.
Every picture is drawn from the seed and its number, so a run does not depend on where it paused.

After `--steps` comes the finish: `--finish` steps more from `--finish-rate` down, with whole
photos, and so the recognition loss, on every other step, and more weight on likeness. The weights
that are written are the mean of those before and after it.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from command import run
from descreen_batches import draw
from descreen_gate import fit_gate
from descreen_loss import loss_of
from descreen_network import DescreenNetwork, export
from descreen_plan import is_finish, is_whole, rate_of, require_same, settings_of
from descreen_validation import validate
from examples import example, pictures
from muon import Muon
from portraits import Portraits
from recognition import Recognition
from torch import Tensor, distributed, multiprocessing

PACK = Path(__file__).parents[1] / "default"
EMBEDDING = PACK / "embedding_sface_2021dec.onnx"
DETECTOR = PACK / "detection_yunet_2023mar.onnx"
CHECKPOINT = "checkpoint.pt"


def train(worker: int, options: argparse.Namespace) -> None:
    """One of several processes that share each step; the first also keeps and reports."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{options.work.resolve()}/rendezvous",
        rank=worker,
        world_size=options.workers,
    )
    portraits = Portraits(options.portraits, options.work / "mattes.npy")
    held_out = Portraits(options.portraits, options.work / "mattes.npy", validation=True)
    network = DescreenNetwork().to(memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    convolutions = [p for p in network.parameters() if p.ndim == 4]
    others = [p for p in network.parameters() if p.ndim != 4]
    optimisers = [
        Muon(convolutions, options.rate),
        torch.optim.AdamW(others, options.rate, weight_decay=1e-4),
    ]
    checkpoint, first, settled = options.work / CHECKPOINT, 0, None
    if checkpoint.exists():
        state = torch.load(checkpoint)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        for optimiser, kept in zip(optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        first, settled = state["step"], state["settled"]
    recognition = None
    started, running = time.time(), 0.0
    for step in range(first, options.steps + options.finish):
        if step == options.steps:
            settled = copy.deepcopy(average.state_dict())
        rate = rate_of(options, step)
        for group in [g for optimiser in optimisers for g in optimiser.param_groups]:
            group["lr"] = rate
        if recognition is None and step >= options.settled * options.steps:
            recognition = Recognition(options.embedding, DETECTOR)
        batch = draw(portraits, options, step, worker)
        judge = recognition if is_whole(options, step) else None
        loss = loss_of(network, batch, judge, is_finish(options, step))
        network.zero_grad()
        loss.backward()
        _share_gradients(network)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        for optimiser in optimisers:
            optimiser.step()
        running += loss.item()
        keep = min(0.998, (step + 1) / (step + 10))
        with torch.no_grad():
            for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
                slow.lerp_(fast, 1.0 - keep)
        done = step + 1
        ends = (options.steps, options.steps + options.finish)
        if worker == 0 and (done % options.report == 0 or done in ends):
            _save(
                {
                    "settings": settings_of(options),
                    "settled": settled,
                    "network": network.state_dict(),
                    "average": average.state_dict(),
                    "optimisers": [o.state_dict() for o in optimisers],
                    "step": done,
                },
                checkpoint,
            )
            figures = validate(average, held_out)
            figures |= {
                "step": done,
                "loss": running / options.report,
                "rate": rate,
                "seconds": time.time() - started,
            }
            print(json.dumps({k: round(v, 6) for k, v in figures.items()}), flush=True)
            running = 0.0
    if settled is not None:
        after = average.state_dict()
        average.load_state_dict({key: (settled[key] + after[key]) / 2 for key in after})
    report = fit_gate(average, portraits, held_out, options.gate, options.seed)
    if worker == 0:
        print(json.dumps(report), flush=True)
        export(average, options.out, _photos(portraits, options.seed))


def _photos(portraits: Portraits, seed: int) -> Iterator[Tensor]:
    """Whole photos of several sizes."""
    for number in range(45):
        rng = np.random.default_rng((seed, number, 2))
        size = ((224, 176), (128, 112), (448, 368))[number % 3]
        yield pictures(example(portraits, rng, *size, whole=True)[0][None])


def _share_gradients(network: DescreenNetwork) -> None:
    gradients = [p.grad for p in network.parameters()]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.reshape(gradient.shape))


def _save(state: dict[str, Any], path: Path) -> None:
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="checkpoints")
    parser.add_argument("--steps", type=int, default=36500)
    parser.add_argument("--finish", type=int, default=3300, help="steps after these")
    parser.add_argument("--finish-rate", type=float, default=3.5e-4)
    parser.add_argument(
        "--embedding", type=Path, default=EMBEDDING, help="ONNX file of the recognition loss"
    )
    parser.add_argument("--settled", type=float, default=0.4, help="share of steps without it")
    parser.add_argument("--gate", type=int, default=10000, help="photos for the score, at the end")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes, one core each")
    parser.add_argument("--report", type=int, default=500)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if (options.work / CHECKPOINT).exists():
        require_same(options, torch.load(options.work / CHECKPOINT).get("settings"))
    (options.work / "rendezvous").unlink(missing_ok=True)
    Portraits(options.portraits, options.work / "mattes.npy")  # draws the mattes once
    multiprocessing.spawn(train, (options,), options.workers)


if __name__ == "__main__":
    run(main)
