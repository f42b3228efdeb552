"""What a network is fed with, told by networks that answer the mean of each of their channels."""

import math
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from engine import EngineError
from engine.alignment import ARCFACE_TEMPLATE
from engine.classifier import LEAST, Classifier
from engine.embedding import ArcFace
from engine.images import Pixels
from engine.network import Network
from engine.results import Face
from engine.runtime import Runtime

FACE = Face((20.0, 20.0, 60.0, 60.0), 0.9, ARCFACE_TEMPLATE)
SETTINGS: dict[str, Any] = {"size": 16, "crop": 1.2, "live_class": 0}


def means(runtime: Runtime, channels: int = 3) -> Network:
    """(N, 3, H, W) -> (N, channels); of one channel alone, the mean of all."""
    shape = ["batch", 3, "height", "width"]
    nodes = [helper.make_node("GlobalAveragePool", ["in"], ["means"])]
    if channels == 1:
        nodes.append(helper.make_node("ReduceMean", ["means"], ["mean"], axes=[1], keepdims=1))
    nodes.append(helper.make_node("Flatten", ["mean" if channels == 1 else "means"], ["out"]))
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["batch", channels])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return runtime.load(model.SerializeToString(), "means")


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(["cpu"])


def coloured(blue: int, green: int, red: int) -> Pixels:
    return np.full((100, 100, 3), (blue, green, red), np.uint8)


@pytest.mark.parametrize("border", ["shift", "reflect", "black"])
def test_a_classifier_gets_the_order_that_it_is_said_to_take(runtime: Runtime, border: str) -> None:
    settings = {**SETTINGS, "border": border}
    for order, blue, red in (
        ({}, 10, 0),
        ({"channels": "BGR"}, 10, 0),
        ({"channels": "RGB"}, 0, 10),
    ):
        judge = Classifier(means(runtime), {**settings, **order})
        for picture, first in ((coloured(10, 0, 0), blue), (coloured(0, 0, 10), red)):
            others = math.log(math.exp(0) + math.exp(10 - first))
            assert judge.log_odds(picture, FACE) == pytest.approx(first - others, abs=1e-4)


def test_a_classifier_gets_less_the_mean_over_the_deviation(runtime: Runtime) -> None:
    """Of logits only the differences count, of probabilities each."""
    settings = {**SETTINGS, "mean": 100.0, "std": 80.0, "probabilities": True}
    judge = Classifier(means(runtime), settings)
    odds = math.log(0.75) - math.log(0.25 + LEAST)
    assert judge.log_odds(coloured(160, 120, 100), FACE) == pytest.approx(odds, abs=1e-3)


@pytest.mark.parametrize("live", [0, 1, 2])
def test_which_class_is_live(runtime: Runtime, live: int) -> None:
    judge = Classifier(means(runtime), {**SETTINGS, "std": 100.0, "live_class": live})
    logits = [2.0, 1.0, 0.5]
    others = math.log(sum(math.exp(it) for it in logits[:live] + logits[live + 1 :]))
    found = judge.log_odds(coloured(200, 100, 50), FACE)
    assert found == pytest.approx(logits[live] - others, abs=1e-4)


def test_a_classifier_of_probabilities(runtime: Runtime) -> None:
    """Which have a sum of one; of one that is rounded to nothing there is a little."""
    judge = Classifier(means(runtime), {**SETTINGS, "std": 255.0, "probabilities": True})
    odds = math.log(0.8) - math.log(0.2 + LEAST)
    assert judge.log_odds(coloured(204, 51, 0), FACE) == pytest.approx(odds, abs=1e-3)
    assert judge.log_odds(coloured(255, 0, 0), FACE) == pytest.approx(
        -math.log(2 * LEAST), abs=1e-3
    )
    for picture in (coloured(204, 51, 51), coloured(102, 51, 0)):
        with pytest.raises(EngineError, match="gives no probabilities, but logits"):
            judge.log_odds(picture, FACE)


def test_a_classifier_of_one_class(runtime: Runtime) -> None:
    """It would be sure of everybody."""
    judge = Classifier(means(runtime, channels=1), SETTINGS)
    with pytest.raises(EngineError, match="gives 1 numbers: one for each of two classes or more"):
        judge.log_odds(coloured(200, 100, 50), FACE)


@pytest.mark.parametrize(("order", "expected"), [("BGR", (2, 0, -1)), ("RGB", (-1, 0, 2))])
def test_an_embedding_network_gets_its_order_mean_and_deviation(
    runtime: Runtime, order: str, expected: tuple[int, int, int]
) -> None:
    settings = {"size": 16, "channels": order, "mean": 100.0, "std": 50.0}
    embedder = ArcFace(means(runtime), settings, runtime, batching=False)
    (vector,) = embedder.embed([coloured(200, 100, 50)[:16, :16]])
    assert np.allclose(vector * math.sqrt(5), expected, atol=1e-5)
