"""Trains the liveness network of tight crops and writes `liveness_texture.onnx`.

    python weights/build/train_liveness.py --portraits DIR --captures DIR --work DIR --out FILE

It is two networks that judge the same crop, joined by a mean of their logits. One starts from the
anti-spoof network of wide crops and learns simulated attacks on licence-clean portraits first, then
these and the captures in `--captures` together (without that option the simulated ones alone). The
other starts from what a classifier of ImageNet knows: its last layer is trained, then all of it.
What each contributes lies between its start and what several runs learnt on average: that keeps
more of what holds on other cameras (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR
2022, and "Model soups", ICML 2022; the last layer first: Kumar et al., "Fine-tuning can distort
pretrained features", ICLR 2022). `--leave-out SOURCE` trains without one of the sources, to be
judged on it. Needs PyTorch (CPU is enough), and npm and pip for the networks it starts from. Picks
up at the last checkpoints in `--work` when started again; every batch is drawn from its run's seed
and its number.
"""

import argparse
import json
from pathlib import Path

import cv2
import minifasnet
import numpy as np
import onnxruntime
import torch
from command import run
from delivery import check_place, deliver
from graph import save
from liveness_batches import LIVE
from liveness_crops import centred
from liveness_data import SIMULATED, Sample, shared, simulated
from liveness_detail import detail
from liveness_join import join
from liveness_plan import settings_of
from liveness_texture import texture
from presentations import SPECIES

from engine.errors import EngineError
from engine.evaluation.arguments import at_least

SIMULATION_SEED = 1  # whatever the seeds of the runs, which share their captures


def judge(network: Path, samples: list[Sample]) -> dict[str, float]:
    """AUC by source and species."""
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    parts = []
    for first in range(0, len(samples), 64):
        crops = np.stack([centred(sample) for sample in samples[first : first + 64]])
        (logits,) = session.run(None, {"input": crops.transpose(0, 3, 1, 2)})
        attacks = np.delete(logits, LIVE, 1)
        parts.append(logits[:, LIVE] - np.logaddexp.reduce(attacks, 1))
    scores = np.concatenate(parts)
    labels = np.array([s.label for s in samples])
    sources = np.array([s.source for s in samples])
    figures = {}
    for source in np.unique(sources):
        for label in range(1, len(SPECIES)):
            live = scores[(sources == source) & (labels == LIVE)]
            attack = scores[(sources == source) & (labels == label)]
            if len(live) and len(attack):
                key = f"{source}, {SPECIES[label]}: {len(live)} live, {len(attack)} attacks"
                figures[key] = round(float((live[:, None] > attack[None]).mean()), 4)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True, help="us_officials, gan_idcards")
    parser.add_argument("--captures", type=Path, help="prints_cn, replay_small")
    parser.add_argument("--leave-out", action="append", default=[], help="a source, by its name")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints of these settings")
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
    parser.add_argument("--simulate", type=at_least(1), default=6000, help="simulated captures")
    parser.add_argument("--simulated-share", type=float, default=0.4, help="beside other sources")
    parser.add_argument("--alone", type=float, default=0.35, help="share of steps before them")
    parser.add_argument("--runs", type=at_least(1), default=2, help="each from a seed of its own")
    parser.add_argument("--blend", type=float, default=0.6, help="share of what was learnt")
    parser.add_argument("--texture", type=Path, help="its network, as --work keeps it: not trained")
    parser.add_argument(
        "--steps", type=at_least(1), default=900, help="of a run of the texture network"
    )
    parser.add_argument(
        "--head-steps", type=at_least(1), default=250, help="of the other's last layer"
    )
    parser.add_argument(
        "--detail-steps", type=at_least(1), default=600, help="of a run of all of it"
    )
    parser.add_argument("--detail-share", type=float, default=0.3, help="of it in the mean")
    parser.add_argument("--batch", type=at_least(1), default=32)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=at_least(1), default=2, help="processes that simulate")
    parser.add_argument("--report", type=at_least(1), default=100)
    options = parser.parse_args()
    check_place(options.out)
    torch.set_num_threads(options.workers)
    cv2.setNumThreads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    if options.start is None:
        options.start = options.work / "start.onnx"
        if not options.start.exists():
            save(minifasnet.repaired(minifasnet.published()), options.start)
    real = shared(options.captures) if options.captures else []
    sources = sorted({SIMULATED, *(sample.source for sample in real)})
    if set(options.leave_out) - set(sources):
        raise EngineError(f"--leave-out takes {', '.join(sources)}")
    cache = options.work / "simulated.pickle"
    seed = SIMULATION_SEED
    samples = simulated(options.portraits, options.simulate, seed, options.workers, cache) + real
    shown = [s for s in samples if not s.kept and s.source not in options.leave_out]
    unseen = [s for s in samples if s.kept or s.source in options.leave_out]
    settings = settings_of(options, shown)
    first = options.texture or texture(options, shown, settings)
    second = detail(options, shown, settings)
    joined = options.work / "joined.onnx"
    join(first, second, options.detail_share, joined)
    deliver(joined, options.out)
    for network in (first, second, options.out):
        print(json.dumps({str(network): judge(network, unseen)}, indent=1))


if __name__ == "__main__":
    run(main)
