"""Channels filled up to a runtime's blocks: more of them, and the same answers."""

import numpy as np
import onnx
import onnxruntime
from channels import BLOCK, fill_blocks
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WIDTH, INNER, OUT = 6, 3, 4


def _model(end: list[onnx.NodeProto]) -> onnx.ModelProto:
    """What anti-spoof networks are made of: a convolution of every channel by itself, with a
    residual and a gate; then `end`, from "gated" to "out"."""
    rng = np.random.default_rng(0)
    shapes = {
        "first": (WIDTH, 2, 3, 3),
        "bias": (WIDTH,),
        "each_bias": (WIDTH,),
        "each": (WIDTH, 1, 3, 3),
        "each_scale": (WIDTH, 1, 1, 1),
        "less": (INNER, WIDTH, 1, 1),
        "more": (WIDTH, INNER, 1, 1),
        "last": (OUT, WIDTH, 1, 1),
    }
    pads = [1, 1, 1, 1]
    nodes = [
        helper.make_node("Conv", ["in", "first", "bias"], ["a"], pads=pads),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Mul", ["each", "each_scale"], ["each_scaled"]),
        helper.make_node("Conv", ["b", "each_scaled", "each_bias"], ["c"], pads=pads, group=WIDTH),
        helper.make_node("Add", ["a", "c"], ["d"]),
        helper.make_node("GlobalAveragePool", ["d"], ["e"]),
        helper.make_node("Conv", ["e", "less"], ["f"]),
        helper.make_node("Conv", ["f", "more"], ["g"]),
        helper.make_node("Sigmoid", ["g"], ["gate"]),
        helper.make_node("Mul", ["d", "gate"], ["gated"]),
        *end,
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, [1, 2, 9, 9])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, "channels", 9, 9])],
        [
            numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)
            for name, shape in shapes.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def _run(model: onnx.ModelProto) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    feed = np.random.default_rng(1).normal(size=(1, 2, 9, 9)).astype(np.float32)
    result: NDArray[np.float32] = session.run(None, {"in": feed})[0]
    return result


def _shapes(model: onnx.ModelProto) -> dict[str, list[int]]:
    return {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}


def test_channels_of_zeros_change_no_answer() -> None:
    model = _model([helper.make_node("Conv", ["gated", "last"], ["out"])])
    expected = _run(model)
    fill_blocks(model.graph)
    onnx.checker.check_model(model, full_check=True)
    shapes = _shapes(model)
    assert shapes["each_scaled"] == [BLOCK, 1, 3, 3] and shapes["first"][:2] == [BLOCK, 2]
    assert shapes["less"][:2] == [INNER, BLOCK] and shapes["last"][:2] == [OUT, BLOCK]
    np.testing.assert_allclose(_run(model), expected, rtol=1e-5, atol=1e-5)


def test_channels_that_something_else_sees_stay_as_they_are() -> None:
    model = _model([helper.make_node("Concat", ["gated", "in"], ["out"], axis=1)])
    expected, before = _run(model), _shapes(model)
    fill_blocks(model.graph)
    after = _shapes(model)
    assert after.pop("each_scaled") == before.pop("each") and before.pop("each_scale")
    assert {**before, "last": None} == {**after, "last": None}
    np.testing.assert_allclose(_run(model), expected, rtol=1e-5, atol=1e-5)
