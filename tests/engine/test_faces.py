"""Detection, embedding and comparison through the public surface."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine import Engine, EngineError, FaceNotFound, ImageError
from engine.images import Image, Pixels, encode
from engine.recognition import PART

BLANK = np.full((300, 300, 3), 127, np.uint8)


def test_one_face_with_landmarks_inside_its_box(engine: Engine, astronaut: Pixels) -> None:
    (face,) = engine.detect(astronaut)
    assert np.allclose(face.box, (179, 63, 91, 111), atol=8)
    assert 0.8 < face.score <= 1
    assert face.landmarks.shape == (5, 2) and face.landmarks.dtype == np.float32
    x, y, width, height = face.box
    inside = (face.landmarks > (x, y)) & (face.landmarks < (x + width, y + height))
    assert inside.all()
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
    assert right_eye[0] < nose[0] < left_eye[0] and right_mouth[0] < left_mouth[0]
    assert right_eye[1] < nose[1] < right_mouth[1]


def test_landmarks_move_with_the_picture(engine: Engine, astronaut: Pixels) -> None:
    """A detector's single best box would place them 3.6 % of the eyes' distance apart."""
    found = []
    for right, down in ((0, 0), (3, 0), (6, 3), (9, 3), (0, 6), (3, 6), (6, 9), (9, 9)):
        cut = np.ascontiguousarray(astronaut[50 - down : 240 - down, 110 - right : 310 - right])
        (face,) = engine.detect(cut, max_faces=1)
        found.append(face.landmarks - (right, down))
    middle = np.mean(found, axis=0)
    apart = np.linalg.norm(np.array(found) - middle, axis=2).mean()
    assert apart < 0.028 * np.linalg.norm(middle[0] - middle[1])


def test_group_comes_largest_first(engine: Engine, group: Pixels) -> None:
    faces = engine.detect(group)
    areas = [face.box[2] * face.box[3] for face in faces]
    assert len(faces) == 6 and areas == sorted(areas, reverse=True)
    assert len(engine.detect(group, max_faces=3)) == 3
    (largest,) = engine.detect(group, max_faces=1)
    assert np.allclose(largest.box, faces[0].box, atol=20)


def test_max_faces_limits_a_crowd(engine: Engine, group: Pixels) -> None:
    crowd = np.tile(group, (2, 2, 1))
    assert len(engine.detect(crowd, max_faces=30)) == 24
    assert len(engine.detect(crowd)) == 16


def test_no_face_is_an_empty_list_or_an_error(engine: Engine, astronaut: Pixels) -> None:
    assert engine.detect(BLANK) == []
    assert engine.detect(BLANK, max_faces=1) == []
    for call in (
        lambda: engine.embed(BLANK),
        lambda: engine.liveness(BLANK),
        lambda: engine.compare(BLANK, astronaut),
    ):
        with pytest.raises(FaceNotFound, match="no face was found in"):
            call()
    with pytest.raises(FaceNotFound, match="no face was found in picture 2"):
        engine.compare(astronaut, BLANK)


@pytest.mark.parametrize("side", [50, 160, 700, 3464])
def test_every_size_of_picture_works(engine: Engine, astronaut: Pixels, side: int) -> None:
    """A 50-pixel thumbnail of the face up to a 12-megapixel photo."""
    portrait = astronaut[20:230, 120:330] if side == 50 else astronaut
    scaled = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
    (face,) = engine.detect(scaled, 1)
    assert face.box[2] > side / 8
    assert engine.compare(astronaut, scaled).is_match


def test_a_face_that_fills_the_frame_is_found(engine: Engine, hanks: Pixels) -> None:
    (face,) = engine.detect(hanks)
    assert face.box[2] * face.box[3] > 0.4 * hanks.shape[0] * hanks.shape[1]
    huge = cv2.resize(hanks, (2000, 2000), interpolation=cv2.INTER_CUBIC)
    (face,) = engine.detect(huge)
    assert face.box[2] * face.box[3] > 0.4 * 2000 * 2000


def test_a_face_that_is_cut_on_all_sides_is_found_surely(engine: Engine, astronaut: Pixels) -> None:
    """As one that fills the frame is only where it is looked at small."""
    cut = astronaut[75:163, 189:260]
    large = cv2.resize(cut, None, fx=20, fy=20, interpolation=cv2.INTER_CUBIC)
    for most in (1, 16):
        (face,) = engine.detect(large, most)
        assert face.score > 0.85


@pytest.mark.parametrize("most", [1, 16])
def test_a_face_of_few_pixels_in_a_large_picture(
    engine: Engine, astronaut: Pixels, most: int
) -> None:
    """Of 14, which a look at half the size does not show."""
    scene = np.full((1280, 1280, 3), 127, np.uint8)
    scene[600:683, 900:983] = cv2.resize(astronaut, (83, 83), interpolation=cv2.INTER_AREA)
    (face,) = engine.detect(scene, most)
    assert np.allclose(face.box, (929, 609, 14, 17), atol=2)


@pytest.mark.parametrize("most", [1, 16])
@pytest.mark.parametrize(("x", "y"), [(900, 0), (0, 900)])
def test_a_face_far_out_in_a_long_picture(
    engine: Engine, astronaut: Pixels, x: int, y: int, most: int
) -> None:
    scene = np.full((512 + y, 512 + x, 3), 127, np.uint8)
    scene[y:, x:] = astronaut
    (face,) = engine.detect(scene, most)
    assert np.allclose(face.box, (179 + x, 63 + y, 91, 111), atol=12)


def test_embedding_is_a_unit_vector(engine: Engine, astronaut: Pixels) -> None:
    vector = engine.embed(astronaut)
    assert vector.shape == (128,) and vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_embed_many_equals_one_by_one(
    engine: Engine, astronaut: Pixels, group: Pixels, hanks: Pixels
) -> None:
    pictures: list[Image] = [astronaut, encode(group, "png"), hanks]
    together = engine.embed_many(pictures)
    assert together.shape == (3, 128)
    for row, picture in zip(together, pictures, strict=True):
        assert np.allclose(row, engine.embed(picture), atol=1e-5)


def test_a_picture_without_a_face_among_many_has_its_number(engine: Engine, hanks: Pixels) -> None:
    """Also beyond the first part of them."""
    with pytest.raises(FaceNotFound, match=f"no face was found in picture {PART + 1}:"):
        engine.embed_many([*[hanks] * PART, BLANK, hanks])
    with pytest.raises(ImageError, match=r"picture 2: the picture is not a PNG, JPEG or BMP"):
        engine.compare(hanks, b"nothing")
    with pytest.raises(ImageError, match=r"picture 2: the picture is not a PNG, JPEG or BMP"):
        engine.embed_many([hanks, b"nothing"])
    with pytest.raises(ImageError, match=r"^the picture is not a PNG, JPEG or BMP"):
        engine.embed(b"nothing")


def test_same_person_matches_through_capture_conditions(engine: Engine, astronaut: Pixels) -> None:
    dark = cv2.convertScaleAbs(astronaut, alpha=0.5)
    small = cv2.resize(astronaut, (180, 180), interpolation=cv2.INTER_AREA)
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    turned = cv2.warpAffine(astronaut, cv2.getRotationMatrix2D((220, 110), 15, 1), (512, 512))
    for other in (dark, small, mirrored, turned, encode(astronaut, "jpeg")):
        result = engine.compare(astronaut, other)
        assert result.is_match and result.similarity > 0.75 and result.cosine > 0.5


def test_different_people_do_not_match(
    engine: Engine, astronaut: Pixels, group: Pixels, hanks: Pixels
) -> None:
    people = [astronaut, hanks]
    for face in engine.detect(group):
        x, y, width, height = (round(value) for value in face.box)
        grown = slice(max(0, y - height // 3), y + height + height // 3)
        people.append(group[grown, max(0, x - width // 3) : x + width + width // 3])
    for index, one in enumerate(people):
        for other in people[index + 1 :]:
            result = engine.compare(one, other)
            assert not result.is_match and result.similarity < 0.3


def test_comparison_is_consistent_and_symmetric(
    engine: Engine, astronaut: Pixels, hanks: Pixels
) -> None:
    result, mirrored = engine.compare(astronaut, hanks), engine.compare(hanks, astronaut)
    assert result.cosine == pytest.approx(mirrored.cosine, abs=1e-5)
    assert result.threshold == 0.497
    assert result.is_match == (result.similarity >= result.threshold)
    same = engine.compare(astronaut, astronaut)
    assert same.cosine == pytest.approx(1, abs=1e-6) and same.similarity > 0.9999


@pytest.mark.parametrize("side", [40, 44, 50])
def test_a_doubtful_pair_is_looked_at_twice(engine: Engine, astronaut: Pixels, side: int) -> None:
    """A portrait shrunk until its cosine is near the threshold's."""
    small = cv2.resize(astronaut[:300, 80:380], (side, side), interpolation=cv2.INTER_AREA)
    result = engine.compare(astronaut, small)
    assert 0.35 < result.cosine < 0.6
    twice = float(engine.embed(astronaut) @ engine.embed(small))
    assert result.cosine == pytest.approx(twice, abs=1e-5)


