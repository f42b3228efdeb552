"""Drawn meshes: what each of their parameters does to a photo."""

from dataclasses import replace

import numpy as np
import pytest
from descreen_example import LIKE_THE_REAL_ONE
from mesh import FAMILIES, TRAIN_FAMILIES, Ink, Mesh, printed
from mesh_sampling import sample, varied

WHITE = np.full((220, 178, 3), 255, np.uint8)
EVEN = replace(LIKE_THE_REAL_ONE, unevenness=0.0, softness=0.0)


def covered(mesh: Mesh) -> float:
    """The share of the picture under lines."""
    return float((printed(WHITE, mesh)[1] > 0.1).mean())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_lies_over_the_whole_photo(family: str) -> None:
    for seed in range(4):
        meshed, cover = printed(WHITE, replace(EVEN, family=family, seed=seed))
        assert meshed.dtype == np.uint8 and cover.dtype == np.float32
        assert (meshed.min(2) < 255)[cover > 0.1].all() and (meshed[cover == 0] == 255).all()
        assert 0.02 < (cover > 0.1).mean() < 0.6
        quarters = [q for half in np.array_split(cover, 2) for q in np.array_split(half, 2, axis=1)]
        assert all((q > 0.1).mean() > 0.01 for q in quarters)


def test_one_seed_one_mesh() -> None:
    assert np.array_equal(printed(WHITE, EVEN)[0], printed(WHITE, EVEN)[0])
    assert not np.array_equal(printed(WHITE, EVEN)[0], printed(WHITE, replace(EVEN, seed=1))[0])


@pytest.mark.parametrize("gap", [0.2, 0.5])
def test_dashes_leave_their_gaps(gap: float) -> None:
    """But for their round ends, which reach into these, and where lines cross."""
    broken = replace(EVEN, dash=40.0, gap=gap)
    left = covered(broken) / covered(EVEN)
    assert 1 - gap < left < 1 - gap + 0.15
    dots = covered(replace(EVEN, dash=10.0, gap=1.0)) / covered(EVEN)
    assert 0.1 < dots < 0.5


def test_two_inks_draw_every_other_line() -> None:
    red, green = Ink((0.0, 0.0, 255.0), 1.0), Ink((0.0, 255.0, 0.0), 1.0)
    for family in ("single_waves", "mirrored_waves"):  # of one layer, of two
        meshed = printed(WHITE, replace(EVEN, family=family, inks=(red, green)))[0]
        shares = [(meshed == ink.colour).all(2).mean() for ink in (red, green)]
        assert min(shares) > 0.02 and 0.4 < shares[0] / shares[1] < 2.5


def test_ink_darkens_and_paint_covers() -> None:
    grey = np.full_like(WHITE, 100)
    for multiply, found in ((True, 78), (False, 200)):  # 100 x 200 / 255
        inks = (Ink((200.0, 200.0, 200.0), 1.0, multiply),)
        meshed, cover = printed(grey, replace(EVEN, inks=inks))
        assert set(np.unique(meshed[cover == 1])) == {found}


def test_a_mesh_on_a_part_and_within_an_outline() -> None:
    bare = set()
    for seed in range(20):
        cover = printed(WHITE, replace(EVEN, part=0.5, seed=seed))[1] > 0
        halves = [half for axis in (0, 1) for half in np.array_split(cover, 2, axis=axis)]
        (side,) = (number for number, half in enumerate(halves) if not half.any())
        bare.add(side)
    assert bare == {0, 1, 2, 3}
    within = np.zeros((220, 178), np.float32)
    within[:100] = 1
    confined = printed(WHITE, EVEN, within)[1]
    assert confined[:100].any() and not confined[100:].any()


def test_a_coarse_bitmap_has_coarse_edges() -> None:
    """Its pixels are of the size asked for, here three by three of the picture's: those in the
    middle of one have its value, the rest are between two."""
    coarse = printed(WHITE[:219, :177], replace(EVEN, width=6.0, grain=3.0))[1]
    assert len(np.unique(coarse[1::3, 1::3])) == 2 < len(np.unique(coarse))


def test_sampled_meshes_keep_to_their_families_and_most_parameters() -> None:
    rng = np.random.default_rng(0)
    meshes = [sample(rng, 178) for _ in range(300)]
    assert {mesh.family for mesh in meshes} == set(TRAIN_FAMILIES)
    assert all(len(mesh.inks) == 1 and not mesh.dash and mesh.part == 1 for mesh in meshes)
    changed = [varied(rng, mesh) for mesh in meshes]
    assert [mesh.family for mesh in changed] == [mesh.family for mesh in meshes]
    shares = {
        "two inks": np.mean([len(mesh.inks) == 2 for mesh in changed]),
        "broken": np.mean([mesh.dash > 0 for mesh in changed]),
        "coarse": np.mean([mesh.grain > 0 for mesh in changed]),
        "on a part": np.mean([mesh.part < 1 for mesh in changed]),
        "as before": np.mean([a == b for a, b in zip(meshes, changed, strict=True)]),
    }
    assert all(0.02 < share < 0.4 for share in shares.values()), shares


@pytest.mark.parametrize("size", [(33, 40), (128, 112), (220, 178)])
def test_varied_meshes_on_pictures_of_any_size(size: tuple[int, int]) -> None:
    white = np.full((*size, 3), 255, np.uint8)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        meshed, cover = printed(white, varied(rng, sample(rng, min(size))))
        assert meshed.shape == white.shape and cover.shape == size
        assert np.isfinite(cover).all() and cover.min() >= 0 and cover.max() <= 1
        assert (meshed[cover == 0] == 255).all()


def test_any_mesh_can_be_varied() -> None:
    """Those included whose lines are as near to each other as sample() puts them."""
    narrow, rng = replace(EVEN, width=4.4, spacing=40.0), np.random.default_rng(0)
    seen = [varied(rng, narrow) for _ in range(5000)]
    assert all(mesh.spacing / mesh.width > 2 for mesh in seen)
    assert all(mesh.gap * mesh.dash > mesh.width for mesh in seen if mesh.dash)
