"""Orientation: pictures on their side or head are judged, compared and found upright."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from engine import Engine, FaceNotFound
from engine.images import Pixels


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_picture_on_its_side_is_judged_upright(
    engine: Engine, astronaut: Pixels, quarters: int
) -> None:
    """Same pixels, same score; the face is reported where it is in the picture as given."""
    wide = astronaut[:400]
    upright = engine.liveness(wide)
    turned = engine.liveness(np.ascontiguousarray(np.rot90(wide, quarters)))
    assert turned.score == upright.score and turned.is_alive == upright.is_alive
    x, y, width, height = upright.face.box
    expected = np.array([[x, y], [x + width, y + height], *upright.face.landmarks])
    for quarter in range(quarters):
        across = 400 if quarter % 2 else 512
        expected = np.stack([expected[:, 1], across - expected[:, 0]], axis=1)
    box = *expected[:2].min(axis=0), *np.abs(expected[0] - expected[1])
    assert np.allclose(turned.face.box, box, atol=1e-3)
    assert np.allclose(turned.face.landmarks, expected[2:], atol=1e-3)


def test_no_face_in_any_direction(engine: Engine) -> None:
    with pytest.raises(FaceNotFound, match="no face was found in the picture: it must show one"):
        engine.liveness(np.full((300, 200, 3), 127, np.uint8))


def test_orientation_of_many_faces(engine: Engine, shared: Path) -> None:
    """No upright portrait is turned, and every turned one is righted."""
    for path in sorted((shared / "portraits" / "us_officials").glob("*.*"))[:20]:
        image = np.asarray(cv2.imread(str(path)), np.uint8)
        score = engine.liveness(image).score
        for quarters in (1, 2, 3):
            turned = np.ascontiguousarray(np.rot90(image, quarters))
            assert engine.liveness(turned).score == score, path.name


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_picture_on_its_side_is_compared_upright(
    engine: Engine, astronaut: Pixels, quarters: int
) -> None:
    """As phones send them without the EXIF tag: found where it is, and compared upright."""
    turned = np.ascontiguousarray(np.rot90(astronaut, quarters))
    assert engine.compare(astronaut, turned).cosine > 0.99
    (face,) = engine.detect(turned, 1)
    low = np.array(face.box[:2])
    assert (face.landmarks > low).all() and (face.landmarks < low + face.box[2:]).all()


def test_turned_portraits_are_compared_upright(engine: Engine, shared: Path) -> None:
    """Not as if they were tilted: a face that lies is nearly as sure when it is levelled."""
    for path in sorted((shared / "portraits" / "scut").glob("*.*"))[3::28]:
        image = np.asarray(cv2.imread(str(path)), np.uint8)
        upright = engine.embed(image)
        for quarters in (1, 2, 3):
            turned = engine.embed(np.ascontiguousarray(np.rot90(image, quarters)))
            assert upright @ turned > 0.9, (path.name, quarters)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_all_faces_of_a_group_on_its_side(engine: Engine, group: Pixels, quarters: int) -> None:
    """Not the glass and the table that a detector takes for faces there."""
    turned = np.ascontiguousarray(np.rot90(group, quarters))
    faces = {
        tuple(np.round(face.box[2:]).tolist()[:: -1 if quarters % 2 else 1])
        for face in engine.detect(turned)
    }
    assert faces == {tuple(np.round(face.box[2:]).tolist()) for face in engine.detect(group)}
    assert len(faces) == 6
    (largest,) = engine.detect(turned, 1)
    (expected,) = engine.detect(group, 1)
    assert sorted(largest.box[2:]) == pytest.approx(sorted(expected.box[2:]), abs=0.01)


def test_what_is_no_face_on_its_side_either(engine: Engine) -> None:
    """A cat, of which the detector is rather sure when it is turned."""
    cat = np.ascontiguousarray(skimage.data.cat()[..., ::-1])
    assert engine.detect(cat, 1) == engine.detect(cat) == []
    for call in (engine.embed, engine.liveness):
        with pytest.raises(FaceNotFound, match="no face was found in the picture: it must show"):
            call(cat)
