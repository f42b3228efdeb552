"""The descreening network in PyTorch, and its export to ONNX.

A U-Net that works at half resolution and below: the picture's 2 x 2 blocks become channels, so
that dense 3 x 3 convolutions stay cheap on a CPU and no pixel is lost. It predicts a mask of the
lines and what to add under them; where the mask is zero the picture passes unchanged.
"""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import onnx
import torch
from descreen_layout import arrange
from integers import quantise
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (32, 64, 96, 112)
DOWN_BLOCKS = (1, 2, 3, 4)
UP_BLOCKS = (4, 4, 3)
FLOOR = 0.3  # of the mask: below, the picture passes as it is (costs 0.03 dB on held-out portraits)


class Block(nn.Module):  # type: ignore[misc]
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(functional.relu(self.first(x)))


def _stage(width: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(*(Block(width) for _ in range(blocks)))


class DescreenNetwork(nn.Module):  # type: ignore[misc]
    """`(N, 3, H, W)` BGR 0..255 -> the clean picture, mask logits `(N, 1, H, W)`, score `(N,)`."""

    def __init__(self) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(WIDTHS))
        self.stem = nn.Conv2d(12, WIDTHS[0], 3, padding=1)
        self.encoder = nn.ModuleList(_stage(w, n) for w, n in zip(WIDTHS, DOWN_BLOCKS, strict=True))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, 2) for a, b in pairs)
        self.up = nn.ModuleList(nn.Conv2d(b, 4 * a, 1) for a, b in pairs)
        self.decoder = nn.ModuleList(_stage(w, n) for w, n in zip(WIDTHS, UP_BLOCKS, strict=False))
        self.head = nn.Conv2d(WIDTHS[0], 16, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        self.score = nn.Sequential(nn.Linear(2 * WIDTHS[-1] + 22, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        clean, logits, evidence = self.restore(image)
        return clean, logits, self.score(evidence)[:, 0]

    def restore(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The clean picture, mask logits, and what the score is judged from."""
        x = self.stem(functional.pixel_unshuffle(image / 127.5 - 1.0, 2))
        skips = []
        for stage, down in zip(self.encoder, self.down, strict=False):
            x = stage(x)
            skips.append(x)
            x = down(x)
        x = self.encoder[-1](x)
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        for up, stage, skip in zip(
            reversed(self.up), reversed(self.decoder), reversed(skips), strict=True
        ):
            x = stage(functional.pixel_shuffle(up(x), 2) + skip)
        out = functional.pixel_shuffle(self.head(x), 2)
        logits = out[:, 3:]
        change = cover(logits).to(image.dtype) * out[:, :3]
        evidence = torch.cat([pooled, _spread(logits, change)], 1)
        return image + change * 127.5, logits, evidence


def _spread(logits: Tensor, change: Tensor) -> Tensor:
    """What the mask and the change say about a mesh, `(N, 22)`: how much, and how far spread."""
    mask = cover(logits.detach())
    change = change.detach().abs().mean(1, keepdim=True).to(mask.dtype)
    cells, changed = (functional.max_pool2d(plane, 16) for plane in (mask, change))
    whole = [plane.mean((2, 3)) for plane in (mask, mask.square(), cells.square(), change)]
    return torch.cat([*whole, _ninths(cells), _ninths(changed)], 1)


def _ninths(plane: Tensor) -> Tensor:
    """`(N, 1, H, W)` -> means over the nine overlapping parts of the picture, `(N, 9)`.

    A mesh lies over all of a photo, face and corners; a fence or a shirt does not.
    """
    rows, columns = (_thirds(side).to(plane.dtype) for side in plane.shape[2:])
    return (rows @ plane[:, 0] @ columns.T).flatten(1)


def _thirds(count: int) -> Tensor:
    """Weights `(3, count)` of the low, middle and high part of an axis, each summing to 1."""
    place = (torch.arange(count) + 0.5) * 2.0 / count - 1.0
    weight = (1.0 - (place - torch.tensor([[-1.0], [0.0], [1.0]])).abs()).clamp(min=1e-6)
    return weight / weight.sum(1, keepdim=True)


def cover(logits: Tensor) -> Tensor:
    """Mask 0..1 that really reaches both ends, so that untouched pixels stay untouched."""
    return (1.1 * torch.sigmoid(logits) - 0.05).clamp(0.0, 1.0)


def pictures(batch: NDArray[Any] | Tensor) -> Tensor:
    """`(N, H, W, 3)` uint8 -> `(N, 3, H, W)` float32, channels last in memory."""
    return torch.as_tensor(batch).permute(0, 3, 1, 2).float()


class _Shipped(nn.Module):  # type: ignore[misc]
    """The network with the outputs that the engine reads."""

    def __init__(self, network: DescreenNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        clean, logits, score = self.network(image)
        mask = cover(logits)
        lines = mask > FLOOR
        clean = torch.where(lines, clean.clamp(0.0, 255.0), image)
        return clean, torch.where(lines, mask, 0.0), score


def export(network: DescreenNetwork, path: Path, photos: Iterable[Tensor]) -> None:
    """Writes the network as ONNX, all but its first and last convolution in integers, and laid out.

    photos: some to measure ranges on, each `(1, 3, H, W)`, H and W multiples of 16.
    """
    free = {0: "n", 2: "height", 3: "width"}
    floats = path.with_suffix(".floats.onnx")
    torch.onnx.export(
        _Shipped(network.float().eval().to(memory_format=torch.contiguous_format)),
        (torch.zeros(1, 3, 224, 192),),
        str(floats),
        dynamo=False,
        opset_version=17,
        input_names=["image"],
        output_names=["clean", "mask", "score"],
        dynamic_axes={"image": free, "clean": free, "mask": free, "score": {0: "n"}},
    )
    samples = (photo.contiguous().numpy() for photo in photos)
    quantise(floats, path, samples, ["/network/stem/Conv", "/network/head/Conv"])
    floats.unlink()
    laid_out = onnx.load(path)
    arrange(laid_out)
    onnx.save(laid_out, path)
