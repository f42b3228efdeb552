"""Descreening through the public surface, on real pictures under drawn meshes.

The gains in dB asked for here are floors that a broken network, or one fed wrongly, falls below;
how good the network is `python -m engine.evaluation descreen` measures.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import skimage.data

from engine import Engine, descreen
from engine.descreen import Descreener
from engine.evaluation.restoration import psnr
from engine.evaluation.synthesis import generator
from engine.images import Pixels
from engine.packs import read_pack
from engine.runtime import Runtime

meshes: Any = generator("mesh")

LIKE_THE_REAL_ONE = generator("descreen_example").LIKE_THE_REAL_ONE


def portrait(picture: Pixels) -> Pixels:
    """The astronaut as an ID photo of 178 x 220."""
    return np.asarray(cv2.resize(picture[10:270, 115:325], (178, 220)), np.uint8)


def under_mesh(picture: Pixels, **changes: Any) -> Pixels:
    mesh = replace(LIKE_THE_REAL_ONE, **changes)
    meshed: Pixels = meshes.printed(picture, mesh)[0]
    return meshed


def in_ink(**changes: Any) -> Any:
    """The real mesh's ink with these changes."""
    return (replace(LIKE_THE_REAL_ONE.inks[0], **changes),)


def quality(picture: Pixels, truth: Pixels) -> float:
    return psnr((picture.astype(np.float64) - truth) ** 2)


def test_a_grey_photo_stays_grey(engine: Engine, astronaut: Pixels) -> None:
    clean = cv2.cvtColor(portrait(astronaut), cv2.COLOR_BGR2GRAY)[:, :, None].repeat(3, axis=2)
    meshed = under_mesh(clean, inks=in_ink(colour=(60.0, 60.0, 60.0)))
    assert np.ptp(meshed, axis=2).max() == 0
    result = engine.descreen(meshed)
    assert result.changed and np.ptp(result.image, axis=2).max() == 0
    assert quality(result.image, clean) > quality(meshed, clean) + 4


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"angle": 70.0, "seed": 1},
        {"perspective": 0.3, "seed": 2},
        {"inks": in_ink(colour=(235.0, 240.0, 240.0)), "seed": 3},
        {"family": "chevrons", "seed": 4},
        {"family": "scales", "spacing": 30.0, "seed": 6},
    ],
)
def test_most_of_the_mesh_goes(engine: Engine, astronaut: Pixels, changes: dict[str, Any]) -> None:
    clean = portrait(astronaut)
    meshed = under_mesh(clean, **changes)
    result = engine.descreen(meshed)
    assert result.changed
    assert result.mesh_score > 0.9
    assert quality(result.image, clean) > quality(meshed, clean) + 4


