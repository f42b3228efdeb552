"""The simulated captures that liveness is trained and calibrated on."""

from typing import Any

import numpy as np
import pytest
from presentations import SPECIES, TIGHT, WIDE, Portrait, present

from engine import Engine
from engine.images import Pixels, load


@pytest.fixture(scope="module")
def portrait(engine: Engine, astronaut: Pixels) -> Portrait:
    return Portrait(astronaut, engine.detect(astronaut, max_faces=1)[0].box)


def captured(portrait: Portrait, species: str, widths: Any, seed: int = 1) -> Any:
    rng = np.random.default_rng(seed)
    return present(rng, portrait, species, portrait.pixels[::-1], widths)


@pytest.mark.parametrize("species", SPECIES)
@pytest.mark.parametrize("widths", [TIGHT, WIDE])
def test_the_face_is_where_it_is_said_to_be(
    engine: Engine, portrait: Portrait, species: str, widths: tuple[float, float]
) -> None:
    overlaps = []
    for seed in range(6):
        data, (x, y, width, height) = captured(portrait, species, widths, seed)
        picture = load(data)
        rows, columns = picture.shape[:2]
        faces = engine.detect(picture, max_faces=1)
        if faces:
            left, top, wide, high = faces[0].box
            centre = (left + wide / 2) / columns, (top + high / 2) / rows
            overlaps.append(x < centre[0] < x + width and y < centre[1] < y + height)
    assert len(overlaps) >= 4 and all(overlaps)


@pytest.mark.parametrize("species", SPECIES)
def test_one_seed_makes_one_capture(portrait: Portrait, species: str) -> None:
    first, again = captured(portrait, species, TIGHT), captured(portrait, species, TIGHT)
    assert first == again
    assert first != captured(portrait, species, TIGHT, seed=2)


def test_an_attack_is_not_the_live_capture(portrait: Portrait) -> None:
    assert len({captured(portrait, species, TIGHT)[0] for species in SPECIES}) == len(SPECIES)
