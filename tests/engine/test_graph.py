"""Repairs of ONNX graphs: the same results, without what a runtime is slow at."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from graph import split_prelu
from liveness_join import join
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

CHANNELS = 6


def _model(slopes: NDArray[np.float32]) -> onnx.ModelProto:
    """Two kinds of convolution read a PReLU's output; the last one's goes out as it is."""
    rng = np.random.default_rng(0)
    weights: dict[str, NDArray[np.floating]] = {
        "all": rng.normal(size=(CHANNELS, CHANNELS, 1, 1)),
        "each": rng.normal(size=(CHANNELS, 1, 3, 3)),
        "slopes": slopes.reshape(-1, 1, 1),
    }
    nodes = [
        helper.make_node("PRelu", ["in", "slopes"], ["a"]),
        helper.make_node("Conv", ["a", "each"], ["b"], group=CHANNELS, pads=[1, 1, 1, 1]),
        helper.make_node("PRelu", ["b", "slopes"], ["c"]),
        helper.make_node("Conv", ["c", "all"], ["d"]),
        helper.make_node("PRelu", ["d", "slopes"], ["out"]),
    ]
    shape = [1, CHANNELS, 9, 9]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(v.astype(np.float32), name) for name, v in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def _run(model: onnx.ModelProto, feed: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    result: NDArray[np.float32] = session.run(None, {"in": feed})[0]
    return result


def test_split_prelu_gives_the_same() -> None:
    feed = np.random.default_rng(1).normal(size=(1, CHANNELS, 9, 9)).astype(np.float32)
    model = _model(np.array([-0.8, 0, 0.25, 0.99, 1.01, 3], np.float32))
    expected = _run(model, feed)
    split_prelu(model.graph)
    onnx.checker.check_model(model, full_check=True)
    assert not [node for node in model.graph.node if node.op_type == "PRelu"]
    assert np.allclose(_run(model, feed), expected, atol=1e-4 * np.abs(expected).max())


def test_a_slope_of_one_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="a slope of 1 cannot be split"):
        split_prelu(_model(np.ones(CHANNELS, np.float32)).graph)


def _judge(weights: NDArray[np.float64], path: Path) -> Path:
    """`(N, C, 1, 1)` -> logits `(N, 3)`; every one's values have the same names."""
    nodes = [helper.make_node("Flatten", ["in"], ["flat"])]
    nodes.append(helper.make_node("MatMul", ["flat", "weights"], ["logits"]))
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, ["batch", len(weights), 1, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(weights.astype(np.float32), "weights")],
    )
    opset = [helper.make_opsetid("", 21)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)
    return path


def test_two_judges_joined_give_the_mean_of_their_logits(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(2, 800, 3))
    first, second = (
        _judge(w, tmp_path / f"{name}.onnx") for name, w in zip("ab", weights, strict=True)
    )
    joined = tmp_path / "joined.onnx"
    join(first, second, 0.4, joined)
    feed = rng.normal(size=(5, 800, 1, 1)).astype(np.float32)
    alone = [_run(onnx.load(path), feed) for path in (first, second)]
    found = _run(onnx.load(joined), feed)
    assert found.shape == (5, 3)
    assert np.abs(found - (0.6 * alone[0] + 0.4 * alone[1])).max() < 0.01
    assert np.abs(found - alone[0]).max() > 1
    # The second's weights take half of the room.
    assert joined.stat().st_size < first.stat().st_size * 1.6
