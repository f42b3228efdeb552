"""Convolutions that train as they will compute: in integers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_WEIGHT_MOST = 63  # integers.py keeps weights to seven bits
_VALUE_MOST = 255


class _Round(torch.autograd.Function):  # type: ignore[misc]
    """To multiples of a scale; the gradient passes as if nothing had been rounded."""

    @staticmethod
    def forward(_: Any, x: Tensor, scale: Tensor) -> Tensor:
        return torch.div(x.float(), scale).round_().mul_(scale).to(x.dtype)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


class Convolution(nn.Conv2d):  # type: ignore[misc]
    """While `rounded`, weights, inputs and outputs are rounded to what eight bits can hold; the
    gradient passes as if they were not (Jacob et al., "Quantization and training of neural networks
    for efficient integer-arithmetic-only inference", CVPR 2018)."""

    rounded = False

    def forward(self, x: Tensor) -> Tensor:
        if not self.rounded:
            return super().forward(x)
        return _values(self._conv_forward(_values(x), _weights(self.weight), self.bias))


def round_from_now_on(network: nn.Module) -> None:
    """Every Convolution of the network, from the next run on."""
    for module in network.modules():
        if isinstance(module, Convolution):
            module.rounded = True


def _weights(weight: Tensor) -> Tensor:
    """One scale for each output channel, zero stays zero."""
    most = weight.detach().abs().amax((1, 2, 3), keepdim=True)
    return _round(weight, most / _WEIGHT_MOST)


def _values(x: Tensor) -> Tensor:
    """One scale for all, from the least to the greatest, zero among them."""
    low, high = torch.aminmax(x.detach())
    return _round(x, (high.clamp(min=0.0) - low.clamp(max=0.0)).float() / _VALUE_MOST)


def _round(x: Tensor, scale: Tensor) -> Tensor:
    rounded: Tensor = _Round.apply(x, scale.clamp(min=1e-8))
    return rounded
