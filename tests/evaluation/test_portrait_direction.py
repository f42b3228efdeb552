"""The direction that is taken out of embeddings: how it is found, and that it is gone."""

import numpy as np
import portrait_direction
import pytest

from engine import Engine
from engine.embedding import unit
from engine.evaluation.photos import SampleError
from engine.images import Pixels
from engine.packs import DEFAULT_PACK

BUILD = DEFAULT_PACK.parent / "build"


def test_one_direction_is_taken_out_of_every_embedding(
    engine: Engine, astronaut: Pixels, hanks: Pixels
) -> None:
    direction = np.loadtxt(BUILD / "portrait_direction.txt")
    assert direction @ direction == pytest.approx(1, abs=1e-3)
    for picture in (astronaut, hanks):
        assert engine.embed(picture) @ direction == pytest.approx(0, abs=1e-4)


def test_what_strangers_have_in_common_is_found_and_taken_out() -> None:
    """Whoever has most photos counts no more than the others."""
    rng = np.random.default_rng(1)
    common = np.eye(64, dtype=np.float32)[0]
    people = []
    for photos in [200] + [2] * 99:
        face = 0.7 * common + rng.normal(size=64) / 8
        people.append(unit((face + rng.normal(size=(photos, 64)) / 20).astype(np.float32)))
    found = portrait_direction.direction([people])
    assert found @ common > 0.97 and found @ found == pytest.approx(1)
    nothing, cosine = np.zeros(64, np.float32), 0.4
    assert portrait_direction.passing(people, nothing, cosine) > 0.1
    assert portrait_direction.passing(people, found, cosine) < 0.01


def test_a_cohort_too_small_for_the_rate_is_refused() -> None:
    few = {"all": unit(np.random.default_rng(1).normal(size=(100, 8)).astype(np.float32))}
    with pytest.raises(SampleError, match="--strangers takes 30,000 pairs of strangers in one"):
        portrait_direction.reached(few, np.zeros(8, np.float32))