def test_a_clear_pair_is_looked_at_once(engine: Engine, astronaut: Pixels, hanks: Pixels) -> None:
    twice = float(engine.embed(astronaut) @ engine.embed(hanks))
    runs = engine.info()["networks"]["embedding"]["runs"]
    result = engine.compare(astronaut, hanks)
    assert engine.info()["networks"]["embedding"]["runs"] == runs + 2
    assert result.cosine == pytest.approx(twice, abs=0.07)


def test_results_are_frozen(engine: Engine, astronaut: Pixels) -> None:
    result = engine.compare(astronaut, astronaut)
    with pytest.raises(AttributeError):
        result.similarity = 1.0  # type: ignore[misc]


def test_unusable_arguments_say_so(engine: Engine, astronaut: Pixels) -> None:
    with pytest.raises(EngineError, match="max_faces must be a whole number from 1, not 0"):
        engine.detect(astronaut, max_faces=0)
    for flags in (True, (True,), (True, False, True), None, (None, True), ("no", "false")):
        told = r"id_photo is a pair, one flag \(True or False\) for each picture"
        with pytest.raises(EngineError, match=told):
            engine.compare(astronaut, astronaut, flags)  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="at least one image"):
        engine.embed_many([])
    with pytest.raises(EngineError, match="takes several images, not NoneType"):
        engine.embed_many(None)  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="takes several images, not ndarray"):
        engine.embed_many(np.array(5))
    data = encode(BLANK, "png")
    for single in ("a.png", Path("a.png"), data, bytearray(data), memoryview(data), BLANK):
        with pytest.raises(EngineError, match="takes several images: put this one into a list"):
            engine.embed_many(single)  # type: ignore[arg-type]


def test_two_pictures_of_real_people(engine: Engine, shared: Path) -> None:
    """Genuine pairs of the LFW half: nearly all match; neighbours in the list do not."""
    people = sorted((shared / "verification" / "lfw_a_to_m").iterdir())[:40]
    pairs = [sorted(person.iterdir())[:2] for person in people]
    genuine = [engine.compare(a, b).is_match for a, b in pairs]
    impostor = [engine.compare(a[0], b[0]).is_match for a, b in pairwise(pairs)]
    assert sum(genuine) >= 36 and sum(impostor) == 0
