"""Embedding: an aligned face as a vector whose cosine with another says how alike they are."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.images import Pixels
from engine.runtime import Network, Runtime

Embeddings = NDArray[np.float32]
"""(N, D) float32, every row of unit length."""


class Embedder(Protocol):
    """Embeds aligned faces."""

    size: int

    def embed(self, crops: Sequence[Pixels]) -> Embeddings: ...


class ArcFace:
    """Any network that takes faces aligned to the ArcFace template.

    manifest: size (pixels), channels ("RGB" or "BGR"), mean and std, applied as (x - mean) / std.
    """

    def __init__(self, network: Network, manifest: Mapping[str, Any], runtime: Runtime) -> None:
        self._network = network
        self._runtime = runtime
        self.size = int(manifest["size"])
        self._swap = manifest["channels"] == "RGB"
        self._mean = np.float32(manifest["mean"])
        self._std = np.float32(manifest["std"])

    def embed(self, crops: Sequence[Pixels]) -> Embeddings:
        """(size, size, 3) uint8 BGR crops, at least one, to (N, D) unit vectors."""
        if self._runtime.on_cpu:  # where a batch gains nothing, and faces side by side do
            return unit(np.concatenate(self._runtime.map(self._run, [[crop] for crop in crops])))
        return unit(self._run(crops))

    def _run(self, crops: Sequence[Pixels]) -> NDArray[np.float32]:
        pixels = np.stack(crops)
        if self._swap:
            pixels = pixels[..., ::-1]
        batch = pixels.transpose(0, 3, 1, 2).astype(np.float32, order="C")
        if self._mean or self._std != 1:
            batch = (batch - self._mean) / self._std
        (vectors,) = self._network.run(batch)
        return vectors


def unit(vectors: NDArray[np.float32]) -> Embeddings:
    """Rows scaled to length one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Embeddings = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return result
