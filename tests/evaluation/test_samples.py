"""Reading labelled pictures, and drawing pairs from them."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from sample_files import touch

from engine.evaluation.__main__ import main
from engine.evaluation.lfw import folded_pairs, read_lfw
from engine.evaluation.pairs import all_pairs, read_table
from engine.evaluation.people import read_people
from engine.evaluation.photos import Photo, SampleError, leave_out, place, read_folder
from engine.evaluation.systems import sample_pairs


def test_folders_of_people_cohorts_and_single_photos(tmp_path: Path) -> None:
    people = read_folder(touch(tmp_path / "a", "ann/1.jpg", "ann/2.PNG", "bob/1.bmp", "bob/x.txt"))
    assert [photo.person for photo in people] == ["ann", "ann", "bob"]
    grouped = read_folder(touch(tmp_path / "b", "F/ann/1.jpg", "M/bob/1.jpg"))
    assert [(p.person, p.cohort) for p in grouped] == [("F/ann", "F"), ("M/bob", "M")]
    named = read_folder(touch(tmp_path / "f", "ann.jpg/1.jpg", "ann.jpg/._1.jpg"))
    assert [(photo.person, photo.path.name) for photo in named] == [("ann.jpg", "1.jpg")]
    single = read_folder(touch(tmp_path / "c", "AF1.jpg", "AM2.jpg"), "^[A-Z]+")
    assert [(p.person, p.cohort) for p in single] == [("AF1", "AF"), ("AM2", "AM")]
    twins = read_folder(touch(tmp_path / "e", "x.jpg", "x.png", "y.jpg"))
    assert [photo.person for photo in twins] == ["x.jpg", "x.png", "y"]
    for cohort, message in (("^[0-9]+", "matches nobody's name, such as AF1"), ("[", "no regular")):
        with pytest.raises(SampleError, match=message):
            read_folder(tmp_path / "c", cohort)
    with pytest.raises(SampleError, match="holds no pictures"):
        read_folder(touch(tmp_path / "d", "readme.txt"))


def test_a_table_says_who_is_on_which_photo(tmp_path: Path) -> None:
    """Photos may lie anywhere below the table; captures call a person the subject."""
    listing = touch(tmp_path, "a/1.jpg", "a/2.jpg", "3.jpg") / "people.csv"
    listing.write_text("Path,Person,Cohort\na/1.jpg,ann,F\na/2.jpg,bob,M\n3.jpg,ann,F\n")
    people = read_people(listing)
    assert [(p.path.name, p.person, p.cohort) for p in people] == [
        ("1.jpg", "ann", "F"),
        ("2.jpg", "bob", "M"),
        ("3.jpg", "ann", "F"),
    ]
    listing.write_text("path,label,subject\na/1.jpg,live,F1\n3.jpg,print,M1\n")
    assert [(p.person, p.cohort) for p in read_people(listing, "^[A-Z]")] == [
        ("F1", "F"),
        ("M1", "M"),
    ]
    for rows, message in (
        ("path,person\na/9.jpg,ann\n", r"people\.csv, line 2: there is no file .*9\.jpg"),
        ("path,person\na/1.jpg, \n", r"people\.csv, line 2: fill in person \(or subject\)"),
        ("path,person\n3.jpg,ann\na/../3.jpg,bob\n", r"line 3: .*3\.jpg has a row above"),
        ("path,person,cohort\n3.jpg,li,F\na/1.jpg,li,M\n", "line 3: li has another cohort above"),
        (
            "person,photo\nann,3.jpg\n",
            "must have a header with path, commas between, and rows below .* is 'person,photo'",
        ),
    ):
        listing.write_text(rows)
        with pytest.raises(SampleError, match=message):
            read_people(listing)
    listing.write_text("path,person,cohort\n3.jpg,ann,F\na/1.jpg,eve,F\n")
    with pytest.raises(SampleError, match=r"has cohorts of its own: take out --cohort"):
        read_people(listing, "^[a-z]")
    listing.rename(tmp_path / "labels.csv")
    assert [photo.person for photo in read_people(tmp_path)] == ["ann", "eve"]
    assert [p.person for p in read_people(touch(tmp_path / "b.csv", "x.jpg", "y.jpg"))] == [
        "x",
        "y",
    ]


@pytest.mark.parametrize("photo", ["ann/summer/2.jpg", "F/ann/summer/1.jpg"])
def test_folders_below_a_person_s_are_refused(tmp_path: Path, photo: str) -> None:
    touch(tmp_path, "me.jpg", "ann/1.jpg", "bob/1.jpg", photo)
    with pytest.raises(SampleError, match=f"{photo} lies below a person's folder"):
        read_folder(tmp_path)


def test_linked_folders_and_pictures_of_other_kinds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Links are people too, also where one leads back; what cannot be read is not left out
    without a word."""
    (tmp_path / "elsewhere" / "bob").mkdir(parents=True)
    (tmp_path / "elsewhere" / "bob" / "1.jpg").touch()
    photos = tmp_path / "photos"
    (photos / "ann").mkdir(parents=True)
    for name in ("1.jpg", "2.webp", "notes.txt"):
        (photos / "ann" / name).touch()
    (photos / "bob").symlink_to(tmp_path / "elsewhere" / "bob")
    (photos / "ann" / "again").symlink_to(photos)
    assert [photo.person for photo in read_folder(photos)] == ["ann", "bob"]
    assert "1 pictures are left out, such as 2.webp: convert them" in capsys.readouterr().err


