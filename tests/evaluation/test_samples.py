"""Reading labelled pictures, from folders and from tables."""

import unicodedata
from pathlib import Path

import pytest
from sample_files import touch

from engine.evaluation.people import read_people
from engine.evaluation.photos import SampleError, leave_out, place, read_folder


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
