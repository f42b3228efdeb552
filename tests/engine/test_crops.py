"""The crops around a face that liveness judges."""

import numpy as np

from engine.crops import context_crop, fitting_scale, square_crop
from engine.results import Face


def test_crops_stay_inside_the_picture() -> None:
    ramp = np.arange(100 * 80 * 3, dtype=np.uint32).reshape(100, 80, 3) % 251
    image = ramp.astype(np.uint8)
    for box in ((0.0, 0.0, 30.0, 40.0), (60.0, 70.0, 20.0, 30.0), (0.0, 0.0, 80.0, 100.0)):
        face = Face(box, 1.0, np.zeros((5, 2), np.float32))
        assert context_crop(image, face, 2.7, 128).shape == (128, 128, 3)
        for border in ("reflect", "black"):
            assert square_crop(image, face, 2.7, 128, border).shape == (128, 128, 3)


def test_a_crop_that_would_leave_the_picture_shifts_inside() -> None:
    """It keeps its size, and the face its place in the picture."""
    rows, columns = np.indices((101, 101))
    image = np.dstack([rows, columns, rows]).astype(np.uint8)
    for x, y, low, high in ((0.0, 40.0, 0, 40), (80.0, 40.0, 60, 100), (40.0, 40.0, 30, 70)):
        face = Face((x, y, 20.0, 20.0), 1.0, np.zeros((5, 2), np.float32))
        crop = context_crop(image, face, 2.0, 41)
        assert crop[:, 0, 1].tolist() == [low] * 41 and crop[:, -1, 1].tolist() == [high] * 41
        assert crop[0, :, 0].tolist() == [30] * 41 and crop[-1, :, 0].tolist() == [70] * 41


def test_a_square_crop_keeps_shapes_and_mirrors_what_is_missing() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[16:48, 16:48] = 200
    face = Face((16.0, 24.0, 32.0, 16.0), 1.0, np.zeros((5, 2), np.float32))
    assert (square_crop(image, face, 2.0, 64, "black") == image).all()
    white = np.full((64, 64, 3), 255, np.uint8)
    assert (square_crop(white, face, 3.0, 96, "reflect") == 255).all()
    beyond = square_crop(white, face, 3.0, 96, "black")
    assert (beyond[16:80, 16:80] == 255).all() and beyond.sum() == 64 * 64 * 3 * 255


def test_a_square_crop_has_the_face_in_its_middle_wherever_that_is() -> None:
    for x, y in ((2, 4), (50, 4), (4, 50), (54, 52)):
        image = np.zeros((64, 64, 3), np.uint8)
        image[y : y + 8, x : x + 8] = 200
        face = Face((float(x), float(y), 8.0, 8.0), 1.0, np.zeros((5, 2), np.float32))
        crop = square_crop(image, face, 4.0, 32, "black")
        assert (crop[12:20, 12:20] == 200).all() and crop.sum() == 8 * 8 * 3 * 200


def test_what_is_missing_is_what_a_mirror_at_the_edge_shows() -> None:
    image = np.repeat(np.arange(64, dtype=np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)
    face = Face((4.0, 28.0, 8.0, 8.0), 1.0, np.zeros((5, 2), np.float32))
    crop = square_crop(image, face, 4.0, 32, "reflect")
    assert crop[5, :, 0].tolist() == [abs(column - 8) for column in range(32)]


def test_how_often_a_face_fits_into_the_picture() -> None:
    """From the first pixel's centre to the last one's."""
    image = np.zeros((101, 121, 3), np.uint8)
    for box, times in (((0, 0, 20, 25), 4.0), ((9, 9, 30, 20), 4.0), ((9, 9, 20, 20), 4.5)):
        face = Face(box, 1.0, np.zeros((5, 2), np.float32))
        assert fitting_scale(image, face, 4.5) == times