def test_what_other_programs_keep_beside_pictures_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor are the contact sheets of a report, which would be counted by the next one."""
    kept = (".thumbs/a.jpg", "ann/.1.jpg", "ann/@eaDir/1.jpg", "__MACOSX/ann/1.jpg", "ann/._1.jpg")
    touch(tmp_path, "ann/1.jpg", "ann/2.jpg", "tom/1.jpg", *kept)
    touch(tmp_path / "report", "worst.jpg", "report.html", "metrics.json")
    touch(tmp_path / "report", "eve/1.jpg")  # a sample that a report was once put into
    found = [photo.path.relative_to(tmp_path).as_posix() for photo in read_people(tmp_path)]
    assert found == ["ann/1.jpg", "ann/2.jpg", "report/eve/1.jpg", "tom/1.jpg"]
    said = capsys.readouterr().err
    assert f"{tmp_path}: 5 pictures are left out, which are hidden, kept by another program" in said
    (tmp_path / "tom" / "2.jpg").symlink_to("nowhere.jpg")
    with pytest.raises(SampleError, match=r"tom/2\.jpg is a link to nothing: take it out"):
        read_people(tmp_path)
    with pytest.raises(SampleError, match="report holds a report, whose pictures would count"):
        read_people(tmp_path / "report")


def test_one_name_in_two_spellings_is_one_person(tmp_path: Path) -> None:
    """An accent may be a letter of its own (Unicode's NFD)."""
    names = unicodedata.normalize("NFC", "José"), unicodedata.normalize("NFD", "José")
    table = touch(tmp_path, "1.jpg", "2.jpg") / "people.csv"
    table.write_text(f"path,person\n1.jpg,{names[0]}\n2.jpg,{names[1]}\n", "utf-8")
    assert len({photo.person for photo in read_people(table)}) == 1
    touch(tmp_path / "folders", f"{names[0]}/1.jpg", f"{names[1]}/2.jpg")
    assert len({photo.person for photo in read_people(tmp_path / "folders")}) == 1


def test_photos_labelled_as_attacks_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They count, as a set of captures says little of people otherwise."""
    table = touch(tmp_path, "1.jpg", "2.jpg", "3.jpg") / "labels.csv"
    table.write_text("path,label,subject\n1.jpg,Live,ann\n2.jpg,print,ann\n3.jpg,mask,tom\n")
    assert len(read_people(tmp_path)) == 3
    assert capsys.readouterr().err == (
        f"{table}: 2 photos are not labelled live, but print, and count as photos of their person\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,person\n1.jpg,Smith, Ann\n", r"line 2 has more values .*\"Smith, Ann\""),
        ("path,person,person\n1.jpg,a,b\n", "has two columns person: take one out"),
        ('path,person\n1.jpg,"ann\n2.jpg,tom\n', "is no CSV: unexpected end of data"),
        ('path,person\n1.jpg,"ann\n2.jpg,tom"\n', "line 3: a quotation mark is lost above, or"),
    ],
)
def test_tables_that_would_be_misread(tmp_path: Path, text: str, message: str) -> None:
    table = touch(tmp_path, "1.jpg", "2.jpg") / "people.csv"
    table.write_text(text)
    with pytest.raises(SampleError, match=message):
        read_people(table)


def test_a_table_of_utf_16_without_its_mark(tmp_path: Path) -> None:
    table = touch(tmp_path, "1.jpg") / "people.csv"
    table.write_bytes("path,person\n1.jpg,ann\n".encode("utf-16-le"))
    with pytest.raises(
        SampleError, match=r"people\.csv is (not UTF-8: save|no CSV: line contains NUL)"
    ):
        read_people(table)


def test_listed_photos_are_left_out(tmp_path: Path) -> None:
    photos = read_folder(touch(tmp_path, "AF1.jpg", "AF2.jpg", "AF3.jpg"))
    listed = tmp_path / "out.txt"
    listed.write_text("# doubles\nAF2  # AF1, 0.98\nAF3.jpg\n")
    assert [photo.person for photo in leave_out(photos, listed)] == ["AF1"]
    assert [place(photo) for photo in photos] == ["AF1", "AF2", "AF3"]


def test_one_person_s_photo_is_left_out_of_many_with_its_name(tmp_path: Path) -> None:
    """As an editor on Windows saves the list; what a calibration names may be listed."""
    people = touch(tmp_path / "people", "F/ann/1.jpg", "F/ann/2.jpg", "F/eve/1.jpg", "F/eve/2.jpg")
    photos = read_folder(people)
    listed = tmp_path / "out.txt"
    listed.write_bytes(b"\xef\xbb\xbfF/eve/1\r\nF/ann/2.jpg\r\n")
    assert [place(photo) for photo in leave_out(photos, listed)] == ["F/ann/1", "F/eve/2"]
    listed.write_bytes(b"\xef\xbb\xbf1\r\n")
    assert [place(photo) for photo in leave_out(photos, listed)] == ["F/ann/2", "F/eve/2"]
    listed.write_bytes("Andr\xe9".encode("latin-1"))
    with pytest.raises(SampleError, match=r"out\.txt is not UTF-8: save it as that"):
        leave_out(photos, listed)


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
