"""How much of what a mesh costs comes back, on pairs made by hand."""

from pathlib import Path

import pytest

from engine.evaluation.intervals import Rate, wilson
from engine.evaluation.recovery import Genuine, Recovery, photographed


def pairs(*refused: tuple[int, int, int]) -> list[Genuine]:
    """One pair of a person each: refused clean, meshed, descreened."""
    return [
        Genuine(person, (0, 1), "scales", "faint", *map(bool, one))
        for person, one in enumerate(refused)
    ]


def test_the_share_of_the_loss_that_comes_back() -> None:
    """Of four that the mesh costs three come back; who is refused anyway is no loss."""
    found = Recovery.of(pairs((1, 1, 1), *[(0, 1, 0)] * 3, (0, 1, 1), *[(0, 0, 0)] * 5))
    assert (found.clean.value, found.meshed.value, found.descreened.value) == (0.1, 0.5, 0.2)
    assert found.share is not None and (found.share.value, found.share.trials) == (0.75, 4)
    assert Recovery.of(pairs((1, 1, 1), (0, 0, 1))).share is None


def test_a_few_lost_pairs_say_little_of_the_share() -> None:
    """Also where all draws agree; and where descreening costs more than the mesh did."""
    three = Recovery.of(pairs((0, 1, 0), (0, 1, 0), (0, 1, 0))).share
    assert three is not None and three.value == 1
    assert (three.low, three.high) == (wilson(3, 3).low, 1)
    worse = Recovery.of(pairs((0, 1, 1), (0, 1, 1), (0, 0, 1))).share
    assert worse is not None and worse.value == -0.5
    assert worse.low <= -0.5 and worse.high >= wilson(0, 2).high


def test_people_are_drawn_from_the_seed(people: Path) -> None:
    """All of them, in another order."""
    orders = [[photos[0].parent.name for photos in photographed(people, seed)] for seed in range(9)]
    assert all(sorted(order) == sorted(orders[0]) for order in orders)
    assert len({tuple(order) for order in orders}) > 1 and orders[0] != []


@pytest.mark.parametrize(
    ("value", "shown"), [(-4.0, "-400.00"), (-0.5, "-50.00"), (2e-5, "0.00200")]
)
def test_percentages_below_zero_have_decimals_too(value: float, shown: str) -> None:
    assert str(Rate(value, value, 0.0, 9)) == f"{shown} [{shown}, 0.00] %"
