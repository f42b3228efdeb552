"""The score of the descreening network, fitted after everything else has settled."""

import numpy as np
import torch
from descreen_network import DescreenNetwork
from examples import example, pictures
from portraits import Portraits
from torch import Tensor, distributed, nn
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
    _fit(network.score, evidence, labels, seed)
    evidence, labels = _gather(network, held_out, count // 4, seed)
    with torch.no_grad():
        odds = network.score(evidence)[:, 0].sigmoid()
    report = {}
    for threshold in (0.1, 0.15, 0.2, 0.3, 0.5, 0.8, 0.9):
        missed = (odds[labels == 1] < threshold).float().mean().item()
        false = (odds[labels == 0] >= threshold).float().mean().item()
        report[str(threshold)] = [missed, false]
    return report


def _fit(score: nn.Sequential, evidence: Tensor, labels: Tensor, seed: int) -> None:
    """Logistic regression by the two layers of `score`, on evidence of mean 0 and spread 1."""
    torch.manual_seed(seed)
    mean, spread = evidence.mean(0), evidence.std(0) + 1e-3
    evidence = (evidence - mean) / spread
    for layer in (score[0], score[2]):
        layer.reset_parameters()
    steps, rate = 1500, 2e-3
    optimiser = torch.optim.AdamW(score.parameters(), rate, weight_decay=0.1)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * (1 - step / steps)
        some = torch.randint(len(labels), (256,))
        logits = score(functional.dropout(evidence[some], 0.3))[:, 0]
        loss = functional.binary_cross_entropy_with_logits(logits, labels[some])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():  # from here on the score takes the evidence as it is
        score[0].weight /= spread
        score[0].bias -= score[0].weight @ mean


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
        meshed, _, _, label = example(portraits, rng, height, width, whole=True, decoys=True)
        with torch.autocast("cpu", torch.bfloat16):
            rows.append(network.restore(pictures(meshed[None]))[2].float()[0])
        labels.append(torch.tensor(label))
    own = torch.cat([torch.stack(rows), torch.stack(labels)[:, None]], 1)
    everyone = [torch.empty_like(own) for _ in range(workers)]
    distributed.all_gather(everyone, own)
    table = torch.cat(everyone)
    table = table[table[:, -1] >= 0]
    return table[:, :-1], table[:, -1]
