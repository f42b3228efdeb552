"""Ground truth of detection: dlib's XML, WIDER FACE's text, or a plain CSV."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.listing import read_rows
from engine.evaluation.pairs import SAME
from engine.evaluation.photos import SampleError

Box = tuple[float, float, float, float]
POINTS = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")


@dataclass(frozen=True, slots=True)
class TrueFace:
    """box: x, y, width, height. landmarks: (5, 2) in the order of Face.landmarks, or None.
    ignored: neither missed nor a false alarm counts, as where a face cannot be told."""

    box: Box
    landmarks: NDArray[np.float64] | None = None
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class TruePicture:
    path: Path
    faces: list[TrueFace]


def read(listing: Path, images: Path | None = None) -> list[TruePicture]:
    """By suffix: .xml, .txt or .csv. images: where the paths in it start; None is beside it.

    Raises SampleError for another suffix or a listing without pictures.
    """
    readers = {".xml": _read_dlib, ".txt": _read_wider, ".csv": _read_csv}
    suffix = listing.suffix.lower()
    if suffix not in readers:
        raise SampleError(f"{listing} is none of {', '.join(readers)}")
    try:
        pictures = list(readers[suffix](listing, images or listing.parent))
    except (ValueError, KeyError, IndexError, ElementTree.ParseError) as error:
        raise SampleError(f"{listing} cannot be read as ground truth: {error}") from error
    if not pictures:
        raise SampleError(f"{listing} lists no pictures")
    for picture in pictures:
        for face in picture.faces:
            _check(f"{listing}: {picture.path.name}", face)
        boxes = [face.box for face in picture.faces if not face.ignored]
        if len(set(boxes)) < len(boxes):
            raise SampleError(f"{listing}: {picture.path.name} has a box twice: take one out")
    return pictures


def _check(where: str, face: TrueFace) -> None:
    points = np.zeros((5, 2)) if face.landmarks is None else face.landmarks
    if not (np.isfinite(face.box).all() and np.isfinite(points).all()):
        raise SampleError(f"{where} has a box or landmarks that are no finite numbers")
    if not face.ignored and min(face.box[2:]) <= 0:
        raise SampleError(f"{where} has a box without area: take it out, or mark it as ignored")
    if face.landmarks is not None and np.array_equal(points[0], points[1]):
        raise SampleError(
            f"{where} has both eyes in one place: leave landmarks that nobody marked empty"
        )


def _read_dlib(listing: Path, images: Path) -> Iterator[TruePicture]:
    for image in ElementTree.parse(listing).getroot().iter("image"):
        faces = []
        for node in image.iter("box"):
            box = tuple(float(node.attrib[key]) for key in ("left", "top", "width", "height"))
            parts = {part.attrib["name"]: part.attrib for part in node.iter("part")}
            ordered = [parts[name] for name in sorted(parts, key=_by_number)]
            points = np.array([[float(part["x"]), float(part["y"])] for part in ordered])
            landmarks = _from_68(points) if len(points) == 68 else None
            faces.append(TrueFace(box, landmarks, _marked(node.attrib.get("ignore"))))  # type: ignore[arg-type]
        yield TruePicture(images / image.attrib["file"], faces)


def _marked(flag: str | None) -> bool:
    """Raises KeyError for what is neither yes nor no."""
    return SAME[(flag or "").strip().lower() or "0"]


def _by_number(name: str) -> tuple[int, str]:
    """00, 01, ... as dlib names its points, and 0, 1, ... as other programs do."""
    return len(name), name


def _from_68(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Five of the 68 points of iBUG 300-W: the eyes as the mean of their outline."""
    right_eye, left_eye = points[36:42].mean(0), points[42:48].mean(0)
    return np.stack([right_eye, left_eye, points[30], points[48], points[54]])


def _read_wider(listing: Path, images: Path) -> Iterator[TruePicture]:
    """wider_face_val_bbx_gt.txt: a file name, a count, and that many lines of x y width height
    blur expression illumination invalid occlusion pose; a count of 0 has one line of zeros."""
    lines = iter(listing.read_text("utf-8-sig").rstrip().splitlines())
    for name in lines:  # what is cut off reads as empty lines, which are no numbers
        count = int(next(lines, ""))
        rows = [[int(value) for value in next(lines, "").split()] for _ in range(max(count, 1))]
        yield TruePicture(
            images / name.strip(),
            [
                TrueFace((x, y, width, height), None, bool(more[3]) or min(width, height) < 1)
                for x, y, width, height, *more in rows[:count]
            ],
        )


def _read_csv(listing: Path, images: Path) -> Iterator[TruePicture]:
    """Columns file, x, y, width, height, perhaps ignore (1 or 0), and perhaps right_eye_x,
    right_eye_y, ... for all five landmarks; a picture without a face has one row with the box left
    empty. In any order."""
    pictures: dict[str, list[TrueFace]] = {}
    for row in read_rows(listing, ["file"]).values():
        if lacking := [key for key in ("x", "y", "width", "height") if key not in row]:
            raise SampleError(f"{listing} lacks a column: {', '.join(lacking)}")
        faces = pictures.setdefault(row["file"].strip(), [])
        if not any(row[key].strip() for key in ("x", "y", "width", "height")):
            continue
        box = tuple(float(row[key]) for key in ("x", "y", "width", "height"))
        if not min(box[2:]) > 0:
            raise SampleError(
                f"{listing}: {row['file']} has a box without area: leave it empty for no face"
            )
        landmarks = None
        if any(row.get(f"{p}_{c}", "").strip() for p in POINTS for c in "xy"):
            landmarks = np.array([[float(row[f"{p}_x"]), float(row[f"{p}_y"])] for p in POINTS])
        faces.append(TrueFace(box, landmarks, _marked(row.get("ignore"))))  # type: ignore[arg-type]
    for name, faces in pictures.items():
        yield TruePicture(images / name, faces)
