"""Networks of a pack that are not what its manifest says of them, or are others than usual."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from packs_edited import edit, store

from engine import Engine, WeightsError
from engine.images import Pixels
from engine.networks import Networks
from engine.packs import read_pack
from engine.runtime import Runtime

DETECTOR = "detection_yunet_2023mar.onnx"
EMBEDDING = "embedding_sface_2021dec.onnx"


def test_file_that_is_no_network(pack: Path) -> None:
    store(pack, DETECTOR, b"not a network")
    with pytest.raises(WeightsError, match="does not load as an ONNX network"):
        Engine(pack)


def test_a_detector_of_one_size_only(pack: Path) -> None:
    """As it is published, too, for 640 x 640 pixels: it is told at the start and not by a call."""
    network = onnx.load(pack / DETECTOR)
    for side in network.graph.input[0].type.tensor_type.shape.dim[2:]:
        side.dim_value = 640
    store(pack, DETECTOR, network.SerializeToString())
    with pytest.raises(WeightsError, match=r"(?s)does not fit its settings: .*Expected: 640"):
        Engine(pack)


@pytest.mark.parametrize("file", ["liveness_texture.onnx", "liveness_minifasnet.onnx"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "all pictures are judged alike: the network's weights are damaged"),
        (np.nan, "the liveness network gave no number: its weights may be damaged"),
    ],
    ids=["zero", "nan"],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_a_liveness_network_of_one_number(
    pack: Path, file: str, value: float, message: str
) -> None:
    """Everybody would be as alive as everybody else."""
    network = onnx.load(pack / file)
    for stored in network.graph.initializer:
        values = onnx.numpy_helper.to_array(stored)
        if values.dtype.kind == "f" and values.ndim > 1:
            alike = onnx.numpy_helper.from_array(np.full_like(values, value), stored.name)
            stored.CopyFrom(alike)
    store(pack, file, network.SerializeToString())
    with pytest.raises(WeightsError, match=message):
        Engine(pack)


def test_weights_in_another_file_are_refused(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would have no checksum, and would be looked for where one is."""
    network, apart = onnx.load(pack / DETECTOR), tmp_path / DETECTOR
    onnx.save(network, apart, save_as_external_data=True, location="data", size_threshold=1024)
    (tmp_path / "data").rename(pack / "data")
    store(pack, DETECTOR, apart.read_bytes())
    monkeypatch.chdir(pack)
    with pytest.raises(WeightsError, match=rf"{DETECTOR} does not load as an ONNX network"):
        Engine(pack)


def test_a_network_for_one_face_at_a_time(pack: Path, astronaut: Pixels, engine: Engine) -> None:
    """With batching it would be given several."""
    network = onnx.load(pack / EMBEDDING)
    for value in (network.graph.input[0], network.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    store(pack, EMBEDDING, network.SerializeToString())
    with Engine(pack, providers=["cpu"], batching=True) as single:
        assert np.allclose(single.embed(astronaut), engine.embed(astronaut), atol=1e-5)


def test_an_embedding_network_that_takes_bgr(pack: Path, astronaut: Pixels) -> None:
    """Given what the other takes, in its order of channels, it says the same."""
    edit(pack, 'channels = "RGB"', 'channels = "BGR"')
    bgr, rgb = (Networks(read_pack(own), Runtime(["cpu"])).embedder for own in (pack, None))
    crop = astronaut[60:172, 170:282]
    assert np.array_equal(bgr.embed([crop[..., ::-1]]), rgb.embed([crop]))
    assert not np.allclose(bgr.embed([crop]), rgb.embed([crop]), atol=1e-3)
