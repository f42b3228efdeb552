"""Model folders of the insightface package load as they are, and their detectors do all that ours
does but tell a tilt."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from insightface.model_zoo import get_model

from engine import Engine, FaceNotFound, WeightsError
from engine.images import Pixels
from engine.packs import read_pack
from engine.runtime import Runtime
from engine.zoo import ZooDetector


@pytest.fixture
def zoo(shared: Path, tmp_path: Path) -> Path:
    """A model folder as insightface unpacks one, without a manifest."""
    for name in ("scrfd_500m_bnkps.onnx", "arcface_mobilefacenet_128d.onnx"):
        shutil.copy(shared / "models" / name, tmp_path / name)
    return tmp_path


def test_insightface_folder_loads(
    zoo: Path, astronaut: Pixels, group: Pixels, caplog: pytest.LogCaptureFixture
) -> None:
    with Engine(zoo) as engine:
        assert len(engine.detect(group)) == 6
        assert engine.embed(astronaut).shape == (128,)
        assert engine.compare(astronaut, astronaut[:, ::-1]).is_match
        assert not engine.compare(astronaut, group).is_match
        assert engine.liveness(astronaut).is_alive  # borrowed from the default pack
        info = engine.info()
    assert info["networks"]["embedding"]["licence"].startswith("non-commercial")
    assert info["similarity"]["calibrated"] is False
    assert "nobody has measured how often strangers pass its threshold" in caplog.text
    notices = [record for record in caplog.records if "non-commercial" in record.message]
    assert len(notices) == 1


@pytest.mark.parametrize("name", ["us-governors_andrew-cuomo", "us-house_kevin-mccarthy"])
def test_insightface_detectors_do_not_tell_tilt(zoo: Path, shared: Path, name: str) -> None:
    """Their scores of upright faces vary: these two were taken for tilted."""
    with Engine(zoo) as engine:
        assert engine.liveness(shared / "portraits" / "us_officials" / f"{name}.jpg").assessable


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_pictures_on_their_side_with_an_insightface_detector(
    zoo: Path, astronaut: Pixels, quarters: int
) -> None:
    turned = np.ascontiguousarray(np.rot90(astronaut, quarters))
    with Engine(zoo) as engine:
        assert engine.compare(astronaut, turned).similarity > 0.95
        result = engine.liveness(turned)
        assert result.assessable
        assert np.allclose(result.score, engine.liveness(astronaut).score, atol=0.05)


def test_an_insightface_detector_of_any_size(zoo: Path, astronaut: Pixels) -> None:
    """Looks at the size that it is asked for, and not at its usual one."""
    file = zoo / "scrfd_500m_bnkps.onnx"
    network = onnx.load(file)
    sides = network.graph.input[0].type.tensor_type.shape.dim[2:]
    for side, name in zip(sides, ("height", "width"), strict=True):
        side.dim_param = name
    for value in network.graph.output:
        value.type.tensor_type.shape.dim[0].dim_param = f"rows of {value.name}"
    onnx.save(network, file)
    (row,) = ZooDetector(read_pack(zoo).entry("detector"), Runtime()).rows(astronaut, 160)
    plain = get_model(str(file), providers=["CPUExecutionProvider"])
    ((*box, score),), ((points),) = plain.detect(astronaut, input_size=(160, 160))
    assert np.allclose(row, [score, *box, *points.ravel()], atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 2000, 3), (2000, 3, 3), (2, 30000, 3)])
def test_insightface_detectors_take_thin_strips(zoo: Path, shape: tuple[int, ...]) -> None:
    strip = np.zeros(shape, np.uint8)
    with Engine(zoo) as engine:
        assert engine.detect(strip, 1) == engine.detect(strip) == []
        with pytest.raises(FaceNotFound, match="no face was found in the picture"):
            engine.embed(strip)


def test_two_detectors_in_a_folder_are_ambiguous(zoo: Path) -> None:
    shutil.copy(zoo / "scrfd_500m_bnkps.onnx", zoo / "second.onnx")
    with pytest.raises(WeightsError, match=r"not exactly one detector network \(scrfd.*second"):
        Engine(zoo)
