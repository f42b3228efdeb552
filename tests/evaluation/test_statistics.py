"""Rates and intervals against values worked out by hand or by others."""

from pathlib import Path

import numpy as np
import pytest

from engine.evaluation import plots
from engine.evaluation.intervals import Rate, middle, wilson
from engine.evaluation.lfw import folded_accuracy
from engine.evaluation.matching import Judged, average_precision
from engine.evaluation.pairs import Pairs
from engine.evaluation.photos import Photo
from engine.evaluation.statistics import ErrorRates, rounded_up
from engine.operating import trials_needed


def _sample(people: int, photos: int, rng: np.random.Generator) -> tuple[Pairs, np.ndarray]:  # type: ignore[type-arg]
    """Unit-variance scores: impostors about 0, genuine about 4."""
    taken = [Photo(Path(f"{p}/{n}.jpg"), str(p)) for p in range(people) for n in range(photos)]
    a, b = np.triu_indices(len(taken), 1)
    pairs = Pairs(taken, a, b)
    return pairs, rng.normal(4.0 * pairs.same, 1.0)


def test_pairs_needed_is_the_rule_of_thirty() -> None:
    assert trials_needed(1e-3) == 30_000 and trials_needed(1e-4) == 300_000


def test_rates_are_exact_at_any_threshold() -> None:
    pairs, scores = _sample(40, 3, np.random.default_rng(0))
    rates = ErrorRates(pairs, scores, replicates=20)
    for threshold in (-1.0, 1.5, float(scores[7]), 9.0):
        assert rates.fmr(threshold).value == np.mean(scores[~pairs.same] >= threshold)
        assert rates.fnmr(threshold).value == np.mean(scores[pairs.same] < threshold)


def test_intervals_are_of_the_threshold_itself() -> None:
    """And not of the next one on a grid: the same draws, each counted out."""
    pairs, scores = _sample(80, 3, np.random.default_rng(4))
    rates, people = ErrorRates(pairs, scores, 200, seed=5), np.array(pairs.people)
    rng = np.random.default_rng(5)
    drawn = [np.bincount(rng.integers(0, 80, 80), minlength=80) for _ in range(200)]
    of_pair = [(n[people[pairs.a]], n[people[pairs.b]]) for n in drawn]
    for threshold in (1.7, 2.0, 2.21):
        wrong = ~pairs.same & (scores >= threshold)
        shares = [float((a * b)[wrong].sum() / (a * b)[~pairs.same].sum()) for a, b in of_pair]
        assert_middle(rates.fmr(threshold), shares)
    for threshold in (3.0, 3.33):
        wrong = pairs.same & (scores < threshold)
        assert_middle(
            rates.fnmr(threshold), [a[wrong].sum() / a[pairs.same].sum() for a, _ in of_pair]
        )


def assert_middle(rate: Rate, shares: list[float]) -> None:
    """Of so many draws, or Wilson's where that is wider."""
    low, high = middle(np.array(shares), 80)
    plain = wilson(round(rate.value * rate.trials), rate.trials)
    assert rate.low == pytest.approx(min(low, plain.low))
    assert rate.high == pytest.approx(max(high, plain.high))


def test_fnmr_where_the_fmr_is() -> None:
    """Its interval is about the rate, also where the grid is coarse."""
    pairs, scores = _sample(100, 3, np.random.default_rng(6))
    rates = ErrorRates(pairs, scores)
    rate = rates.fnmr_at(0.01)
    assert rate.value == rates.fnmr(rounded_up(rates.threshold_at(0.01))).value
    assert rate.low < rate.value < rate.high


def test_a_threshold_as_a_report_gives_it_keeps_its_rate() -> None:
    """It is not the nearest number of so many decimals, which can let one pair more pass."""
    pairs, scores = _sample(100, 3, np.random.default_rng(6))
    rates = ErrorRates(pairs, scores, 0)
    for fmr in (0.01, 0.02, 0.05, 0.1):
        given = rounded_up(rates.threshold_at(fmr))
        assert rates.fmr(given).value <= fmr
        assert float(f"{given:.5f}") == given < rates.threshold_at(fmr) + 1.1e-5


