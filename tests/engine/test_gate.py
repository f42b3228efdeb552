"""Liveness' gate: its limits, each from both sides, and what it says of pictures that fail."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from packs_edited import with_liveness

from engine import Engine
from engine.alignment import ARCFACE_TEMPLATE
from engine.gate import Gate
from engine.images import Pixels
from engine.quality import estimate_pose
from engine.results import Face

GATE = Gate()
FACE = Face((102.0, 102.0, 96.0, 96.0), 0.9, ARCFACE_TEMPLATE + np.float32(94))
"""In the middle of 300 x 300 pixels."""


def waves(period: float = 8, middle: float = 128, height: float = 100) -> Pixels:
    rows = middle + height * np.cos(np.arange(300) * 2 * np.pi / period)
    return np.broadcast_to(np.rint(rows)[:, None, None], (300, 300, 3)).astype(np.uint8)


def turned(degrees: float) -> Face:
    """In the picture's plane."""
    angle, centre = np.radians(degrees), FACE.landmarks.mean(axis=0)
    way = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = (FACE.landmarks - centre) @ way + centre
    return replace(FACE, landmarks=points.astype(np.float32))


def looking(yaw: float, pitch: float) -> Face:
    """An average head, whose pose is estimated as this."""
    head = np.array(
        [[-19, -19.8, 0], [19, -19.8, 0], [0, 1.4, 19], [-16.5, 17.3, 2.3], [16.5, 17.3, 2.3]]
    )
    y, p = np.radians([yaw, pitch])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    seen = (head @ (nod @ turn).T)[:, :2] + 150
    return replace(FACE, landmarks=seen.astype(np.float32))


def moved(to: float, axis: int, side: int) -> Face:
    """The outermost landmark so many pixels from one edge of the picture."""
    points = FACE.landmarks.copy()
    nearest = points[:, axis].min() if side == 0 else points[:, axis].max()
    points[:, axis] += (to if side == 0 else 299 - to) - nearest
    return replace(FACE, landmarks=points)


def test_a_face_that_can_be_judged() -> None:
    assert GATE.reason(waves(), FACE) is None
    reason = "the face is tilted: hold the head and the camera upright"
    assert GATE.reason(waves(), FACE, tilted=True) == reason


@pytest.mark.parametrize("axis", [2, 3])
def test_its_size(axis: int) -> None:
    for length, reason in ((47.9, "the face is too small: come closer to the camera"), (48, None)):
        box = (102.0, 102.0, length, 96.0) if axis == 2 else (102.0, 102.0, 96.0, length)
        assert GATE.reason(waves(4), replace(FACE, box=box)) == reason


