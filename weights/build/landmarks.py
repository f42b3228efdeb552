"""The pack's detector in PyTorch, so that a loss can see where it places the landmarks."""

from pathlib import Path

import torch
from replay import Replay
from torch import Tensor

from engine.boxes import SAME
from engine.yunet import STRIDES

SCORE = 0.6  # of the pack's manifest: what scores less is no face
HEADS = ("cls", "obj", "bbox", "kps")


class Landmarks:
    """Landmarks of the surest face of each picture, as engine.yunet and engine.boxes find them."""

    def __init__(self, network: Path) -> None:
        self._replay = Replay(network, outputs=[f"{h}_{s}" for h in HEADS for s in STRIDES])

    def __call__(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """`(N, 3, H, W)` BGR 0..255, sides multiples of 32 -> points `(N, 5, 2)` in pixels, and
        whether a face was found `(N,)`; where not, the points are those of the surest cell."""
        found = self._replay.values(pictures)
        per_head = len(STRIDES)
        cls, obj, box, kps = (
            torch.cat(found[i : i + per_head], 1) for i in range(0, len(found), per_head)
        )
        cells = _cells(*pictures.shape[2:])
        places, strides = cells[:, :2], cells[:, 2:]
        with torch.no_grad():
            scores = torch.sqrt(cls * obj)[..., 0]
            centres, half = (places + box[..., :2]) * strides, box[..., 2:].exp() * strides / 2
            low, high = centres - half, centres + half
            best = scores.argmax(1, keepdim=True)
            weights = scores * (_overlap(low, high, best) >= SAME)
            weights = weights * ((scores >= SCORE) | (scores == scores.amax(1, keepdim=True)))
            weights = weights / weights.sum(1, keepdim=True)
        points = (places.repeat(1, 5) + kps) * strides
        return (weights[..., None] * points).sum(1).unflatten(1, (5, 2)), scores.amax(1) >= SCORE


def _cells(height: int, width: int) -> Tensor:
    """Column, row and stride of every cell, `(cells, 3)`."""
    levels = []
    for stride in STRIDES:
        rows, columns = torch.meshgrid(
            torch.arange(height // stride), torch.arange(width // stride), indexing="ij"
        )
        level = [columns.flatten(), rows.flatten(), torch.full((rows.numel(),), stride)]
        levels.append(torch.stack(level, 1))
    return torch.cat(levels).float()


def _overlap(low: Tensor, high: Tensor, best: Tensor) -> Tensor:
    """Intersection over union of every box with the one of index `best`, `(N, cells)`."""
    index = best[..., None].expand(-1, -1, 2)
    chosen_low, chosen_high = low.gather(1, index), high.gather(1, index)
    inside = (torch.minimum(high, chosen_high) - torch.maximum(low, chosen_low)).clamp(min=0)
    shared = inside.prod(2)
    return shared / ((high - low).prod(2) + (chosen_high - chosen_low).prod(2) - shared)
