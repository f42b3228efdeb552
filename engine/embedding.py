"""Embedding: an aligned face as a vector whose cosine with another says how alike they are."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.batching import Batcher
from engine.errors import EngineError
from engine.images import Pixels
from engine.network import Network
from engine.numbers import whole
from engine.runtime import Runtime

Embeddings = NDArray[np.float32]
"""(N, D) float32, every row of unit length."""


class Embedder(Protocol):
    """Embeds aligned faces."""

    size: int

    def embed(self, crops: Sequence[Pixels]) -> Embeddings: ...


class ArcFace:
    """Any network that takes faces aligned to the ArcFace template.

    manifest: size (pixels), channels ("RGB" or "BGR"), mean and std, applied as (x - mean) / std.
    batching: whether faces of concurrent calls share runs, where the network takes several.
    Raises what packs.MISFITS lists for a setting that is missing or wrong.
    """

    def __init__(
        self, network: Network, manifest: Mapping[str, Any], runtime: Runtime, batching: bool
    ) -> None:
        # No method of this object: as a circle its network would outlive Engine.close.
        self._run = partial(_vectors, network)
        self._map = runtime.map
        self._shared = Batcher(self._run) if batching and network.takes_many else None
        self.size = whole(manifest, "size", 1)
        if manifest["channels"] not in ("BGR", "RGB") or not float(manifest["std"]) > 0:
            raise ValueError("channels is BGR or RGB, and std is above 0")
        self._swap = manifest["channels"] == "RGB"
        self._mean = np.float32(manifest["mean"])
        self._std = np.float32(manifest["std"])

    def embed(self, crops: Sequence[Pixels]) -> Embeddings:
        """(size, size, 3) uint8 BGR crops, at least one, to (N, D) unit vectors."""
        pixels = np.stack(crops)
        if self._swap:
            pixels = pixels[..., ::-1]
        faces = pixels.transpose(0, 3, 1, 2).astype(np.float32, order="C")
        if self._mean or self._std != 1:
            faces = (faces - self._mean) / self._std
        if self._shared is not None:
            return unit(self._shared(faces))
        # On a CPU a face takes no longer alone than in a batch, and faces fit side by side.
        return unit(np.concatenate(self._map(self._run, [face[None] for face in faces])))


def _vectors(network: Network, faces: NDArray[np.float32]) -> NDArray[np.float32]:
    (vectors,) = network.run(faces)
    return vectors


def mirrored(crops: Sequence[Pixels]) -> list[Pixels]:
    """The crops as a mirror shows them. Faces are all but symmetrical, a network's errors are not:
    the sum of both embeddings is the better one."""
    return [crop[:, ::-1] for crop in crops]


def unit(vectors: NDArray[np.float32]) -> Embeddings:
    """Rows scaled to length one. Raises EngineError for what is no number."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():  # it would read as a similarity far below any threshold
        raise EngineError("the embedding network gave no number: its weights may be damaged")
    result: Embeddings = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return result
