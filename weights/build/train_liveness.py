"""Trains the liveness network on tight crops and writes `liveness_texture.onnx`.

    python weights/build/train_liveness.py --portraits DIR --captures DIR --work DIR --out FILE

Starts from the anti-spoof network of wide crops, learns simulated attacks on licence-clean
portraits first, then these and the captures in `--captures` together (without that option the
simulated ones alone). What is written lies between the start and what was learnt: that keeps more
of what holds on other cameras (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR
2022). `--leave-out SOURCE` trains without one of the sources, to be judged on it.
Needs PyTorch (CPU is enough), and npm for the network it starts from. Picks up at the last
checkpoint in `--work` when started again; every batch is drawn from the seed and its number.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import cv2
import minifasnet
import numpy as np
import onnx
import torch
from graph import drop_dead_values, save, split_prelu
from liveness_data import SIMULATED, Sample, augmented, centred, shared, simulated
from numpy.typing import NDArray
from presentations import SPECIES
from replay import Replay
from torch import Tensor, nn
from torch.nn import functional

LIVE = 0
_MIDDLE, _MIDDLE_CHANNELS = 85, 128  # a node halfway, 16 x 16, for the spectrum


class Batches:
    """Half live and half attacks, each source with its share, each species alike within it."""

    def __init__(self, samples: list[Sample], simulated_share: float, size: int, seed: int) -> None:
        self._size, self._seed = size, seed
        self._groups: dict[str, dict[int, list[Sample]]] = {}
        for sample in samples:
            source = self._groups.setdefault(sample.source, {})
            source.setdefault(sample.label, []).append(sample)
        self._names = sorted(self._groups)
        # A source weighs with the root of its size, as a small one has little more to teach.
        sizes = [sum(len(g) for g in self._groups[name].values()) for name in self._names]
        weights = np.sqrt(sizes) * [name != SIMULATED for name in self._names]
        if weights.any():
            weights *= (1 - simulated_share) / weights.sum()
        weights[self._names.index(SIMULATED)] = 1 - weights.sum()
        self._weights = weights

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Crops `(N, 3, 128, 128)` float32 BGR 0..255, and their labels `(N,)`."""
        rng = np.random.default_rng((self._seed, step))
        rows = []
        for _ in range(self._size):
            group = self._groups[self._names[rng.choice(len(self._names), p=self._weights)]]
            attacks = [label for label in group if label != LIVE]
            label = LIVE if rng.random() < 0.5 else int(rng.choice(attacks))
            sample = group[label][int(rng.integers(len(group[label])))]
            rows.append((augmented(rng, sample), label))
        crops, labels = zip(*rows, strict=True)
        return _tensor(np.stack(crops)), torch.tensor(labels)


def log_odds(logits: Tensor) -> Tensor:
    """Of live against all attacks together."""
    return logits[:, LIVE] - torch.logsumexp(logits[:, LIVE + 1 :], 1)


def spectrum(crops: Tensor) -> Tensor:
    """The log amplitude spectrum of each crop's grey levels, `(N, 1, 16, 16)`, standardised.

    To predict it makes the network look at what resampling leaves there: Minivision's
    Silent-Face-Anti-Spoofing supervises a side branch in this way.
    """
    grey = crops.mean(1) / 255
    waves = torch.fft.fftshift(torch.fft.fft2(grey, norm="ortho"), dim=(1, 2)).abs()
    levels = functional.adaptive_avg_pool2d(torch.log(waves + 1e-3)[:, None], 16)
    centred_levels = levels - levels.mean((1, 2, 3), keepdim=True)
    return centred_levels / (levels.std((1, 2, 3), keepdim=True) + 1e-5)


