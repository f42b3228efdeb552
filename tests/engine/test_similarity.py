"""The similarity scale, its operating points, and the quality beside it."""

import math
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from packs_edited import edit

from engine import Engine, EngineError, WeightsError
from engine.images import Pixels
from engine.operating import trials_needed
from engine.packs import read_pack
from engine.quality import estimate_pose
from engine.similarity import THRESHOLD, SimilarityScale

MANIFEST = read_pack().similarity
SCALE = SimilarityScale(MANIFEST)


def test_scale_runs_from_zero_to_one_without_a_step_back() -> None:
    assert SCALE(-1) == 0 and SCALE(1) == 1
    assert SCALE(-1.0000001) == 0 and SCALE(1.0000001) == 1
    cosines = np.linspace(-1, 1, 200_001)
    assert (np.diff(SCALE.of(cosines)) > 0).all()


def test_scale_is_smooth() -> None:
    values = SCALE.of(np.linspace(-1, 1, 2001))
    slopes = np.diff(values) * 1000
    assert np.abs(np.diff(slopes)).max() < 0.05 * slopes.max()


def test_operating_point_reads_as_the_published_threshold() -> None:
    assert SCALE.threshold == THRESHOLD == 0.497
    assert SCALE(MANIFEST["cosine"]) == pytest.approx(0.497, abs=1e-12)


@pytest.mark.parametrize("fmr", [None, 0.01, 2e-4])
def test_doubt_reaches_beyond_every_threshold_whichever_is_chosen(fmr: float | None) -> None:
    scale = SimilarityScale(MANIFEST, fmr)
    low, high = (MANIFEST["matched"][row]["cosine"] for row in (0, -1))
    assert scale.is_doubtful(low - 0.099) and scale.is_doubtful(high + 0.099)
    assert not scale.is_doubtful(low - 0.101) and not scale.is_doubtful(high + 0.101)


def test_a_scale_without_a_table_doubts_around_its_one_threshold() -> None:
    scale = SimilarityScale({"cosine": 0.3, "steepness": 16.0})
    assert scale.is_doubtful(0.201) and scale.is_doubtful(0.399)
    assert not scale.is_doubtful(0.199) and not scale.is_doubtful(0.401)


def test_a_steep_scale_may_round_a_threshold_to_one() -> None:
    row = {"fmr": 1e-4, "similarity": 1.0, "pairs": 300_000}
    scale = SimilarityScale({"cosine": 0.45, "steepness": 80.0, "matched": [row]})
    assert scale.is_doubtful(0.9) and not scale.is_doubtful(0.3)


@pytest.mark.parametrize("key", ["matched", "random"])
def test_manifest_states_what_each_threshold_rests_on(key: str) -> None:
    table = MANIFEST[key]
    for row in table:
        assert row["fmr_low"] <= row["fmr"] <= row["fmr_high"]
        assert row["pairs"] >= trials_needed(row["fmr"])
        assert row["pairs"] <= row["people"] * (row["people"] - 1) / 2
        assert 0 <= row["similarity"] - SCALE(row["cosine"]) + 1e-9 < 1e-3
        assert row["similarity"] == round(row["similarity"], 3)  # as a service states it
    assert [row["fmr"] for row in table] == sorted((r["fmr"] for r in table), reverse=True)
    assert [row["similarity"] for row in table] == sorted(row["similarity"] for row in table)
    assert table[0]["fmr"] == 0.01 and table[-1]["fmr"] <= 2e-4


def test_other_false_match_rates_come_from_the_table(astronaut: Pixels, hanks: Pixels) -> None:
    reference = {row["fmr"]: row["similarity"] for row in MANIFEST["matched"]}
    assert reference[1e-3] == 0.497
    with Engine(providers=["cpu"], fmr=2e-4) as strict, Engine(providers=["cpu"]) as usual:
        one, other = strict.compare(astronaut, hanks), usual.compare(astronaut, hanks)
    assert one.threshold == reference[2e-4] > other.threshold == 0.497
    assert one.similarity == other.similarity


def test_a_similarity_at_the_threshold_is_a_match(
    engine: Engine, pack: Path, astronaut: Pixels
) -> None:
    small = cv2.resize(astronaut[:300, 80:380], (44, 44), interpolation=cv2.INTER_AREA)
    found = engine.compare(astronaut, small).similarity
    before = "0.234"
    for threshold, is_match in ((found, True), (math.nextafter(found, 1), False)):
        written = repr(threshold)
        edit(
            pack,
            f"{{ fmr = 0.01, similarity = {before},",
            f"{{ fmr = 0.01, similarity = {written},",
        )
        before = written
        with Engine(pack, ["cpu"], fmr=0.01) as own:
            result = own.compare(astronaut, small)
        assert (result.similarity, result.threshold) == (found, threshold)
        assert result.is_match == is_match


