"""The pack's embedding network in PyTorch, so that a loss can say "still the same face"."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from replay import Replay
from torch import Tensor
from torch.nn import functional

from engine import Engine
from engine.alignment import similarity_transform

SIDE = 112


class Recognition:
    """1 - cosine between the faces of restored and clean photos, aligned as the engine does."""

    def __init__(self, network: Path) -> None:
        self._replay = Replay(network)
        self._engine = Engine(threads=1)

    def __call__(self, restored: Tensor, clean: Tensor) -> Tensor:
        """One value for each of the faces found in `clean`; both are `(N, 3, H, W)` BGR 0..255."""
        grids, rows = [], []
        for row, picture in enumerate(clean):
            pixels = picture.permute(1, 2, 0).contiguous().numpy().astype(np.uint8)
            faces = self._engine.detect(pixels, max_faces=1)
            if faces:
                grids.append(_grid(faces[0].landmarks, *pixels.shape[:2]))
                rows.append(row)
        if not rows:
            return restored.new_zeros(0)
        grid = torch.stack(grids)
        with torch.no_grad():
            truth = self._embed(clean[rows], grid)
        return 1.0 - (self._embed(restored[rows], grid) * truth).sum(1)

    def _embed(self, pictures: Tensor, grid: Tensor) -> Tensor:
        faces = functional.grid_sample(pictures, grid, align_corners=True)
        return functional.normalize(self._replay(faces.flip(1)))  # BGR to RGB


def _grid(landmarks: Any, height: int, width: int) -> Tensor:
    """Where each pixel of the aligned face lies in the photo, in grid_sample's -1..1."""
    forward = np.vstack([similarity_transform(landmarks), [0.0, 0.0, 1.0]])
    back = np.linalg.inv(forward)[:2]
    y, x = np.mgrid[:SIDE, :SIDE]
    places = np.stack([x, y, np.ones_like(x)], 2) @ back.T
    return torch.as_tensor(places / [(width - 1) / 2, (height - 1) / 2] - 1.0).float()