@pytest.mark.parametrize("width", [102, 295, 800, 1600])
def test_every_scale(engine: Engine, astronaut: Pixels, width: int) -> None:
    clean = np.asarray(cv2.resize(portrait(astronaut), (width, width * 220 // 178)), np.uint8)
    ratio = width / 178
    mesh = {"width": 2.5 * ratio, "spacing": 40 * ratio, "period": 90 * ratio}
    meshed = under_mesh(clean, **mesh, amplitude=20 * ratio)
    result = engine.descreen(meshed)
    assert result.image.shape == clean.shape
    assert quality(result.image, clean) > quality(meshed, clean) + 5


def test_a_picture_without_mesh_is_left_alone(
    engine: Engine, astronaut: Pixels, hanks: Pixels, group: Pixels
) -> None:
    for picture in (astronaut, portrait(astronaut), hanks, group):
        result = engine.descreen(picture)
        assert not result.changed
        assert result.mesh_score < 0.1
        assert np.array_equal(result.image, picture)


def test_what_nobody_could_see_is_left_alone(engine: Engine, astronaut: Pixels) -> None:
    """Whatever the score: here every picture is taken for meshed."""
    entry = read_pack().entry("descreen")
    runtime = Runtime(["cpu"])
    network = runtime.load(entry.read(), entry.role, integers=True)
    certain = Descreener(network, {**entry.settings, "threshold": 0.0}, runtime)
    plain = portrait(astronaut)
    result = certain.descreen(plain)
    assert result.image is plain and not result.changed
    assert result.mesh_score == engine.descreen(plain).mesh_score
    meshed = under_mesh(plain)
    assert np.array_equal(certain.descreen(meshed).image, engine.descreen(meshed).image)


@pytest.mark.parametrize("name", ["grass", "gravel", "hubble_deep_field", "moon", "page"])
def test_a_picture_of_no_person_is_left_alone(engine: Engine, name: str) -> None:
    """Textures and writing are full of thin lines, but not of a mesh's."""
    shown = getattr(skimage.data, name)()
    picture = np.asarray(cv2.resize(shown, (300, 240), interpolation=cv2.INTER_AREA), np.uint8)
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    result = engine.descreen(np.ascontiguousarray(picture[..., ::-1]))
    assert not result.changed
    assert result.mesh_score < 0.3


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (17, 33), (102, 126), (641, 500), (90, 2000)])
def test_any_size_comes_back_in_its_size(
    engine: Engine, astronaut: Pixels, size: tuple[int, int]
) -> None:
    meshed = under_mesh(np.asarray(cv2.resize(astronaut, size), np.uint8))
    before = meshed.copy()
    result = engine.descreen(meshed)
    assert result.image.shape == meshed.shape
    assert result.image.dtype == np.uint8
    assert 0 <= result.mesh_score <= 1
    assert result.changed == (not np.array_equal(result.image, before))
    assert np.array_equal(meshed, before), "the caller's picture was written to"


def test_pixels_far_from_the_lines_stay_exactly(engine: Engine, astronaut: Pixels) -> None:
    clean = portrait(astronaut)
    meshed, cover = meshes.printed(clean, LIKE_THE_REAL_ONE)
    result = engine.descreen(meshed)
    far = cv2.dilate((cover > 0).astype(np.uint8), np.ones((13, 13), np.uint8)) == 0
    same = (result.image == clean).all(2)[far]
    assert same.mean() > 0.8


@pytest.mark.parametrize("size", [(608, 496), (600, 500), (599, 497), (593, 511)])
def test_tiles_meet_without_seams(astronaut: Pixels, size: tuple[int, int]) -> None:
    entry = read_pack().entry("descreen")
    runtime = Runtime(["cpu"])
    network = runtime.load(entry.read(), entry.role)
    settings = dict(entry.settings)
    meshed = under_mesh(np.asarray(cv2.resize(astronaut, size), np.uint8))
    whole = Descreener(network, {**settings, "tile": 608}, runtime).descreen(meshed).image
    tile = 176 + 2 * int(settings["margin"])  # 12 parts
    small = {**settings, "tile": tile, "line": 1000.0}
    tiled = Descreener(network, small, runtime).descreen(meshed).image
    difference = np.abs(whole.astype(int) - tiled).max(2)
    assert np.percentile(difference, 99.5) <= 3


@pytest.mark.parametrize(("large", "looks"), [(500 * 600, 2), (500 * 600 - 1, 1)])
def test_large_pictures_get_one_look(
    astronaut: Pixels, monkeypatch: pytest.MonkeyPatch, large: int, looks: int
) -> None:
    """What is large is made smaller here, for the time that it takes."""
    monkeypatch.setattr(descreen, "LARGE", large)
    entry = read_pack().entry("descreen")
    runtime = Runtime(["cpu"])
    network = runtime.load(entry.read(), entry.role)
    clean = np.asarray(cv2.resize(astronaut, (600, 500)), np.uint8)
    meshed = under_mesh(clean)
    settings = {**entry.settings, "tile": 512, "line": 1000.0}  # 2 x 2 parts
    result = Descreener(network, settings, runtime).descreen(meshed)
    assert network.runs == len(descreen.LOOKS) + looks * 4
    assert quality(result.image, clean) > quality(meshed, clean) + 4


def test_a_network_that_does_not_clamp(engine: Engine, astronaut: Pixels) -> None:
    """Twice as light as it is made: what is beyond white is white."""
    entry = read_pack().entry("descreen")
    model = onnx.load_from_string(entry.read())
    (last,) = (node for node in model.graph.node if "clean" in node.output)
    last.output[0] = "clamped"
    model.graph.node.append(onnx.helper.make_node("Add", ["clamped", "clamped"], ["clean"]))
    runtime = Runtime(["cpu"])
    network = runtime.load(model.SerializeToString(), entry.role, integers=True)
    meshed = under_mesh(portrait(astronaut))
    usual = engine.descreen(meshed).image
    light = Descreener(network, entry.settings, runtime).descreen(meshed).image
    assert light.max() == 255 and (light >= usual).all()


@pytest.mark.parametrize(("size", "looks"), [((178, 220), 2), ((120, 148), 4), ((120, 700), 2)])
def test_thumbnails_are_looked_at_enlarged_too(
    engine: Engine, astronaut: Pixels, size: tuple[int, int], looks: int
) -> None:
    """A strip that is larger than a tile is none, however narrow."""
    picture = np.asarray(cv2.resize(portrait(astronaut), size), np.uint8)
    runs = engine.info()["networks"]["descreen"]["runs"]
    assert not engine.descreen(picture).changed
    assert engine.info()["networks"]["descreen"]["runs"] == runs + looks


def test_threads_give_the_same_pixels(engine: Engine, astronaut: Pixels) -> None:
    pictures = [under_mesh(portrait(astronaut), seed=seed) for seed in range(8)]
    alone = [engine.descreen(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(engine.descreen, pictures))
    for one, other in zip(alone, together, strict=True):
        assert one.mesh_score == other.mesh_score
        assert np.array_equal(one.image, other.image)


def test_a_meshed_id_photo_compares_like_the_plain_one(engine: Engine, astronaut: Pixels) -> None:
    clean = portrait(astronaut)
    meshed = under_mesh(clean, inks=in_ink(opacity=0.9))
    plain = engine.compare(clean, meshed).cosine
    cleaned = engine.compare(clean, meshed, id_photo=(False, True)).cosine
    assert cleaned > plain + 0.05


def test_the_one_real_meshed_portrait_known(engine: Engine, shared: Path) -> None:
    figure = cv2.imread(str(shared / "mesh" / "real_meshed_portrait_screenshot.png"))
    assert figure is not None
    result = engine.descreen(np.asarray(figure[23:336, 34:287], np.uint8))
    assert result.changed
