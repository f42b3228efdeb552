"""Rates, areas and intervals of verdicts on captures."""

import math
from pathlib import Path

import numpy as np
import pytest

from engine.evaluation.answers import Answers, Verdict
from engine.evaluation.attacks import robustness
from engine.evaluation.captures import LIVE, Capture
from engine.evaluation.intervals import wilson
from engine.evaluation.report import Report
from engine.evaluation.worst import worst


def answers(scores: list[float], species: list[str], subjects: list[str]) -> Answers:
    sample = [
        Capture(Path(f"{n}.png"), kind, subject, kind.split(":")[0] if ":" in kind else "a")
        for n, (kind, subject) in enumerate(zip(species, subjects, strict=True))
    ]
    return Answers(sample, [Verdict(score, score > 0) for score in scores], 200)


def test_areas_and_average_errors() -> None:
    one = answers([2, 1, -1, 1, -2, -3], [LIVE] * 3 + ["a: print"] * 3, [""] * 6)
    area = one.area("a: print")
    assert area.value == pytest.approx((3 + 2.5 + 2) / 9) and area.trials == 9
    assert area.low < area.value < area.high <= 1
    assert one.average_error("a: print") == pytest.approx(1 / 3)
    perfect = answers([2, 1, 1, -2, -3], [LIVE] * 3 + ["a: print"] * 2, [""] * 5).area("a: print")
    assert (perfect.value, perfect.high) == (1, 1)
    assert perfect.low == pytest.approx(wilson(2, 2).low)
    alone = answers([1.0, 2.0], ["a: print"] * 2, [""] * 2)
    assert alone.area("a: print").trials == 0 and alone.average_error("a: print") is None


def test_live_captures_of_another_set_stand_in_only_where_there_are_none() -> None:
    species = [LIVE, LIVE, "a: print", "b: replay"]
    one = answers([2, -1, -2, 1], species, [""] * 4)
    assert one.refused_beside("a: print").trials == 2
    assert one.area("b: replay").value == 0.5


def test_intervals_know_that_captures_of_one_person_err_together() -> None:
    rng = np.random.default_rng(0)
    offsets = np.repeat(rng.normal(0, 2, 6), 50)
    scores = (offsets + rng.normal(0, 0.3, 300)).tolist()
    species = ([LIVE] * 25 + ["a: print"] * 25) * 6
    known = answers(scores, species, [f"p{n // 50}" for n in range(300)])
    unknown = answers(scores, species, [""] * 300)
    wide, narrow = known.error("a: print"), unknown.error("a: print")
    assert wide.value == narrow.value
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    assert known.area("a: print").low <= unknown.area("a: print").low


