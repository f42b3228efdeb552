"""Reading labelled pictures, and drawing pairs from them."""

from pathlib import Path

import numpy as np
import pytest

from engine.evaluation import captures, truth
from engine.evaluation.lfw import folded_pairs, read_lfw
from engine.evaluation.pairs import all_pairs, read_table
from engine.evaluation.photos import Photo, SampleError, leave_out, place, read_folder


def _touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_folders_of_people_cohorts_and_single_photos(tmp_path: Path) -> None:
    people = read_folder(_touch(tmp_path / "a", "ann/1.jpg", "ann/2.PNG", "bob/1.bmp", "bob/x.txt"))
    assert [photo.person for photo in people] == ["ann", "ann", "bob"]
    grouped = read_folder(_touch(tmp_path / "b", "F/ann/1.jpg", "M/bob/1.jpg"))
    assert [(p.person, p.cohort) for p in grouped] == [("F/ann", "F"), ("M/bob", "M")]
    named = read_folder(_touch(tmp_path / "f", "ann.jpg/1.jpg", "ann.jpg/._1.jpg"))
    assert [(photo.person, photo.path.name) for photo in named] == [("ann.jpg", "1.jpg")]
    single = read_folder(_touch(tmp_path / "c", "AF1.jpg", "AM2.jpg"), "^[A-Z]+")
    assert [(p.person, p.cohort) for p in single] == [("AF1", "AF"), ("AM2", "AM")]
    twins = read_folder(_touch(tmp_path / "e", "x.jpg", "x.png", "y.jpg"))
    assert [photo.person for photo in twins] == ["x.jpg", "x.png", "y"]
    for cohort, message in (("^[0-9]+", "matches nobody's name, such as AF1"), ("[", "no regular")):
        with pytest.raises(SampleError, match=message):
            read_folder(tmp_path / "c", cohort)
    with pytest.raises(SampleError, match="holds no pictures"):
        read_folder(_touch(tmp_path / "d", "readme.txt"))


@pytest.mark.parametrize("photo", ["ann/summer/2.jpg", "F/ann/summer/1.jpg"])
def test_folders_below_a_person_s_are_refused(tmp_path: Path, photo: str) -> None:
    _touch(tmp_path, "me.jpg", "ann/1.jpg", "bob/1.jpg", photo)
    with pytest.raises(SampleError, match=f"{photo} lies below a person's folder"):
        read_folder(tmp_path)


def test_listed_photos_are_left_out(tmp_path: Path) -> None:
    photos = read_folder(_touch(tmp_path, "AF1.jpg", "AF2.jpg", "AF3.jpg"))
    listed = tmp_path / "out.txt"
    listed.write_text("# doubles\nAF2  # AF1, 0.98\nAF3.jpg\n")
    assert [photo.person for photo in leave_out(photos, listed)] == ["AF1"]
    assert [place(photo) for photo in photos] == ["AF1", "AF2", "AF3"]


def test_one_person_s_photo_is_left_out_of_many_with_its_name(tmp_path: Path) -> None:
    """As an editor on Windows saves the list; what a calibration names may be listed."""
    people = _touch(tmp_path / "people", "F/ann/1.jpg", "F/ann/2.jpg", "F/eve/1.jpg", "F/eve/2.jpg")
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
    rows = [f"{a},{b},{int((a in 'xy') == (b in 'xy'))}" for a in names for b in names]
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


def test_captures_by_folder_and_by_table(tmp_path: Path) -> None:
    names = ("ann_live/1.jpg", "ann_print/1.jpg", "bob_live/1.jpg")
    read = captures.read(_touch(tmp_path / "set", *names))
    assert [(c.species, c.subject) for c in read] == [
        ("live", "set/ann"),
        ("set: print", "set/ann"),
        ("live", "set/bob"),
    ]
    plain = captures.read(_touch(tmp_path / "plain", "live/1.jpg", "replay/1.jpg"))
    assert [(c.species, c.subject) for c in plain] == [("live", ""), ("plain: replay", "")]
    table = tmp_path / "labels.csv"
    table.write_text("path,label,subject\na.jpg,live,7\nb.jpg,mask,7\n")
    _touch(tmp_path, "a.jpg", "b.jpg")
    assert {capture.species for capture in captures.read(table)} == {
        "live",
        f"{tmp_path.name}: mask",
    }


