"""Muon: momentum whose update is made orthogonal, for the convolutions' weights.

K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; scaled so that a
step is as long as AdamW's (J. Liu et al., "Muon is scalable for LLM training", 2025).
"""

from collections.abc import Iterable

import torch
from torch import Tensor

MOMENTUM = 0.95


class Muon(torch.optim.Optimizer):  # type: ignore[misc]
    def __init__(self, weights: Iterable[Tensor], lr: float) -> None:
        super().__init__(weights, {"lr": lr})

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self) -> None:
        for group in self.param_groups:
            for weight in group["params"]:
                state = self.state[weight]
                if not state:
                    state["velocity"] = torch.zeros_like(weight)
                velocity = state["velocity"].lerp_(weight.grad, 1.0 - MOMENTUM)
                ahead = weight.grad.lerp(velocity, MOMENTUM)
                matrix = ahead.reshape(len(ahead), -1)
                scale = 0.2 * max(matrix.shape) ** 0.5
                weight.mul_(1.0 - 1e-2 * group["lr"])
                update = _orthogonal(matrix).reshape(weight.shape)
                weight.add_(update, alpha=-group["lr"] * scale)


def _orthogonal(matrix: Tensor) -> Tensor:
    """The nearest matrix with equal singular values, by five Newton-Schulz steps (quintic)."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.T if tall else x