def test_captures_of_nobody_known_are_a_subject_each() -> None:
    """One of them does not make strangers of all the others."""
    names = [str(number // 50) for number in range(500)]
    scores = [-1.0 if number < 50 else 1.0 for number in range(500)]
    known = answers(scores, [LIVE] * 500, names).error(LIVE)
    nearly = answers(scores, [LIVE] * 500, [*names[:-1], ""]).error(LIVE)
    assert known.value == nearly.value == 0.1
    # Ten subjects are drawn in tenths.
    assert nearly.high == pytest.approx(known.high, abs=0.101) and nearly.high > 0.2


def test_no_error_says_little_of_few_subjects() -> None:
    names = [str(number // 50) for number in range(500)]
    rates = [
        answers([1.0] * 500, [LIVE] * 500, subjects).error(LIVE)
        for subjects in (names, [""] * 500, ["0"] * 500)
    ]
    assert rates[0].high > 0.2
    assert [rate.high for rate in rates[1:]] == [wilson(0, 500).high, wilson(0, 1).high]
    assert all(rate.value == rate.low == 0 and rate.trials == 500 for rate in rates)


def test_one_person_is_not_more_certain_than_two() -> None:
    """A hundred captures of each, half of them wrong: what others would do nobody has seen."""
    scores = [1.0, -1.0] * 100
    for people in (1, 2, 4):
        subjects = [str(number % people) for number in range(200)]
        one = answers(scores, [LIVE] * 100 + ["a: print"] * 100, subjects)
        few = wilson(people / 2, people)
        for rate in (one.error("a: print"), one.error(LIVE), one.area("a: print")):
            assert rate.value == 0.5 and rate.low <= few.low and rate.high >= few.high


def test_one_error_says_no_more_than_none() -> None:
    """Of ten people with a hundred attacks each; and a perfect area is that of ten people."""
    people = [str(number // 100) for number in range(1000)]
    species = [LIVE] * 100 + ["a: print"] * 1000
    subjects = [str(number // 10) for number in range(100)] + people
    errors = []
    for wrong in (0, 1, 5):
        scores = [2.0] * 100 + [1.0] * wrong + [-1.0 - number / 1000 for number in range(1000)]
        one = answers(scores[:1100], species, subjects)
        errors.append(one.error("a: print"))
        if not wrong:
            assert one.area("a: print").low == wilson(10, 10).low
    assert [rate.value for rate in errors] == [0, 0.001, 0.005]
    assert 0.05 < errors[0].high < errors[1].high < errors[2].high


def test_what_was_not_judged_has_intervals_over_subjects() -> None:
    sample = [Capture(Path(), LIVE, str(number // 50), "a") for number in range(500)]
    verdicts = [None if number < 50 else Verdict(1.0, True) for number in range(500)]
    rate = Answers(sample, verdicts, 200).non_response(LIVE)
    assert rate.value == 0.1 and rate.high > 0.2 > wilson(50, 500).high


def test_an_apcer_of_exactly_the_limit_is_within_it() -> None:
    """One of 100 is 1 %, in floating point numbers too."""
    scores = [1.0] * 10 + [2.0] + [-1.0] * 99
    _, apcer, bpcer = answers(scores, [LIVE] * 10 + ["a: print"] * 100, [""] * 110).curve()
    assert apcer[0] <= 0.01 and bpcer[0] == 0


def test_refusals_for_other_reasons_do_not_move_the_threshold() -> None:
    sample = [Capture(Path(f"{n}.png"), LIVE, "", "a") for n in range(4)]
    verdicts = [Verdict(2.0, True), Verdict(0.0, False), Verdict(9.0, False), None]
    assert Answers(sample, verdicts, 10).threshold == 1.0
    assert Answers(sample, verdicts, 10).bound == "about"
    for alive, bound in ((True, "at most"), (False, "at least")):
        alike = [Verdict(one.score, alive) for one in verdicts if one]
        assert Answers(sample[: len(alike)], alike, 10).bound == bound


def test_what_is_no_number_was_not_judged() -> None:
    sample = [Capture(Path(), "a: print", "", "a")] * 3
    one = Answers(sample, [Verdict(math.nan, False)] * 2 + [Verdict(1.0, True)], 10, 0.0)
    assert one.error("a: print").trials == 1 and one.non_response("a: print").value == 2 / 3


def test_an_area_that_is_lost_is_positive() -> None:
    """On altered pictures one attack of two passes for live that did not before."""
    species = [LIVE, "a: print", "a: print"]
    usual, altered = (answers([1.0, high, -1.0], species, [""] * 3) for high in (0.5, 2.0))
    found = robustness(Report("x"), {"engine": usual}, {"darker": {"engine": altered}})
    assert found["engine"]["a: print"] == {"auc": 1, "lost": {"darker": 0.5}}


def test_the_worst_cases_come_first() -> None:
    """Live captures from the lowest score, attacks from the highest, without those unanswered."""
    scores = [3.0, -1.0, float("nan"), 2.0, 5.0, -4.0]
    sample = [Capture(Path(f"{n}.png"), LIVE if n < 3 else "a: print", "", "a") for n in range(6)]
    verdicts = [None if s != s else Verdict(s, s > 0, s != 5) for s in scores]
    cases = worst(Answers(sample, verdicts, 10), sample)
    assert [(label, path.stem) for label, path in cases["live"]] == [("-1.00", "1"), ("3.00", "0")]
    assert [(label, path.stem) for label, path in cases["attacks"]] == [
        ("(5.00)", "4"),
        ("2.00", "3"),
        ("-4.00", "5"),
    ]
