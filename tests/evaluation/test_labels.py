"""Reading captures with their labels, and ground truth of detection."""

from pathlib import Path

import numpy as np
import pytest
from sample_files import touch

from engine.evaluation import captures, truth
from engine.evaluation.photos import SampleError


def test_captures_by_folder_and_by_table(tmp_path: Path) -> None:
    names = ("ann_live/1.jpg", "ann_print/1.jpg", "bob_live/1.jpg")
    read = captures.read(touch(tmp_path / "set", *names))
    assert [(c.species, c.subject) for c in read] == [
        ("live", "set/ann"),
        ("set: print", "set/ann"),
        ("live", "set/bob"),
    ]
    plain = captures.read(touch(tmp_path / "plain", "live/1.jpg", "replay/1.jpg"))
    assert [(c.species, c.subject) for c in plain] == [("live", ""), ("plain: replay", "")]
    table = tmp_path / "labels.csv"
    table.write_text("path,label,subject\na.jpg,live,7\nb.jpg,mask,7\n")
    touch(tmp_path, "a.jpg", "b.jpg")
    assert {capture.species for capture in captures.read(table)} == {
        "live",
        f"{tmp_path.name}: mask",
    }


def test_captures_as_tables_and_folders_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With blanks around labels, and from the folder one is in."""
    table = touch(tmp_path / "taken", "a.jpg", "b.jpg", "c.jpg") / "labels.csv"
    table.write_text("path,label,subject\na.jpg,Live ,7\nb.jpg,live, 7\nc.jpg, print,8\n")
    monkeypatch.chdir(table.parent)
    for source in (Path(), Path("labels.csv"), table):
        assert [(c.species, c.subject, c.source) for c in captures.read(source)] == [
            ("live", "taken/7", "taken"),
            ("live", "taken/7", "taken"),
            ("taken: print", "taken/8", "taken"),
        ]
    with pytest.raises(SampleError, match=r"a\.jpg is listed twice: each capture counts once"):
        captures.read_all([table, Path()])
    other = touch(tmp_path / "b" / "taken", "live/1.jpg")
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
    (tmp_path / "set" / "live_outdoor").rename(tmp_path / "set" / "bob_live")
    with pytest.raises(SampleError, match="bob_live beside live: put it into that, or rename it"):
        captures.read_all([tmp_path / "set"])


def test_species_and_subjects_of_several_words(tmp_path: Path) -> None:
    """Who has live captures says where a name ends; capitals make no other species."""
    names = ("anna_live", "anna_paper_mask", "anna_silicone_mask", "jo_ann_live", "jo_ann_Print")
    folder = touch(tmp_path / "set", *(f"{name}/1.jpg" for name in (*names, "anna_print")))
    assert {(one.species, one.subject) for one in captures.read(folder)} == {
        ("live", "set/anna"),
        ("set: paper_mask", "set/anna"),
        ("set: silicone_mask", "set/anna"),
        ("set: print", "set/anna"),
        ("live", "set/jo_ann"),
        ("set: print", "set/jo_ann"),
    }
    touch(folder, "bob_paper_mask/1.jpg")
    with pytest.raises(SampleError, match="bob_paper_mask may be split in several ways"):
        captures.read(folder)


@pytest.mark.parametrize(
    "label",
    [
        *("real", "Genuine", "bonafide", "bona_fide", "bona fide", "alive", "Live_outdoor"),
        *(
            "live-2",
            "live2",
            "lives",
            "living",
            "bona fide presentation",
            "real faces",
            "live\u200b",
        ),
    ],
)
def test_other_words_for_live_are_no_attacks(tmp_path: Path, label: str) -> None:
    table = touch(tmp_path, "a.jpg", "b.jpg") / "labels.csv"
    table.write_text(f"path,label\na.jpg,live\nb.jpg,{label}\n", "utf-8")
    with pytest.raises(SampleError, match=r"b\.jpg is labelled .*: call live captures live"):
        captures.read(table)


def test_kinds_of_masks_are_attacks(tmp_path: Path) -> None:
    """However lifelike."""
    table = touch(tmp_path, "a.jpg", "b.jpg") / "labels.csv"
    for label in ("realistic mask", "lifecast", "liveliness prompt"):
        table.write_text(f"path,label\na.jpg,live\nb.jpg,{label}\n")
        assert captures.read(table)[1].species == f"{tmp_path.name}: {label}"


def test_captures_that_would_be_misread(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="would be live captures of not: rename it"):
        captures.read(touch(tmp_path / "folders", "not_live/1.jpg"))
    with pytest.raises(SampleError, match="would be live captures of ann_not: rename it"):
        captures.read(touch(tmp_path / "more", "ann_live/1.jpg", "ann_not_live/1.jpg"))
    table = tmp_path / "labels.csv"
    table.write_text("path,label\na.jpg,1\nb.jpg,0\n")
    touch(tmp_path, "a.jpg")
    with pytest.raises(SampleError, match=r"line 3: there is no file .*b\.jpg"):
        captures.read_all([table])
    touch(tmp_path, "b.jpg")
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
    table.write_text("file,x,y,width,height\n a.jpg ,1,2,3,4\n")
    assert [picture.path for picture in truth.read(table)] == [tmp_path / "a.jpg"]
    table.write_text("file,x,y,width,height\na.jpg,1,2,inf,4\n")
    with pytest.raises(SampleError, match=r"a\.jpg has a box or landmarks that are no finite num"):
        truth.read(table)
    ends = ",".join(f"{point}_{axis}" for point in truth.POINTS for axis in "xy")
    table.write_text(f"file,x,y,width,height,{ends}\na.jpg,1,2,3,4{',-1' * 10}\n")
    with pytest.raises(SampleError, match=r"gt\.csv: a\.jpg has both eyes in one place: leave lan"):
        truth.read(table)
    table.write_text(f"file,x,y,width,height,{ends}\na.jpg,1,2,3,4,1,1,2,1,,,1,2,2,2\n")
    with pytest.raises(SampleError, match=r"gt\.csv cannot be read as ground truth"):
        truth.read(table)  # the nose is missing
    table.write_text("file,x,y,width,height\na.jpg,1,2,3,4\na.jpg,1,2,3,4\n")
    with pytest.raises(SampleError, match=r"gt\.csv: a\.jpg has a box twice: take one out"):
        truth.read(table)
    table.write_text("file,x,y,width,height,ignore\na.jpg,1,2,3,4,1\na.jpg,1,2,3,5,\n")
    assert [face.ignored for face in truth.read(table)[0].faces] == [True, False]
    table.write_text("file,x,y,width,height\na.jpg,,2,3,4\n")
    with pytest.raises(SampleError, match=r"gt\.csv cannot be read as ground truth"):
        truth.read(table)
    boxes = "<box left='0' top='0' width='{}' height='9' ignore='{}'/>"
    for width, ignore, ignored in ((9, "true", True), (0, "1", True), (9, "0", False)):
        inside = boxes.format(width, ignore)
        (tmp_path / "b.xml").write_text(f"<d><image file='a.jpg'>{inside}</image></d>")
        assert truth.read(tmp_path / "b.xml")[0].faces[0].ignored == ignored
    (tmp_path / "b.xml").write_text(f"<d><image file='a.jpg'>{boxes.format(-9, 0)}</image></d>")
    with pytest.raises(SampleError, match=r"b\.xml: a\.jpg has a box without area: take it out"):
        truth.read(tmp_path / "b.xml")
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