def test_captures_as_tables_and_folders_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With blanks around labels, and from the folder one is in."""
    table = _touch(tmp_path / "taken", "a.jpg", "b.jpg", "c.jpg") / "labels.csv"
    table.write_text("path,label,subject\na.jpg,Live ,7\nb.jpg,live, 7\nc.jpg, print,8\n")
    monkeypatch.chdir(table.parent)
    for source in (Path(), Path("labels.csv"), table):
        assert [(c.species, c.subject, c.source) for c in captures.read(source)] == [
            ("live", "taken/7", "taken"),
            ("live", "taken/7", "taken"),
            ("taken: print", "taken/8", "taken"),
        ]
    assert len(captures.read_all([table, Path()])) == 6
    other = _touch(tmp_path / "b" / "taken", "live/1.jpg")
    with pytest.raises(SampleError, match="have one name: rename one"):
        captures.read_all([table, other])


def test_species_of_two_words_beside_live(tmp_path: Path) -> None:
    """Where nobody's name is in a folder's, paper_mask is no mask of somebody called paper."""
    for folder in ("live", "paper_mask", "silicone_mask"):
        (tmp_path / "set" / folder).mkdir(parents=True)
        (tmp_path / "set" / folder / "1.jpg").touch()
    found = {(one.species, one.subject) for one in captures.read_all([tmp_path / "set"])}
    assert found == {("live", ""), ("set: paper_mask", ""), ("set: silicone_mask", "")}
    (tmp_path / "set" / "live_outdoor").mkdir()
    (tmp_path / "set" / "live_outdoor" / "1.jpg").touch()
    with pytest.raises(SampleError, match="live_outdoor: call it SUBJECT_live, or put it into"):
        captures.read_all([tmp_path / "set"])


def test_captures_that_would_be_misread(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="would be live captures of not: rename it"):
        captures.read(_touch(tmp_path / "folders", "not_live/1.jpg"))
    table = tmp_path / "labels.csv"
    table.write_text("path,label\na.jpg,1\nb.jpg,0\n")
    _touch(tmp_path, "a.jpg")
    with pytest.raises(SampleError, match=r"line 3: there is no file .*b\.jpg"):
        captures.read_all([table])
    _touch(tmp_path, "b.jpg")
    with pytest.raises(SampleError, match="nothing is labelled live"):
        captures.read_all([table])


def test_truth_of_wider_and_csv(tmp_path: Path) -> None:
    wider = tmp_path / "gt.txt"
    wider.write_text(
        "0--Parade/a.jpg\n2\n10 20 30 40 0 0 0 0 0 0\n5 5 3 3 0 0 0 1 0 0\n"
        "0--Parade/b.jpg\n0\n0 0 0 0 0 0 0 0 0 0\n"
    )
    first, second = truth.read(wider)
    assert first.path == tmp_path / "0--Parade" / "a.jpg"
    assert [face.ignored for face in first.faces] == [False, True] and second.faces == []
    table = tmp_path / "gt.csv"
    table.write_text("file,x,y,width,height\na.jpg,1,2,3,4\nb.jpg,,,,\na.jpg,5,6,7,8\n")
    one, other = truth.read(table, tmp_path / "images")
    assert [face.box for face in one.faces] == [(1, 2, 3, 4), (5, 6, 7, 8)] and not other.faces
    assert one.path == tmp_path / "images" / "a.jpg"
    table.write_text("file,Y,width\na.jpg,2,3\n")
    with pytest.raises(SampleError, match=r"gt\.csv lacks a column: x, height"):
        truth.read(table)
    for cut_off in ("a.jpg\nmany\n", "a.jpg\n", "a.jpg\n2\n1 2 3 4 0 0 0 0 0 0\n"):
        wider.write_text(cut_off)
        with pytest.raises(SampleError, match="cannot be read as ground truth"):
            truth.read(wider)


def test_truth_without_area_or_zeros_before_numbers(tmp_path: Path) -> None:
    table = tmp_path / "gt.csv"
    table.write_text("file,x,y,width,height\na.jpg,1,2,0,0\n")
    with pytest.raises(SampleError, match=r"a\.jpg has a box without area: leave it empty"):
        truth.read(table)
    for digits in (1, 2):
        parts = "".join(f"<part name='{n:0{digits}}' x='{n}' y='0'/>" for n in range(68))
        box = f"<box left='0' top='0' width='9' height='9'>{parts}</box>"
        listing = tmp_path / "gt.xml"
        listing.write_text(f"<dataset><image file='a.jpg'>{box}</image></dataset>")
        ((face,),) = (picture.faces for picture in truth.read(listing))
        assert face.landmarks is not None
        assert face.landmarks[:, 0].tolist() == [38.5, 44.5, 30, 48, 54]


def test_dlib_landmarks_become_five(shared: Path) -> None:
    xml = shared / "detection" / "dlib_faces" / "testing_with_face_landmarks.xml"
    faces = [face for picture in truth.read(xml) for face in picture.faces]
    for face in faces:
        assert face.landmarks is not None
        right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
        assert right_eye[0] < left_eye[0] and right_mouth[0] < left_mouth[0]
        assert np.mean([right_eye[1], left_eye[1]]) < nose[1] < right_mouth[1]
