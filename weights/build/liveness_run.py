"""One run of the liveness network's training, from the start network to its last step."""

import argparse
import json
from statistics import fmean

import torch
from liveness_batches import LIVE, Batches
from liveness_data import SIMULATED, Sample
from liveness_plan import require_same, settings_of
from replay import Replay
from schedule import schedule
from torch import Tensor, nn
from torch.nn import functional


def learnt(options: argparse.Namespace, samples: list[Sample], seed: int) -> list[Tensor]:
    """The trained weights after one run: a running average over its steps.

    Raises EngineError for a checkpoint of other settings.
    """
    network = Replay(options.start, options.trained_from)
    network.to(memory_format=torch.channels_last)
    weights = trained(network)
    average = [p.detach().clone() for p in weights]
    optimiser = torch.optim.AdamW(weights, options.rate, weight_decay=5e-3)
    shown = [s for s in samples if not s.kept and s.source not in options.leave_out]
    settings = settings_of(options, shown)
    checkpoint, first = options.work / f"checkpoint_{seed}.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        require_same(checkpoint, state["settings"], settings)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        average, first = state["average"], state["step"]
    mixed = Batches(shown, options.simulated_share, options.batch, seed)
    simulated = [s for s in shown if s.source == SIMULATED]
    alone = Batches(simulated, 1.0, options.batch, seed) if simulated else mixed
    losses: list[float] = []
    for step in range(first, options.steps):
        crops, labels = (alone if step < options.alone * options.steps else mixed)[step]
        logits = network(crops)
        target = (labels == LIVE).float() * 0.94 + 0.03  # a few labels of any set are wrong
        loss = functional.binary_cross_entropy_with_logits(log_odds(logits), target)
        loss = loss + 0.3 * functional.cross_entropy(logits, labels)
        for group in optimiser.param_groups:
            group["lr"] = options.rate * schedule(step / options.steps, warm_up=0.05, start=0.02)
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
        if done % options.report == 0 or done == options.steps:
            state = {"settings": settings, "average": average, "step": done}
            state |= {"network": network.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save(state, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
            line = {"seed": seed, "step": done, "loss": round(fmean(losses), 4)}
            print(json.dumps(line), flush=True)
            losses.clear()
    return average


def trained(network: Replay) -> list[nn.Parameter]:
    """The weights that gradients change."""
    return [p for p in network.parameters() if p.requires_grad]


def log_odds(logits: Tensor) -> Tensor:
    """Of live against all attacks together."""
    return logits[:, LIVE] - torch.logsumexp(logits[:, LIVE + 1 :], 1)
