"""Liveness: score, probability and decision agree; two networks; thresholds."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from packs_edited import with_liveness

from engine import Engine, EngineError, WeightsError, packs
from engine.images import Pixels
from engine.networks import Networks
from engine.operating import trials_needed
from engine.runtime import Runtime

FUSED = "least_crop = 2.0\ntexture_slope = 0.2\ncontext_slope = 0.5\nintercept = -0.25\n"
TABLE = (
    "bpcer = [{ bpcer = 0.05, threshold = -11.0, captures = 700 },\n"
    "         { bpcer = 0.2, threshold = 11.5, captures = 700 }]\n"
)


@pytest.fixture
def pack(tmp_path: Path) -> Callable[..., Path]:
    return partial(with_liveness, tmp_path / "pack")


def test_score_probability_and_decision_agree(engine: Engine, astronaut: Pixels) -> None:
    result = engine.liveness(astronaut)
    assert -12 <= result.score <= 12
    assert result.probability == pytest.approx(1 / (1 + math.exp(-result.score)))
    assert np.allclose(result.face.box, engine.detect(astronaut, 1)[0].box)
    assert result.assessable and result.reason is None


def test_a_portrait_is_more_alive_than_its_photo_of_a_photo(
    engine: Engine, astronaut: Pixels
) -> None:
    small = cv2.resize(astronaut, (300, 300), interpolation=cv2.INTER_AREA)
    print_ = np.full((640, 640, 3), (70, 90, 110), np.uint8)
    print_[170:470, 170:470] = cv2.GaussianBlur(cv2.convertScaleAbs(small, alpha=0.8), (0, 0), 1.5)
    live, spoof = engine.liveness(astronaut), engine.liveness(print_)
    assert live.is_alive and live.probability > 0.5
    assert spoof.score < live.score


def test_two_networks_where_the_picture_shows_enough(
    pack: Callable[..., Path], astronaut: Pixels
) -> None:
    """The wide crop joins in when it fits; in a tight one the texture decides, on its own scale."""
    folder = pack(wide=FUSED)
    tight = np.ascontiguousarray(astronaut[40:200, 150:300])
    networks = Networks(packs.read_pack(folder), Runtime(["cpu"]))
    with Engine(folder, ["cpu"]) as engine:
        assert set(engine.info()["networks"]) >= {"liveness", "liveness_context"}
        whole, part = engine.liveness(astronaut), engine.liveness(tight)
    assert whole.context and not part.context
    both = networks.liveness.evidence(astronaut, whole.face)
    assert both.context is not None and both.context != both.texture
    assert whole.score == pytest.approx(-0.25 + 0.2 * both.texture + 0.5 * both.context, abs=1e-6)
    alone = networks.liveness.evidence(tight, part.face)
    assert alone.context is None
    assert part.score == pytest.approx(0.1 + 0.3 * alone.texture, abs=1e-6)


def test_a_picture_that_just_shows_enough(pack: Callable[..., Path], astronaut: Pixels) -> None:
    """The crop of the context, 2.7 times the face, fits: no more of it is asked for."""
    with Engine(pack(wide=FUSED.replace("2.0", "2.7")), ["cpu"]) as engine:
        assert engine.liveness(astronaut).context


@pytest.mark.parametrize("odds", [-100, 100])
def test_a_score_has_its_ends(pack: Callable[..., Path], astronaut: Pixels, odds: int) -> None:
    with Engine(pack(wide=FUSED.replace("-0.25", str(odds))), ["cpu"]) as engine:
        result = engine.liveness(astronaut)
    assert result.score == math.copysign(12, odds)
    assert result.is_alive == (odds > 0)
    assert 0 < result.probability < 1


def test_a_score_at_the_threshold_is_not_alive(
    pack: Callable[..., Path], astronaut: Pixels
) -> None:
    with Engine(pack(), ["cpu"]) as engine:
        score = engine.liveness(astronaut).score
    for threshold, is_alive in ((score, False), (math.nextafter(score, -12), True)):
        row = f"{{ bpcer = 0.05, threshold = {threshold!r}, captures = 700 }}"
        with Engine(pack(f"bpcer = [{row}]\n"), ["cpu"], bpcer=0.05) as engine:
            result = engine.liveness(astronaut)
        assert (result.score, result.threshold, result.is_alive) == (score, threshold, is_alive)


def test_one_network_alone_is_enough(pack: Callable[..., Path], astronaut: Pixels) -> None:
    with Engine(pack(), ["cpu"]) as engine:
        result = engine.liveness(astronaut)
        assert not result.context and "liveness_context" not in engine.info()["networks"]


def test_a_borrowed_context_network_comes_with_its_texture_network_only(
    pack: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = pack(wide=FUSED).rename(tmp_path / "base")
    text = (base / "pack.toml").read_text().replace('extends = "default"', 'name = "base"')
    (base / "pack.toml").write_text(text)
    own = pack()
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "pack.toml").write_text('[pack]\nextends = "default"\n')
    monkeypatch.setattr(packs, "DEFAULT_PACK", base)
    assert set(packs.read_pack(empty).entries) == {"liveness", "liveness_context"}
    assert set(packs.read_pack(own).entries) == {"liveness"}


@pytest.mark.parametrize("settings", ['border = "shift"', 'border = "reflect"', 'border = "black"'])
def test_channels_and_borders_are_settings(
    pack: Callable[..., Path], astronaut: Pixels, settings: str
) -> None:
    """The network reads BGR; told that it reads RGB, it sees another picture."""
    with Engine(pack(settings + "\n"), ["cpu"]) as engine:
        usual = engine.liveness(astronaut).score
    with Engine(pack(settings + '\nchannels = "RGB"\n'), ["cpu"]) as engine:
        mirrored = np.ascontiguousarray(astronaut[..., ::-1])
        face = engine.liveness(astronaut)
        assert face.score != pytest.approx(usual, abs=1e-3)
        judge = Networks(packs.read_pack(pack(settings + '\nchannels = "RGB"\n')), Runtime(["cpu"]))
        assert judge.liveness.judge(mirrored, face.face).score == pytest.approx(usual, abs=1e-5)


@pytest.mark.parametrize(
    ("tight", "wide", "message"),
    [
        ('border = "wrap"\n', None, "border is shift, reflect or black"),
        ("", "least_crop = 2.0\n", r"\[liveness_context\]: texture_slope is missing"),
        ("[liveness.gate]\nmost_charm = 3\n", None, "most_charm"),
    ],
)
def test_wrong_settings_are_explained(
    pack: Callable[..., Path], tight: str, wide: str | None, message: str
) -> None:
    with pytest.raises(WeightsError, match=message):
        Engine(pack(tight, wide))


def test_other_operating_points_come_from_the_table(
    pack: Callable[..., Path], astronaut: Pixels
) -> None:
    folder = pack(TABLE)
    answers = []
    for bpcer in (None, 0.05, 0.2):
        with Engine(folder, ["cpu"], bpcer=bpcer) as engine:
            answers.append(engine.liveness(astronaut))
    assert [answer.is_alive for answer in answers] == [True, True, False]
    assert len({answer.score for answer in answers}) == 1


def test_a_threshold_of_one_s_own(pack: Callable[..., Path], astronaut: Pixels) -> None:
    with Engine(pack(), ["cpu"]) as usual:
        score = usual.liveness(astronaut).score
    for above, alive in ((score - 0.1, True), (score, False)):
        with Engine(pack(), ["cpu"], liveness_threshold=above) as engine:
            found = engine.liveness(astronaut)
        assert (found.threshold, found.is_alive, found.score) == (above, alive, score)


def test_a_threshold_that_cannot_be_one() -> None:
    for value in (12, 12.5, -13, math.nan):
        with pytest.raises(
            EngineError, match=r"liveness_threshold must be a score from -12 to below 12"
        ):
            Engine(liveness_threshold=value)
    with pytest.raises(EngineError, match="give bpcer or liveness_threshold, not both"):
        Engine(bpcer=0.05, liveness_threshold=0)


def test_what_the_table_does_not_hold_is_refused(pack: Callable[..., Path]) -> None:
    folder = pack(TABLE)
    with pytest.raises(WeightsError, match=r"0\.001 takes 30,000 live captures .* on 700; its low"):
        Engine(folder, bpcer=0.001)
    message = r"no BPCER of 0\.1; it has 0\.05, 0\.2 \(0\.1 takes 300 live captures\)"
    with pytest.raises(WeightsError, match=message):
        Engine(folder, bpcer=0.1)
    with pytest.raises(WeightsError, match="no table of BPCERs"):
        Engine(pack(), bpcer=0.05)


def test_the_default_pack_s_table_is_supported_and_holds_its_threshold() -> None:
    settings = packs.read_pack().entry("liveness").settings
    table = settings["bpcer"]
    for row in table:
        assert row["captures"] >= trials_needed(row["bpcer"])
    assert [r["threshold"] for r in table if r["bpcer"] == 0.05] == [settings["threshold"]]
    rising = sorted(table, key=lambda row: float(row["bpcer"]))
    assert [r["threshold"] for r in rising] == sorted(r["threshold"] for r in table)
