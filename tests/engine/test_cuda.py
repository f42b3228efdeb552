"""The default pack on a GPU says what it says on the CPU: skipped where CUDA does not activate."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import onnxruntime
import pytest

from engine import Engine, ProviderError
from engine.images import Pixels, encode
from engine.providers import CUDA

if CUDA not in onnxruntime.get_available_providers():
    pytest.skip("this onnxruntime has no CUDA", allow_module_level=True)


@pytest.fixture(scope="module", params=[False, True], ids=["alone", "batching"])
def gpu(request: pytest.FixtureRequest) -> Iterator[Engine]:
    try:
        engine = Engine(providers=["cuda"], batching=request.param)
    except ProviderError as error:
        pytest.skip(str(error))
    with engine:
        yield engine


def under_mesh(astronaut: Pixels, width: int, height: int) -> Pixels:
    """An ID photo's cut, under crossing lines."""
    photo = np.ascontiguousarray(cv2.resize(astronaut[:300, 80:320], (width, height)))
    rows, columns = np.mgrid[:height, :width]
    for waves in (rows + 8 * np.sin(columns / 12), rows + 8 * np.cos(columns / 12)):
        photo[waves % 20 < 2] //= 2
    return photo


def test_it_runs_there(gpu: Engine) -> None:
    assert gpu.info()["providers"][0] == CUDA


def test_faces_are_the_same(gpu: Engine, engine: Engine, group: Pixels, astronaut: Pixels) -> None:
    for picture in (group, astronaut):
        here, there = engine.detect(picture), gpu.detect(picture)
        assert len(there) == len(here)
        for one, other in zip(here, there, strict=True):
            assert np.allclose(one.box, other.box, atol=1)
            assert np.allclose(one.landmarks, other.landmarks, atol=0.3)
            assert one.score == pytest.approx(other.score, abs=2e-3)


def test_embeddings_are_the_same(
    gpu: Engine, engine: Engine, astronaut: Pixels, hanks: Pixels
) -> None:
    for picture in (astronaut, hanks):
        assert engine.embed(picture) @ gpu.embed(picture) > 0.9999
    here, there = (each.compare(astronaut, hanks) for each in (engine, gpu))
    assert here.cosine == pytest.approx(there.cosine, abs=2e-3)
    assert here.is_match == there.is_match


def test_liveness_is_the_same(gpu: Engine, engine: Engine, astronaut: Pixels) -> None:
    here, there = engine.liveness(astronaut), gpu.liveness(astronaut)
    assert here.score == pytest.approx(there.score, abs=0.05)
    assert (here.is_alive, here.assessable) == (there.is_alive, there.assessable)


def test_descreened_pictures_are_the_same(gpu: Engine, engine: Engine, astronaut: Pixels) -> None:
    small = under_mesh(astronaut, 178, 220)
    large = cv2.resize(small, None, fx=9, fy=9, interpolation=cv2.INTER_CUBIC)
    whole = under_mesh(astronaut, 256, 256)  # a GPU continues others to multiples of 128
    for picture in (small, large, whole):
        here, there = engine.descreen(picture), gpu.descreen(picture)
        assert here.changed and there.changed
        assert cv2.PSNR(here.image, there.image) > 45
    assert here.mesh_score == pytest.approx(there.mesh_score, abs=0.01)
    assert np.array_equal(gpu.descreen(astronaut).image, astronaut)


def test_calls_side_by_side_get_their_own_answers(
    gpu: Engine, engine: Engine, astronaut: Pixels, hanks: Pixels
) -> None:
    pictures = [astronaut, hanks, np.ascontiguousarray(astronaut[:, ::-1])] * 20
    files = [encode(picture, "png") for picture in pictures]
    expected = [engine.embed(file) for file in files[:3]] * 20
    with ThreadPoolExecutor(16) as threads:
        for vector, truth in zip(threads.map(gpu.embed, files), expected, strict=True):
            assert vector @ truth > 0.9999
