"""The scale and the thresholds of liveness: what is found on scores of which all is known."""

import numpy as np
import pytest
from liveness_points import Judged, fit, table, threshold_for

from engine.evaluation.photos import SampleError


def test_a_known_scale_is_found() -> None:
    rng = np.random.default_rng(1)
    evidence = rng.normal(0, 2, (20_000, 2))
    truth = np.array([0.9, -0.4, 0.7])
    live = rng.random(20_000) < 1 / (1 + np.exp(-(evidence @ truth[:2] + truth[2])))
    weight = rng.uniform(0.5, 1.5, 20_000)
    assert fit(evidence, live, weight) == pytest.approx(truth, abs=0.06)
    one = fit(evidence[:, 0], rng.random(20_000) < 1 / (1 + np.exp(-evidence[:, 0])), weight)
    assert one == pytest.approx([1, 0], abs=0.06)


def test_a_class_that_weighs_more_moves_the_intercept() -> None:
    evidence, live = np.array([-1.0, -1.0, 1.0, 1.0]), np.array([False, True, False, True])
    assert fit(evidence, live, np.ones(4)) == pytest.approx([0, 0], abs=1e-9)
    assert fit(evidence, live, np.where(live, 3.0, 1.0)) == pytest.approx([0, np.log(3)])


@pytest.mark.parametrize("gap", [0.01, 1.0, 1000.0])
def test_classes_told_apart_completely_are_refused(gap: float) -> None:
    """Otherwise the slope would be as steep as there are steps."""
    evidence = np.concatenate([np.linspace(-3, 0, 50), np.linspace(0, 3, 50) + gap])
    live = np.arange(100) >= 50
    with pytest.raises(SampleError, match="told apart completely"):
        fit(evidence, live, np.ones(100))


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(SampleError, match="both live faces and attacks"):
        fit(np.arange(4.0), np.ones(4, bool), np.ones(4))


def test_a_threshold_refuses_the_share_asked_for() -> None:
    score = np.random.default_rng(2).normal(0, 1, 2_000)
    for rate in (0.02, 0.05, 0.2):
        threshold = threshold_for(rate, score, np.ones(2_000))
        assert np.mean(score <= threshold) == pytest.approx(rate, abs=0.002)
    # The lower half has nine tenths of the weight, so a tenth of that is nine hundredths in all.
    score = np.arange(100) / 10
    weight = np.where(np.arange(100) < 50, 9.0, 1.0)
    assert threshold_for(0.089, score, weight) == 0.4
    assert threshold_for(0.89, score, weight) == 4.9
    assert threshold_for(0.5, np.array([1.23456]), np.ones(1)) == 1.234
    assert threshold_for(0.5, np.array([-1.23456]), np.ones(1)) == -1.235


def test_a_row_tells_what_it_refuses_and_passes() -> None:
    """605 live captures support refusing 5 %, and not 2 %."""
    score = np.concatenate([np.arange(605) / 100, np.linspace(-1, 1, 100)])
    live = np.arange(705) < 605
    judged = Judged(
        texture=score,
        context=np.full(705, np.nan),
        live=live,
        species=np.where(live, "live", "print"),
        source=np.full(705, "prints cn"),
        subject=(np.arange(705) % 7).astype(str),
    )
    assert judged.weights()[live].sum() == pytest.approx(judged.weights()[~live].sum())
    rows = list(table(judged, score, judged.weights()))
    assert len(rows) == 5 and rows[0] == "bpcer = [" and rows[-1] == "]"
    row = "bpcer = 0.05, threshold = 0.3, captures = 605, people = 7"
    assert rows[1] == f"  {{ {row}, apcer_prints_cn_print = 0.350 }},"
