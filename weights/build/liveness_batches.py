"""What the liveness network sees at every step of its training."""

import numpy as np
import torch
from liveness_crops import augmented
from liveness_data import SIMULATED, Sample
from numpy.typing import NDArray
from torch import Tensor

LIVE = 0

Batch = tuple[Tensor, Tensor]
"""Crops `(N, 3, 128, 128)` float32 BGR 0..255, and their labels `(N,)`."""


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
        if SIMULATED in self._names:
            weights[self._names.index(SIMULATED)] = 1 - weights.sum()
        else:
            weights /= weights.sum()
        self._weights = weights

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng((self._seed, step))
        rows = []
        for _ in range(self._size):
            group = self._groups[self._names[rng.choice(len(self._names), p=self._weights)]]
            attacks = [label for label in group if label != LIVE]
            label = LIVE if rng.random() < 0.5 else int(rng.choice(attacks))
            sample = group[label][int(rng.integers(len(group[label])))]
            rows.append((augmented(rng, sample), label))
        crops, labels = zip(*rows, strict=True)
        return tensor(np.stack(crops)), torch.tensor(labels)


def tensor(crops: NDArray[np.float32]) -> Tensor:
    """`(N, H, W, 3)` float32 -> `(N, 3, H, W)`, channels last in memory."""
    images = torch.as_tensor(crops).permute(0, 3, 1, 2)
    return images.contiguous(memory_format=torch.channels_last)
