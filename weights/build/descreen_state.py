"""The descreening network while it is trained: its weights, their average, and how far they are."""

import copy
from pathlib import Path
from typing import Any

import torch
from descreen_network import DescreenNetwork
from muon import Muon
from torch import Tensor, distributed


class State:
    """network: learns. average: of its weights over the last steps. settled: the average before
    the finish, once that has begun. done: steps.

    One of several processes, all of which take the same steps. settings: what a checkpoint has to
    tell of the run.
    """

    def __init__(self, network: DescreenNetwork, rate: float, settings: dict[str, Any]) -> None:
        self.network = network.to(memory_format=torch.channels_last)
        self.average: DescreenNetwork = copy.deepcopy(self.network)
        self.settled: dict[str, Tensor] | None = None
        self.done = 0
        self._settings = settings
        convolutions = [p for p in self.network.parameters() if p.ndim == 4]
        others = [p for p in self.network.parameters() if p.ndim != 4]
        self._optimisers = [
            Muon(convolutions, rate),
            torch.optim.AdamW(others, rate, weight_decay=1e-4),
        ]

    def load(self, path: Path) -> None:
        """Go on where a checkpoint of the same options ends."""
        state = torch.load(path)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        for optimiser, kept in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self.done, self.settled = state["step"], state["settled"]

    def save(self, path: Path) -> None:
        state = {
            "settings": self._settings,
            "settled": self.settled,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [o.state_dict() for o in self._optimisers],
            "step": self.done,
        }
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def settle(self) -> None:
        """The finish begins."""
        self.settled = copy.deepcopy(self.average.state_dict())

    def take(self, loss: Tensor, rate: float) -> None:
        """One step against this process's loss and the others'."""
        for group in [g for optimiser in self._optimisers for g in optimiser.param_groups]:
            group["lr"] = rate
        self.network.zero_grad()
        loss.backward()
        self._share_gradients()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 0.5)
        for optimiser in self._optimisers:
            optimiser.step()
        self.done += 1
        keep = min(0.998, self.done / (self.done + 9))
        with torch.no_grad():
            for slow, fast in zip(
                self.average.parameters(), self.network.parameters(), strict=True
            ):
                slow.lerp_(fast, 1.0 - keep)

    def finished(self) -> DescreenNetwork:
        """With the mean of the averages before the finish and after it."""
        if self.settled is not None:
            after = self.average.state_dict()
            mean = {key: (self.settled[key] + after[key]) / 2 for key in after}
            self.average.load_state_dict(mean)
        return self.average

    def _share_gradients(self) -> None:
        gradients = [p.grad for p in self.network.parameters()]
        flat = torch.cat([g.reshape(-1) for g in gradients])
        distributed.all_reduce(flat)
        flat /= distributed.get_world_size()
        for gradient, mean in zip(
            gradients, flat.split([g.numel() for g in gradients]), strict=True
        ):
            gradient.copy_(mean.reshape(gradient.shape))