@pytest.mark.parametrize("name", ["fmr", "bpcer", "liveness_threshold"])
def test_a_rate_that_is_no_number(name: str) -> None:
    with pytest.raises(EngineError, match=f"{name} must be a number, not '0.001'") as caught:
        Engine(**{name: "0.001"})  # type: ignore[arg-type]
    assert caught.type is EngineError


def test_a_flag_is_no_number_and_words_are_no_flag() -> None:
    with pytest.raises(EngineError, match="liveness_threshold must be a number, not True"):
        Engine(liveness_threshold=True)
    with pytest.raises(EngineError, match="batching is True, False or None, not 'no'"):
        Engine(batching="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["fmr", "bpcer"])
@pytest.mark.parametrize("rate", [0, 1, -0.1, 5e-324, math.nan])
def test_what_is_no_rate(name: str, rate: float) -> None:
    with pytest.raises(EngineError, match=f"{name} must be a rate between 0 and 1, not ") as caught:
        Engine(**{name: rate})  # type: ignore[arg-type]
    assert caught.type is EngineError


def test_a_rate_in_another_type_of_numbers() -> None:
    with pytest.raises(WeightsError, match=r"no false match rate of 0\.333333; it has"):
        Engine(fmr=Fraction(1, 3))  # type: ignore[arg-type]
    with Engine(providers=["cpu"], fmr=Fraction(1, 100)) as engine:  # type: ignore[arg-type]
        assert engine.info()["pack"]["name"] == "default"


def test_what_the_sample_cannot_support_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"1e-06 takes 30,000,000 pairs .* calibrated on 20\d,"):
        Engine(fmr=1e-6)
    with pytest.raises(WeightsError, match=r"no false match rate of 0\.00101; it has .*0\.002, 0"):
        Engine(fmr=0.00101)
    with pytest.raises(WeightsError, match=r"no false match rate of 0\.003; it has .*0\.002, 0"):
        Engine(fmr=0.003)
    with pytest.raises(WeightsError, match="no table of false match rates"):
        SimilarityScale({"cosine": 0.4, "steepness": 12}, 1e-3)


def test_quality_tells_small_and_blurred(engine: Engine, astronaut: Pixels) -> None:
    blurred = cv2.GaussianBlur(astronaut, (0, 0), 3)
    small = cv2.resize(astronaut, (128, 128), interpolation=cv2.INTER_AREA)
    sharp, soft = engine.compare(astronaut, blurred).quality
    (face,) = engine.detect(astronaut, 1)
    assert sharp.size == min(face.box[2:])
    assert sharp.sharpness > 3 * soft.sharpness
    assert sharp.size == pytest.approx(soft.size, rel=0.05)
    dark = cv2.convertScaleAbs(astronaut, alpha=0.5)
    tiny, dim = engine.compare(small, dark).quality
    assert tiny.size == pytest.approx(sharp.size / 4, rel=0.2)
    assert tiny.sharpness < 0.8 * sharp.sharpness
    assert dim.sharpness == pytest.approx(sharp.sharpness, rel=0.25)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(0, 0, 0), (30, 0, 0), (-25, 0, 40), (0, 20, -30)]
)
def test_pose_of_a_turned_head(yaw: float, pitch: float, roll: float) -> None:
    head = np.array(
        [[-19, -17, 0], [19, -17, 0], [0, 4, 19], [-16.5, 20, 2.3], [16.5, 20, 2.3]], np.float64
    )
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    spin = np.array([[np.cos(r), -np.sin(r)], [np.sin(r), np.cos(r)]])
    seen = (head @ (nod @ turn).T)[:, :2] @ spin.T * 2 + 100
    pose = estimate_pose(seen.astype(np.float32))
    assert pose.yaw == pytest.approx(yaw, abs=6) and pose.pitch == pytest.approx(pitch, abs=6)


def test_a_mirrored_picture_turns_the_other_way(engine: Engine, group: Pixels) -> None:
    """Of the six faces of the group; landmarks of a mirrored face differ by a few degrees."""
    mirrored = np.ascontiguousarray(group[:, ::-1])
    faces, others = engine.detect(group), engine.detect(mirrored)
    yaws = {round(face.box[0]): estimate_pose(face.landmarks).yaw for face in faces}
    for face in others:
        left = group.shape[1] - face.box[0] - face.box[2]
        nearest = min(yaws, key=lambda x: abs(x - left))
        assert estimate_pose(face.landmarks).yaw == pytest.approx(-yaws[nearest], abs=16)
