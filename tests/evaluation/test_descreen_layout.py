"""The descreening network laid out anew: a small one of the same kind gives the same answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from descreen_layout import arrange
from descreen_start import weights_of
from onnx import TensorProto, helper, numpy_helper

SHIPPED = Path(__file__).resolve().parents[2] / "weights" / "default" / "descreen.onnx"

WIDTH, DEEP, SIDE = 8, 12, 32


class Small:
    """One level of the network as it is exported: blocks of the picture as channels, integers
    before and after every convolution but the first and the last, a skip, and a mask."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.trained: dict[str, np.ndarray] = {}
        self.rng = np.random.default_rng(3)
        image = self.add("Sub", [self.add("Div", ["image", self.number(127.5)]), self.number(1)])
        half = SIDE // 2
        blocks = self.add("Reshape", [image, self.shape(0, 3, half, 2, half, 2)])
        moved = self.add("Transpose", [blocks], perm=[0, 1, 3, 5, 2, 4])
        rows = self.add("Reshape", [moved, self.shape(0, 12, half, half)])
        skip = self.integers(self.convolution("stem", rows, 12, WIDTH, 3))
        down = self.convolution("down.0", skip, WIDTH, DEEP, 2, strides=[2, 2], pads=[0] * 4)
        seen = self.integers(self.add("Relu", [self.integers(down)]))
        up = self.convolution("up.0", seen, DEEP, 4 * WIDTH, 1, stored_as_integers=True)
        joined = self.integers(self.add("Add", [self.spread(self.integers(up)), skip]))
        out = self.spread(self.convolution("head", joined, WIDTH, 16, 3))
        change, logit = (
            self.add("Slice", [out, self.shape(low), self.shape(high), self.shape(1)])
            for low, high in ((0, 3), (3, 4))
        )
        mask = self.add("Sigmoid", [logit])
        lines = self.add("Greater", [mask, self.number(0.5)])
        covered = self.add("Mul", [self.add("Mul", [mask, change]), self.number(127.5)])
        clean = self.add("Clip", [self.add("Add", ["image", covered]), *map(self.number, (0, 255))])
        self.add("Where", [lines, clean, "image"], "clean")
        self.add("Where", [lines, mask, self.number(0)], "mask")
        graph = helper.make_graph(
            self.nodes,
            "small",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
            [
                helper.make_tensor_value_info("clean", TensorProto.FLOAT, ["n", 3, SIDE, SIDE]),
                helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["n", 1, SIDE, SIDE]),
            ],
            self.constants,
        )
        opset = [helper.make_opsetid("", 17)]
        self.model = helper.make_model(graph, opset_imports=opset, ir_version=8)

    def add(self, op_type: str, inputs: Sequence[str], output: str = "", **more: Any) -> str:
        output = output or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op_type, inputs, [output], output, **more))
        return output

    def constant(self, array: np.ndarray, name: str = "") -> str:
        name = name or f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def shape(self, *sides: int) -> str:
        return self.constant(np.array(sides))

    def spread(self, value: str) -> str:
        return self.add("DepthToSpace", [value], blocksize=2, mode="CRD")

    def integers(self, value: str) -> str:
        how = [self.number(0.03), self.constant(np.array(100, np.uint8))]
        return self.add("DequantizeLinear", [self.add("QuantizeLinear", [value, *how]), *how])

    def convolution(
        self,
        name: str,
        value: str,
        inputs: int,
        outputs: int,
        side: int,
        stored_as_integers: bool = False,
        **more: Any,
    ) -> str:
        kernels = self.rng.normal(0, 1 / inputs**0.5 / side, (outputs, inputs, side, side))
        weights = [
            self.weights(f"{name}.{kind}", array.astype(np.float32), stored_as_integers)
            for kind, array in (("weight", kernels), ("bias", self.rng.normal(0, 0.16, outputs)))
        ]
        more = {"pads": [side // 2] * 4, "kernel_shape": [side, side], "strides": [1, 1], **more}
        return self.add("Conv", [value, *weights], **more)

    def weights(self, name: str, array: np.ndarray, stored_as_integers: bool) -> str:
        self.trained[name] = array
        if not stored_as_integers:
            return self.constant(array, f"network.{name}")
        scale = self.rng.uniform(0.01, 0.02, len(array)).astype(np.float32)
        beside = scale.reshape(-1, *[1] * (array.ndim - 1))
        integers = np.rint(array / beside).astype(np.int8 if array.ndim > 1 else np.int32)
        self.trained[name] = integers.astype(np.float32) * beside
        how = [self.constant(scale), self.constant(np.zeros(len(array), integers.dtype))]
        stored = self.constant(integers, f"network.{name}_quantized")
        return self.add("DequantizeLinear", [stored, *how], axis=0)


def test_the_same_answers_from_fewer_moves() -> None:
    small = Small().model
    laid_out = onnx.ModelProto()
    laid_out.CopyFrom(small)
    arrange(laid_out)
    onnx.checker.check_model(laid_out, full_check=True)
    kinds = [node.op_type for node in laid_out.graph.node]
    assert "Where" not in kinds and kinds.count("DepthToSpace") == 1
    assert kinds.count("QuantizeLinear") == 4  # of five: none between a convolution and Relu

    pictures = np.random.default_rng(1).uniform(0, 255, (2, 3, SIDE, SIDE)).astype(np.float32)
    before, after = _answers(small, pictures), _answers(laid_out, pictures)
    assert np.abs(before[0] - pictures).mean() > 5, "the network changes the pictures"
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(old, new, rtol=1e-4, atol=1e-3)


def test_training_goes_on_from_what_is_laid_out(tmp_path: Path) -> None:
    small = Small()
    arrange(small.model)
    onnx.save(small.model, tmp_path / "small.onnx")
    found = weights_of(tmp_path / "small.onnx")
    assert found.keys() == small.trained.keys()
    for name, values in small.trained.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def _answers(model: onnx.ModelProto, pictures: np.ndarray) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return [np.asarray(answer) for answer in session.run(None, {"image": pictures})]


def test_the_shipped_network_is_laid_out() -> None:
    model = onnx.load(SHIPPED)
    before = model.SerializeToString(deterministic=True)
    arrange(model)
    assert model.SerializeToString(deterministic=True) == before
