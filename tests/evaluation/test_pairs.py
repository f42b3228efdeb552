"""Pairs of photos: all of a sample, in folds, of LFW's lists and of tables."""

from pathlib import Path

import numpy as np
import pytest
from sample_files import touch

from engine.evaluation.__main__ import main
from engine.evaluation.lfw import folded_pairs, read_lfw
from engine.evaluation.pairs import all_pairs, read_table
from engine.evaluation.photos import Photo, SampleError
from engine.evaluation.systems import sample_pairs


def test_all_pairs_or_as_many_impostors_as_asked_for() -> None:
    photos = [Photo(Path(f"{n}.jpg"), str(n // 3)) for n in range(60)]
    every = all_pairs(photos, 10_000)
    assert len(every) == 60 * 59 // 2 and every.same.sum() == 20 * 3
    some = all_pairs(photos, 500)
    assert some.same.sum() == 60 and (~some.same).sum() == 500
    assert len({*zip(some.a.tolist(), some.b.tolist(), strict=True)}) == 560
    assert (some.a < some.b).all()
    few = all_pairs([Photo(Path(f"{n}.jpg"), str(n // 30)) for n in range(60)], 890)
    assert (~few.same).sum() == 890


def test_pairs_inside_cohorts() -> None:
    photos = [Photo(Path(f"{n}.jpg"), str(n), "FM"[n % 2]) for n in range(6)]
    cohorts = all_pairs(photos, 100).cohorts
    assert {name: int(inside.sum()) for name, inside in cohorts.items()} == {"F": 3, "M": 3}
    assert all_pairs([Photo(Path("1"), "1"), Photo(Path("2"), "2")], 9).cohorts == {}


def test_folds_share_nobody() -> None:
    photos = [Photo(Path(f"{n}.jpg"), str(n // 6)) for n in range(1500)]
    pairs = folded_pairs(photos)
    assert pairs.fold is not None and len(pairs) == 6000 and pairs.same.sum() == 3000
    people = pairs.people
    seen = [
        {*people[pairs.a[pairs.fold == n]].tolist(), *people[pairs.b[pairs.fold == n]].tolist()}
        for n in range(10)
    ]
    assert sum(map(len, seen)) == len(set.union(*seen))
    assert {*pairs.a.tolist(), *pairs.b.tolist()} == {*range(len(pairs.photos))}
    every = [photos[0], *photos]  # a photo of its own, in no pair
    assert len(all_pairs(every, 10**7).take(np.array([5, 7])).alone().photos) == 3
    with pytest.raises(SampleError, match="only"):
        folded_pairs(photos[:300])


def test_a_sample_of_folds_has_them_all_or_none() -> None:
    """An accuracy over fewer folds would not be the protocol's."""
    pairs = folded_pairs([Photo(Path(f"{n}.jpg"), str(n // 6)) for n in range(1500)])
    whole = sample_pairs(pairs, 2000, 0).fold
    assert whole is not None and {*whole.tolist()} == {*range(10)}
    assert sample_pairs(pairs, 12, 0).fold is None


def test_lfw_listing(tmp_path: Path) -> None:
    listing = tmp_path / "pairs.txt"
    listing.write_text("2\t1\nA_B\t1\t4\nA_B\t1\tC_D\t12\nC_D\t2\t3\nC_D\t2\tA_B\t4\n")
    pairs = read_lfw(tmp_path, listing)
    assert pairs.same.tolist() == [True, False, True, False]
    listing.write_text(listing.read_text(), "utf-8-sig")  # as an editor on Windows saves it
    assert read_lfw(tmp_path, listing).same.tolist() == pairs.same.tolist()
    assert pairs.fold is not None and pairs.fold.tolist() == [0, 0, 1, 1]
    assert pairs.photos[pairs.b[1]].path == tmp_path / "C_D" / "C_D_0012.jpg"
    listing.write_text("10\t300\nA_B\t1\t4\n")
    with pytest.raises(SampleError, match="promises otherwise"):
        read_lfw(tmp_path, listing)
    for other in ("", "a,b,same\nx,y,1\n", "1\nA_B\n"):
        listing.write_text(other)
        with pytest.raises(SampleError, match="not in the form of LFW's"):
            read_lfw(tmp_path, listing)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("A_B\t1\t1\nA_B\t1\tC_D\t2\n", "A_B 1 and A_B 1 is no pair of two photos of one"),
        ("A_B\t1\t2\nA_B\t1\tA_B\t2\n", "A_B 1 and A_B 2 is no pair of photos of two people"),
        ("A_B\t1\tC_D\t2\nA_B\t1\t2\n", "A_B 1 and C_D 2 is no pair of two photos of one"),
    ],
)
def test_lfw_listing_of_wrong_pairs(tmp_path: Path, rows: str, message: str) -> None:
    """Counted, they would lower the rates, or make strangers one person."""
    listing = tmp_path / "pairs.txt"
    listing.write_text("1\n" + rows)
    with pytest.raises(SampleError, match=message):
        read_lfw(tmp_path, listing)


def test_table_of_pairs(tmp_path: Path) -> None:
    """Genuine pairs make people: x, y and z are one, so x-z would be genuine as well."""
    listing = tmp_path / "pairs.csv"
    listing.write_text("a,b,same,cohort\nx.jpg,y.jpg,1,F\ny.jpg,z.jpg,1,F\nx.jpg,w.jpg,0,F\n")
    pairs = read_table(listing)
    assert pairs.same.tolist() == [True, True, False]
    assert len({photo.person for photo in pairs.photos}) == 2
    assert {photo.cohort for photo in pairs.photos} == {"F"}
    listing.write_text("a,b,same,cohort\nx.jpg,y.jpg,1,F\nv.jpg,w.jpg,0, M \nx.jpg,w.jpg,0,\n")
    cohorts = read_table(listing).cohorts
    assert {name: inside.tolist() for name, inside in cohorts.items()} == {
        "F": [True, False, False],
        "M": [False, True, False],
    }
    listing.write_text("left,right\n1,2\n")
    with pytest.raises(SampleError, match="header with a, b and same"):
        read_table(listing)


def test_every_pair_counts_once(tmp_path: Path) -> None:
    """Also in the full matrix that some programs write."""
    listing = tmp_path / "pairs.csv"
    names = "xyz"
    rows = [f"{a},./{b} ,{int((a in 'xy') == (b in 'xy'))}" for a in names for b in names]
    listing.write_text("\n".join(["A,B,Same", *rows]))
    pairs = read_table(listing)
    ends = [
        (pairs.photos[a].path.name, pairs.photos[b].path.name)
        for a, b in zip(pairs.a, pairs.b, strict=True)
    ]
    assert ends == [("x", "y"), ("x", "z"), ("y", "z")]
    assert pairs.same.tolist() == [True, False, False]
    listing.write_text("a,b,same\nx,x,1\n")
    with pytest.raises(SampleError, match="every photo is paired with itself"):
        read_table(listing)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("x,y,genuine", "line 2: same is 1 or 0, not 'genuine'"),
        ("x,y,1.0\ny,z,Yes\nx,z,0.0", "line 4: two people, whom other rows make one"),
        ("x,y,1,F\nx,z,0,M", "line 3: x is of M, and of F in another row"),
        ("x,y,1\nx", "line 3: fill in a, b and same"),
        ("x,\xe9,1", "not UTF-8"),
    ],
)
def test_tables_of_pairs_that_say_nothing_clear(tmp_path: Path, rows: str, message: str) -> None:
    listing = tmp_path / "pairs.CSV"
    listing.write_bytes(f"a,b,same,cohort\n{rows}\n".encode("latin-1"))
    with pytest.raises(SampleError, match=message):
        read_table(listing)


def test_pairs_are_those_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = touch(tmp_path, "people.csv", "pairs.csv") / "people.csv"
    command = ["verification", str(table), "--pairs", str(tmp_path / "pairs.csv")]
    assert main([*command, "--out", str(tmp_path / "out")]) == 1
    assert f"--pairs takes a folder of photos, and {table} is none" in capsys.readouterr().err