def test_the_middle_of_draws_from_few_groups() -> None:
    """Hesterberg 2015: the tails of a normal at sqrt(n / (n - 1)) times Student's quantile."""
    draws = np.random.default_rng(0).normal(size=200_000)
    for groups, reach in ((1000, 1.963), (7, 2.643), (3, 5.270)):
        low, high = middle(draws, groups)
        expected = reach if groups > 3 else np.abs(draws).max()
        assert high == pytest.approx(expected, rel=0.03) and low == pytest.approx(-high, rel=0.1)
    assert middle(draws, 1).tolist() == [draws.min(), draws.max()]
    assert np.isnan(middle(np.full((3, 2), np.nan), 9)).all()


def test_threshold_is_the_lowest_that_keeps_the_rate() -> None:
    pairs, scores = _sample(60, 2, np.random.default_rng(1))
    rates = ErrorRates(pairs, scores, replicates=0)
    for fmr in (0.1, 0.01, 0.001):
        threshold = rates.threshold_at(fmr)
        assert rates.fmr(threshold).value <= fmr
        assert rates.fmr(float(np.nextafter(threshold, -np.inf))).value > fmr


def test_equal_error_rate_of_two_normals() -> None:
    """Means 4 apart with unit variance cross at 2, where both miss Phi(-2) = 2.28 %."""
    pairs, scores = _sample(150, 4, np.random.default_rng(2))
    assert ErrorRates(pairs, scores, 0).equal_error_rate() == pytest.approx(0.0228, abs=0.006)


def test_equal_error_rate_of_few_pairs() -> None:
    """Two people, told apart without an error."""
    photos = [Photo(Path(name), name[0]) for name in ("a1", "a2", "b1", "b2")]
    pairs = Pairs(photos, *np.triu_indices(4, 1))
    assert ErrorRates(pairs, np.where(pairs.same, 0.9, 0.1)).equal_error_rate() == 0


def test_failures_to_enrol_are_in_no_rate() -> None:
    pairs, scores = _sample(20, 2, np.random.default_rng(3))
    scores[:100] = np.nan
    rates = ErrorRates(pairs, scores, 10)
    assert rates.fmr(0).trials + rates.fnmr(0).trials == len(scores) - 100
    first = pairs.people[0]
    scores[(pairs.people[pairs.a] == first) | (pairs.people[pairs.b] == first)] = np.nan
    assert ErrorRates(pairs, scores, 10).people == 19
    assert ErrorRates(pairs, np.full(len(scores), np.nan)).fmr(0).trials == 0


def test_interval_knows_that_pairs_share_people() -> None:
    """Scores that belong to people, not pairs: far fewer independent trials than pairs."""
    rng = np.random.default_rng(4)
    pairs, _ = _sample(80, 1, rng)
    looks = rng.normal(size=80)
    rates = ErrorRates(pairs, looks[pairs.a] + looks[pairs.b], 200)
    rate = rates.fmr(rates.threshold_at(0.05))
    plain = wilson(round(rate.value * rate.trials), rate.trials)
    assert rate.low < rate.value < rate.high
    assert rate.high - rate.low > 1.5 * (plain.high - plain.low)
    low, high = rates.bands()[0]
    assert (low <= high).all()


def test_few_errors_say_little_of_pairs_that_share_people() -> None:
    """Of 30 people, three of whom are like everybody: a threshold above all scores of the others
    has no error, and what that tells of the rate is far less than 435 independent pairs would."""
    people = [Photo(Path(f"{p}.jpg"), str(p)) for p in range(30)]
    a, b = np.triu_indices(30, 1)
    scores = np.random.default_rng(0).normal(size=len(a)) + 2 * np.isin(a, (0, 1, 2))
    rates = ErrorRates(Pairs(people, a, b), scores)
    none = rates.fmr(float(scores.max()) + 1)
    assert none.value == none.low == 0 and none.trials == 435
    assert 2 * wilson(0, 435).high < none.high < wilson(0, 15).high
    one = rates.fmr(float(scores.max()))
    assert one.value == 1 / 435 and one.high > none.high


