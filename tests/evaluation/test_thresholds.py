"""Thresholds of liveness found on a sample: by its attacks, and by its live captures alone."""

from pathlib import Path

import pytest

from engine.evaluation.answers import Answers, Verdict
from engine.evaluation.captures import LIVE, Capture
from engine.evaluation.report import Report
from engine.evaluation.thresholds import by_attacks, by_live


def test_operating_points_take_attacks_enough(capsys: pytest.CaptureFixture[str]) -> None:
    """The rule of thirty: 300 attacks for 10 %, of each species that was judged at all."""
    for count, points in ((300, {"0.1"}), (299, set()), (600, {"0.1", "0.05"})):
        kinds = [LIVE] * 10 + ["a: print"] * 600 + ["a: mask"] * count
        sample = [Capture(Path(), kind, "", "a") for kind in kinds]
        scores = [*range(600, 610), *range(600), *range(count)]
        verdicts = [Verdict(float(score), True) for score in scores]
        found = by_attacks(Report("x"), "engine", Answers(sample, verdicts, 10))
        assert set(found) == points
        assert all(one["value"] == 0 and one["threshold"] < 600 for one in found.values())
        assert ("takes 300 attacks of each kind" in capsys.readouterr().out) == (count < 300)


def test_thresholds_by_live_captures_alone() -> None:
    """Where twenty of them are enough for one in twenty, and attacks are not needed."""
    for count, shares in ((20, [0.05, 0.1, 0.2]), (19, [0.1, 0.2]), (4, [])):
        sample = [Capture(Path(), LIVE, "", "a")] * count
        verdicts = [Verdict(float(score), True) for score in range(count)]
        found = by_live(Report("x"), "engine", Answers(sample, verdicts, 10))
        assert [one["share"] for one in found] == shares
        for one in found:
            refused = sum(verdict.score <= one["threshold"] for verdict in verdicts)
            assert refused == int(one["share"] * count + 1e-9)
            assert one["bpcer"]["value"] == refused / count <= one["share"]
    tied = [Verdict(min(float(score), 10.0), True) for score in range(20)]
    found = by_live(Report("x"), "engine", Answers([sample[0]] * 20, tied, 10))
    assert [one["share"] for one in found] == [0.05, 0.1, 0.2]
    tied = [Verdict(max(float(score), 3.0), True) for score in range(20)]
    found = by_live(Report("x"), "engine", Answers([sample[0]] * 20, tied, 10))
    assert [one["share"] for one in found] == [0.2]  # no threshold refuses fewer, but for none
    close = [Verdict(score * 1e-6, True) for score in range(20)]
    (first, *_) = by_live(Report("x"), "engine", Answers([sample[0]] * 20, close, 10))
    assert sum(verdict.score <= first["threshold"] for verdict in close) == 1
    sample += [Capture(Path(), "a: print", "", "a")] * 2
    verdicts += [Verdict(1.4, False), Verdict(1.6, True)]
    sample += [Capture(Path(), LIVE, "", "a")] * 6
    verdicts += [Verdict(float(score), True) for score in range(4, 10)]
    (half,) = (
        one
        for one in by_live(Report("x"), "engine", Answers(sample, verdicts, 10))
        if one["share"] == 0.2
    )
    assert half["threshold"] == 1.5 and half["apcer"]["a: print"]["value"] == 0.5
