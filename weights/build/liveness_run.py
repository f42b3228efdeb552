"""One run of training a judge of crops, from its start to its last step."""

import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from liveness_batches import LIVE, Batch
from liveness_plan import require_same
from schedule import schedule
from torch import Tensor, nn
from torch.nn import functional

Groups = list[tuple[list[nn.Parameter], float]]
"""Weights that learn, each group with its highest learning rate."""

Rated = Callable[[Any], Groups]
"""Finds them in a network."""

Draw = Callable[[int], Batch]
"""Crops and labels of a step, counted from 0."""


def learnt(
    start: nn.Module,
    rated: Rated,
    draw: Draw,
    steps: int,
    checkpoint: Path,
    settings: dict[str, Any],
    every: int,
) -> list[Tensor]:
    """The weights that learn, after one run: a running average over its steps.

    start: stays as it is. Goes on from the checkpoint where there is one, and writes it after so
    many steps. Raises EngineError for a checkpoint of other settings.
    """
    network = copy.deepcopy(start).to(memory_format=torch.channels_last)
    groups = rated(network)
    weights = learning(groups)
    average = [p.detach().clone() for p in weights]
    optimiser = torch.optim.AdamW([{"params": g} for g, _ in groups], weight_decay=5e-3)
    first = 0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        require_same(checkpoint, state["settings"], settings)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        average, first = state["average"], state["step"]
    losses: list[float] = []
    for step in range(first, steps):
        share = schedule(step / steps, warm_up=0.05, start=0.02)
        for group, (_, rate) in zip(optimiser.param_groups, groups, strict=True):
            group["lr"] = rate * share
        loss = _loss(network, *draw(step))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        losses.append(loss.item())
        keep = min(0.995, (step + 1) / (step + 10))
        with torch.no_grad():
            for slow, fast in zip(average, weights, strict=True):
                slow.lerp_(fast, 1 - keep)
        done = step + 1
        if done % every == 0 or done == steps:
            state = {"settings": settings, "average": average, "step": done}
            state |= {"network": network.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save(state, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
            line = {"run": checkpoint.stem, "step": done, "loss": round(fmean(losses), 4)}
            print(json.dumps(line), flush=True)
            losses.clear()
    return average


@torch.no_grad()  # type: ignore[untyped-decorator]
def blend(network: nn.Module, rated: Rated, runs: Sequence[list[Tensor]], share: float) -> None:
    """Move the network from its start by a share of what the runs learnt on average."""
    for weight, *found in zip(learning(rated(network)), *runs, strict=True):
        weight.lerp_(torch.stack(found).mean(0), share)


def learning(groups: Groups) -> list[nn.Parameter]:
    return [weight for group, _ in groups for weight in group]


def _loss(network: nn.Module, crops: Tensor, labels: Tensor) -> Tensor:
    logits = network(crops)
    live = logits[:, LIVE] - torch.logsumexp(logits[:, LIVE + 1 :], 1)  # against all attacks
    target = (labels == LIVE).float() * 0.94 + 0.03  # a few labels of any set are wrong
    loss = functional.binary_cross_entropy_with_logits(live, target)
    return loss + 0.3 * functional.cross_entropy(logits, labels)
