"""The score of the descreening network, fitted after everything else has settled."""

from __future__ import annotations

import numpy as np
import torch
from descreen_network import DescreenNetwork
from examples import example, pictures
from portraits import Portraits
from torch import Tensor, distributed
from torch.nn import functional


def fit_gate(
    network: DescreenNetwork,
    portraits: Portraits,
    held_out: Portraits,
    count: int,
    seed: int,
) -> dict[str, list[float]]:
    """Trains the score alone, on `count` whole photos of all sizes; the rest stays as it is.

    Gives, by threshold, the shares of meshes missed and of false alarms on people held out.
    """
    evidence, labels = _gather(network, portraits, count, seed)
    optimiser = torch.optim.AdamW(network.score.parameters(), 1e-3, weight_decay=1e-2)
    torch.manual_seed(seed)
    for _ in range(3000):
        some = torch.randint(len(labels), (256,))
        logits = network.score(evidence[some])[:, 0]
        loss = functional.binary_cross_entropy_with_logits(logits, labels[some])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    evidence, labels = _gather(network, held_out, count // 4, seed)
    with torch.no_grad():
        odds = network.score(evidence)[:, 0].sigmoid()
    report = {}
    for threshold in (0.2, 0.5, 0.8, 0.9, 0.95, 0.98):
        missed = (odds[labels == 1] < threshold).float().mean().item()
        false = (odds[labels == 0] >= threshold).float().mean().item()
        report[str(threshold)] = [missed, false]
    return report


@torch.no_grad()  # type: ignore[untyped-decorator]
def _gather(
    network: DescreenNetwork,
    portraits: Portraits,
    count: int,
    seed: int,
) -> tuple[Tensor, Tensor]:
    """What the score is judged from, and labels, of `count` photos drawn by all workers."""
    worker, workers = distributed.get_rank(), distributed.get_world_size()
    sizes = ((128, 112), (224, 176), (224, 192), (352, 288), (416, 304), (640, 512))
    rows, labels = [], []
    for number in range(count // workers):
        rng = np.random.default_rng((seed, number, worker, 1))
        height, width = sizes[(0, 1, 2, 3, 4, 5, 1, 2)[number % 8]]
        meshed, _, _, label = example(portraits, rng, height, width, whole=True)
        with torch.autocast("cpu", torch.bfloat16):
            rows.append(network.restore(pictures(meshed[None]))[2].float()[0])
        labels.append(torch.tensor(label))
    own = torch.cat([torch.stack(rows), torch.stack(labels)[:, None]], 1)
    everyone = [torch.empty_like(own) for _ in range(workers)]
    distributed.all_gather(everyone, own)
    table = torch.cat(everyone)
    table = table[table[:, -1] >= 0]
    return table[:, :-1], table[:, -1]