@pytest.mark.parametrize(("axis", "side"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_its_margin(axis: int, side: int) -> None:
    eyes, mouth = FACE.landmarks[:2].mean(axis=0), FACE.landmarks[3:].mean(axis=0)
    unit = float(np.linalg.norm(eyes - mouth))
    reason = "the face is cut off by the edge of the picture: show all of it"
    assert GATE.reason(waves(), moved(0.09 * unit, axis, side)) == reason
    assert GATE.reason(waves(), moved(0.11 * unit, axis, side)) is None


@pytest.mark.parametrize("sign", [-1, 1])
def test_its_roll(sign: int) -> None:
    reason = "the face is tilted: hold the head and the camera upright"
    assert GATE.reason(waves(), turned(sign * 24)) is None
    assert GATE.reason(waves(), turned(sign * 26)) == reason


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(("axis", "limit"), [("yaw", 50), ("pitch", 30)])
def test_its_pose(axis: str, limit: int, sign: int) -> None:
    angles = {"yaw": 0.0, "pitch": 0.0}
    answers = []
    for degrees in range(limit - 14, limit + 14):
        face = looking(**{**angles, axis: float(sign * degrees)})
        pose = estimate_pose(face.landmarks)
        if abs(abs(getattr(pose, axis)) - limit) < 3:
            beyond = abs(getattr(pose, axis)) > limit
            answers.append(beyond)
            reason = "the face is turned away: look into the camera" if beyond else None
            assert GATE.reason(waves(), face) == reason
    assert set(answers) == {True, False}


def test_its_light() -> None:
    """Of its lightest parts, here an eighth: the mean would refuse dark skin."""
    reason = "the face is too dark: turn towards a light"
    dark, light = waves(8, 22, 22), waves(8, 23, 23)
    assert (int(dark.max()), int(light.max())) == (44, 46)
    assert GATE.reason(dark, FACE) == reason
    assert GATE.reason(light, FACE) is None


@pytest.mark.parametrize(("white", "level"), [(0.45, 255), (0.55, 250), (0.55, 249)])
def test_its_glare(white: float, level: int) -> None:
    image = waves()
    image[:, : 102 + round(97 * white)] = level
    reason = "the face is too bright: move out of the glare"
    assert GATE.reason(image, FACE) == (reason if white > 0.5 and level >= 250 else None)


def test_its_sharpness() -> None:
    reason = "the face is blurred: hold the camera still and let it focus"
    assert GATE.reason(waves(20), FACE) is None
    assert GATE.reason(waves(28), FACE) == reason


def dark(image: Pixels) -> Pixels:
    return np.asarray(cv2.convertScaleAbs(image, alpha=0.12), np.uint8)


def bright(image: Pixels) -> Pixels:
    return np.asarray(cv2.convertScaleAbs(image, alpha=2.2, beta=60), np.uint8)


def blurred(image: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 4), np.uint8)


def small(image: Pixels) -> Pixels:
    return np.asarray(cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)


def cut(image: Pixels) -> Pixels:
    return np.ascontiguousarray(image[:, 215:])


def cut_right(image: Pixels) -> Pixels:
    return np.ascontiguousarray(image[:, :246])


def cut_below(image: Pixels) -> Pixels:
    return np.ascontiguousarray(image[:145])


def tilted_left(image: Pixels) -> Pixels:
    return tilted(image, 40)


def tilted_right(image: Pixels) -> Pixels:
    return tilted(image, -40)


def tilted(image: Pixels, degrees: int = 45) -> Pixels:
    turn = cv2.getRotationMatrix2D((225, 120), degrees, 1)
    border = cv2.BORDER_REFLECT_101
    return np.asarray(cv2.warpAffine(image, turn, (512, 512), borderMode=border), np.uint8)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (dark, "the face is too dark: turn towards a light"),
        (bright, "the face is too bright: move out of the glare"),
        (blurred, "the face is blurred: hold the camera still and let it focus"),
        (small, "the face is too small: come closer to the camera"),
        (cut, "the face is cut off by the edge of the picture: show all of it"),
        (cut_right, "the face is cut off by the edge of the picture: show all of it"),
        (cut_below, "the face is cut off by the edge of the picture: show all of it"),
        (tilted_left, "the face is tilted: hold the head and the camera upright"),
        (tilted_right, "the face is tilted: hold the head and the camera upright"),
        (tilted, "the face is tilted: hold the head and the camera upright"),
    ],
)
def test_what_cannot_be_judged_has_a_reason_and_a_score(
    tmp_path: Path, astronaut: Pixels, change: Callable[[Pixels], Pixels], reason: str
) -> None:
    """The pack's threshold is so low that every score is above it: the gate alone refuses."""
    with Engine(with_liveness(tmp_path / "pack"), ["cpu"]) as engine:
        result = engine.liveness(change(astronaut))
    assert (result.assessable, result.reason, result.is_alive) == (False, reason, False)
    assert -11 < result.score <= 12
    assert result.probability == pytest.approx(1 / (1 + math.exp(-result.score)))


def test_limits_are_settings_of_the_pack(tmp_path: Path, astronaut: Pixels) -> None:
    for angle in ("most_yaw", "most_pitch"):
        pack = with_liveness(tmp_path / "pack", f"[liveness.gate]\n{angle} = 0\n")
        with Engine(pack, ["cpu"]) as engine:
            result = engine.liveness(astronaut)
        assert result.reason == "the face is turned away: look into the camera"
    pack = with_liveness(tmp_path / "pack", "[liveness.gate]\nleast_light = 0\n")
    with Engine(pack, ["cpu"]) as engine:
        assert engine.liveness(dark(astronaut)).reason is None
        assert engine.liveness(blurred(astronaut)).reason is not None