def train(options: argparse.Namespace, samples: list[Sample]) -> Replay:
    torch.manual_seed(options.seed)
    network = Replay(options.start, options.trained_from)
    network.to(memory_format=torch.channels_last)
    side = nn.Sequential(
        nn.Conv2d(_MIDDLE_CHANNELS, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 1, 1)
    )
    weights = [p for p in network.parameters() if p.requires_grad]
    start = [p.detach().clone() for p in weights]
    average = [p.detach().clone() for p in weights]
    optimiser = torch.optim.AdamW([*weights, *side.parameters()], options.rate, weight_decay=5e-3)
    checkpoint, first = options.work / "checkpoint.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        network.load_state_dict(state["network"])
        side.load_state_dict(state["side"])
        optimiser.load_state_dict(state["optimiser"])
        average, first = state["average"], state["step"]
    learnt = [s for s in samples if not s.kept and s.source not in options.leave_out]
    alone = Batches([s for s in learnt if s.source == SIMULATED], 1.0, options.batch, options.seed)
    mixed = Batches(learnt, options.simulated_share, options.batch, options.seed)
    running = 0.0
    for step in range(first, options.steps):
        crops, labels = (alone if step < options.alone * options.steps else mixed)[step]
        logits, middle = network.watch(crops, _MIDDLE)
        target = (labels == LIVE).float() * 0.94 + 0.03  # a few labels of any set are wrong
        loss = functional.binary_cross_entropy_with_logits(log_odds(logits), target)
        loss = loss + 0.3 * functional.cross_entropy(logits, labels)
        loss = loss + options.spectrum * functional.mse_loss(side(middle), spectrum(crops))
        for group in optimiser.param_groups:
            group["lr"] = options.rate * _schedule(step / options.steps)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        running += loss.item()
        keep = min(0.995, (step + 1) / (step + 10))
        with torch.no_grad():
            for slow, fast in zip(average, weights, strict=True):
                slow.lerp_(fast, 1 - keep)
        done = step + 1
        if done % options.report == 0:
            state = {
                "network": network.state_dict(),
                "side": side.state_dict(),
                "optimiser": optimiser.state_dict(),
                "average": average,
                "step": done,
            }
            torch.save(state, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
            print(
                json.dumps({"step": done, "loss": round(running / options.report, 4)}), flush=True
            )
            running = 0.0
    with torch.no_grad():
        for before, after, weight in zip(start, average, weights, strict=True):
            weight.copy_(before.lerp(after, options.blend))
    return network


@torch.no_grad()  # type: ignore[untyped-decorator]
def judge(network: Replay, samples: list[Sample], options: argparse.Namespace) -> dict[str, float]:
    """AUC by source and species, of what was not trained on."""
    unseen = [s for s in samples if s.kept or s.source in options.leave_out]
    scores = np.concatenate(
        [
            log_odds(network(_tensor(np.stack([centred(s) for s in unseen[i : i + 64]])))).numpy()
            for i in range(0, len(unseen), 64)
        ]
    )
    labels = np.array([s.label for s in unseen])
    sources = np.array([s.source for s in unseen])
    figures = {}
    for source in np.unique(sources):
        for label in range(1, len(SPECIES)):
            live = scores[(sources == source) & (labels == LIVE)]
            attack = scores[(sources == source) & (labels == label)]
            if len(live) and len(attack):
                key = f"{source}, {SPECIES[label]}: {len(live)} live, {len(attack)} attacks"
                figures[key] = round(float((live[:, None] > attack[None]).mean()), 4)
    return figures


def _tensor(crops: NDArray[np.float32]) -> Tensor:
    images = torch.as_tensor(crops).permute(0, 3, 1, 2)
    return images.contiguous(memory_format=torch.channels_last)


def _schedule(share: float) -> float:
    """Short warm-up, then half a cosine down to 1 %."""
    return min(1.0, share / 0.05 + 0.02) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True, help="us_officials, gan_idcards")
    parser.add_argument("--captures", type=Path, help="prints_cn, replay_small")
    parser.add_argument("--leave-out", action="append", default=[], help="a source, by its name")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--start", type=Path, help="the network to start from; the published MiniFASNet when absent"
    )
    parser.add_argument(
        "--trained-from",
        type=int,
        default=9,
        help="first node that is trained; those before it see 64 x 64 and cost half of the time",
    )
    parser.add_argument("--simulate", type=int, default=6000, help="simulated captures")
    parser.add_argument("--simulated-share", type=float, default=0.4, help="beside other sources")
    parser.add_argument("--alone", type=float, default=0.35, help="share of steps before them")
    parser.add_argument("--spectrum", type=float, default=0.1, help="weight of the side branch")
    parser.add_argument("--blend", type=float, default=0.6, help="share of what was learnt")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes that simulate")
    parser.add_argument("--report", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(options.workers)
    cv2.setNumThreads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    if options.start is None:
        options.start = options.work / "start.onnx"
        if not options.start.exists():
            save(minifasnet.repaired(minifasnet.published()), options.start)
    cache = options.work / "simulated.pickle"
    samples = simulated(options.portraits, options.simulate, options.seed, options.workers, cache)
    if options.captures:
        samples += shared(options.captures)
    network = train(options, samples)
    print(json.dumps(judge(network, samples, options), indent=1))
    network.save(options.out)
    model = onnx.load(str(options.out))
    split_prelu(model.graph)
    drop_dead_values(model.graph)
    save(model, options.out)


if __name__ == "__main__":
    main()
