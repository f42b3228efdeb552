"""The pack's detector and embedding network in PyTorch, so that a loss can say "the same face".

A mesh that is not quite gone moves the landmarks too, and a face that is aligned by other ones is
as unlike as a face of other pixels: so each picture is aligned by its own.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from landmarks import Landmarks
from numpy.typing import NDArray
from replay import Replay
from torch import Tensor
from torch.nn import functional

from engine import Engine
from engine.alignment import ARCFACE_TEMPLATE, TEMPLATE_SIZE
from engine.landmarks import SIZE, WINDOW


class Recognition:
    """1 - cosine between the faces of restored and clean photos, aligned as the engine does."""

    def __init__(self, embedding: Path, detector: Path) -> None:
        self._embedding = Replay(embedding)
        self._landmarks = Landmarks(detector)
        self._engine = Engine(threads=1)

    def __call__(self, restored: Tensor, clean: Tensor) -> Tensor:
        """One value for each of the faces found in `clean`; both are `(N, 3, H, W)` BGR 0..255."""
        rows, windows = [], []
        for row, picture in enumerate(clean):
            pixels = picture.permute(1, 2, 0).contiguous().numpy().astype(np.uint8)
            faces = self._engine.detect(pixels, max_faces=1)
            if faces:
                rows.append(row)
                windows.append(_window(np.array(faces[0].box)))
        if not rows:
            return restored.new_zeros(0)
        window = torch.as_tensor(np.stack(windows)).float()
        restored, clean = restored[rows], clean[rows]
        with torch.no_grad():
            points, _ = self._points(clean, window)
            truth = self._embed(clean, points)
        own, seen = self._points(restored, window)
        own = torch.where(seen[:, None, None], own, points)
        return 1.0 - (self._embed(restored, own) * truth).sum(1)

    def _points(self, pictures: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
        """Landmarks in the window of each picture, in its pixels, and whether there is a face."""
        points, seen = self._landmarks(_sampled(pictures, window, SIZE))
        return points @ window[:, :, :2].mT + window[:, None, :, 2], seen

    def _embed(self, pictures: Tensor, points: Tensor) -> Tensor:
        faces = _sampled(pictures, _alignment(points), TEMPLATE_SIZE)
        return functional.normalize(self._embedding(faces.flip(1)))  # BGR to RGB


def _window(box: NDArray[Any]) -> NDArray[Any]:
    """(2, 3): from pixels of the window around a face to those of its picture."""
    side = WINDOW * box[2:].max()
    corner = box[:2] + box[2:] / 2 - side / 2
    scale = side / SIZE
    return np.array([[scale, 0, corner[0]], [0, scale, corner[1]]])


def _alignment(points: Tensor) -> Tensor:
    """From pixels of the aligned face to those of its picture, `(N, 2, 3)`: the closed form of
    engine.alignment.similarity_transform, the other way round."""
    template = torch.as_tensor(ARCFACE_TEMPLATE)
    middle, middles = template.mean(0), points.mean(1, keepdim=True)
    (x, y), (u, v) = (template - middle).unbind(1), (points - middles).unbind(2)
    spread = (u.square() + v.square()).sum(1)
    # Forward it is one complex number, conj(points) * template / spread; its inverse leads back.
    real, imaginary = (u * x + v * y).sum(1) / spread, (u * y - v * x).sum(1) / spread
    size = real.square() + imaginary.square()
    real, imaginary = real / size, -imaginary / size
    turn = torch.stack([real, -imaginary, imaginary, real], 1).unflatten(1, (2, 2))
    shift = middles[:, 0] - turn @ middle
    return torch.cat([turn, shift[:, :, None]], 2)


def _sampled(pictures: Tensor, places: Tensor, size: int) -> Tensor:
    """Squares out of pictures; places: `(N, 2, 3)` from their pixels to the pictures'."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    pixels = torch.stack([x, y, torch.ones_like(x)], 2).float()
    grid = torch.einsum("hwk,nck->nhwc", pixels, places)
    extent = torch.tensor([pictures.shape[3] - 1, pictures.shape[2] - 1]) / 2  # grid_sample's -1..1
    return functional.grid_sample(pictures, grid / extent - 1.0, align_corners=True)