def test_genuine_pairs_of_two_people_are_two() -> None:
    """However many pairs they have, and however many strangers there are."""
    people = [*range(60), *[0] * 19, *[1] * 19]
    photos = [Photo(Path(f"{number}.jpg"), str(p)) for number, p in enumerate(people)]
    pairs = Pairs(photos, *np.triu_indices(98, 1))
    rate = ErrorRates(pairs, np.zeros(len(pairs)), 200).fnmr(1)
    assert rate.value == 1 and rate.trials == 380 and rate.low <= wilson(2, 2).low


def test_few_pairs_without_an_error_say_little_too() -> None:
    """All errors but one tell as little as one error."""
    people = [Photo(Path(f"{p}.jpg"), str(p)) for p in range(30)]
    a, b = np.triu_indices(30, 1)
    scores = np.random.default_rng(0).normal(size=len(a)) + 2 * np.isin(a, (0, 1, 2))
    one, most = (ErrorRates(Pairs(people, a, b), sign * scores) for sign in (1, -1))
    few, many = one.fmr(float(scores.max())), most.fmr(float(np.nextafter(-scores.max(), 9)))
    assert many.value == 1 - few.value == 434 / 435
    assert 1 - many.low > 2 * (1 - wilson(434, 435).low)


def test_folded_accuracy() -> None:
    same = np.tile([True, False], 50)
    fold = np.repeat(np.arange(10), 10)
    assert folded_accuracy(np.where(same, 0.9, 0.1), same, fold) == (1.0, 0.0)
    assert folded_accuracy(np.where(same, 0.1, 0.9), same, fold)[0] <= 0.5
    missing = np.where(same, 0.9, 0.1)
    missing[:10] = np.nan
    mean, error = folded_accuracy(missing, same, fold)
    assert mean == pytest.approx(0.9) and error == pytest.approx(0.1)
    missing[~same] = np.nan  # every fold is cut below all of its scores, and they are genuine
    assert folded_accuracy(missing, same, fold)[0] == pytest.approx(0.45)


def test_a_draw_without_such_a_pair_is_no_evidence() -> None:
    """Of two people every other draw is one person twice, and then holds no impostor pair."""
    pairs, scores = _sample(2, 12, np.random.default_rng(5))
    rates = ErrorRates(pairs, np.where(pairs.same, scores, np.minimum(scores, 1.0)))
    rate = rates.fmr(0.9)
    two = wilson(2 * rate.value, 2)
    assert (rate.low, rate.high) == (two.low, two.high) and rate.trials == 144
    assert not np.isnan(rates.bands()).any() and rates.fmr(0.9).low > 0


def test_average_precision_of_equal_scores_does_not_depend_on_their_order() -> None:
    hits = [(0.9, True), (0.9, False), (0.5, True), (0.5, False)]
    for order in (hits, hits[::-1]):
        assert average_precision(Judged(order, [], [True] * 4, [], 0))[0] == 0.25
    assert average_precision(Judged([], [], [False], [], 0))[0] == 0


def test_logarithmic_axes_have_numbers_that_can_be_read() -> None:
    pairs, scores = _sample(30, 3, np.random.default_rng(0))
    rates = {"engine": (ErrorRates(pairs, scores), 2.0)}
    histogram = plots.histogram("scores", "score", {"all": scores}, 2.0)
    for figure in (plots.det(rates), plots.roc(rates), histogram):
        figure.canvas.draw()
        (axes,) = figure.axes
        ticks = [
            label.get_text() for axis in (axes.xaxis, axes.yaxis) for label in axis.get_ticklabels()
        ]
        assert "0.01" in ticks and not any("$" in tick for tick in ticks)
