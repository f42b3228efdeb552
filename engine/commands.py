"""The commands of the command line: what each asks of the engine, prints and draws."""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from engine import Engine, ImageError
from engine.drawing import caption, draw_faces, side_by_side
from engine.files import read, write
from engine.headers import sniff
from engine.images import Pixels, encode, load
from engine.results import Face

FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".bmp": "bmp"}

Answer = tuple[dict[str, Any], Callable[[], Pixels] | None]
"""What is printed, and what makes the picture that --out writes: without --out it is not called."""

Command = Callable[[Engine, argparse.Namespace], Answer]


def detect(engine: Engine, args: argparse.Namespace) -> Answer:
    image = load(args.image)
    faces = engine.detect(image, args.max_faces)
    return {"faces": [_plain(face) for face in faces]}, lambda: draw_faces(image, faces)


def embed(engine: Engine, args: argparse.Namespace) -> Answer:
    return {"embedding": engine.embed(args.image).tolist()}, None


def compare(engine: Engine, args: argparse.Namespace) -> Answer:
    a, b = load(args.image), load(args.other)
    marked = args.id_photo in ("first", "both"), args.id_photo in ("second", "both")
    result = engine.compare(a, b, marked)

    def draw() -> Pixels:
        text = f"similarity {result.similarity:.3f}, threshold {result.threshold:.3f}"
        left, right = (draw_faces(image, engine.detect(image, 1)) for image in (a, b))
        return caption(side_by_side(left, right), text, result.is_match)

    return {
        "similarity": result.similarity,
        "threshold": result.threshold,
        "is_match": result.is_match,
        "cosine": result.cosine,
        "quality": [asdict(quality) for quality in result.quality],
    }, draw


def liveness(engine: Engine, args: argparse.Namespace) -> Answer:
    image = load(args.image)
    result = engine.liveness(image)

    def draw() -> Pixels:
        text = result.reason or f"P(live) {result.probability:.3f}, score {result.score:.2f}"
        return caption(draw_faces(image, [result.face]), text, result.is_alive)

    return {
        "score": result.score,
        "probability": result.probability,
        "threshold": result.threshold,
        "is_alive": result.is_alive,
        "assessable": result.assessable,
        "reason": result.reason,
        "context": result.context,
        "face": _plain(result.face),
    }, draw


def descreen(engine: Engine, args: argparse.Namespace) -> Answer:
    data = read(args.image)  # once: a pipe cannot be read again
    result = engine.descreen(data)
    answer = {"mesh_score": result.mesh_score, "changed": result.changed}
    if not result.changed and format_of(args.out) == sniff(data).format:
        write(data, args.out)  # nothing is lost to a second compression
        return answer, None
    return answer, lambda: result.image


def info(engine: Engine, args: argparse.Namespace) -> Answer:
    return engine.info(), None


def _plain(face: Face) -> dict[str, Any]:
    x, y, width, height = face.box
    return {
        "box": {"x": x, "y": y, "width": width, "height": height},
        "score": face.score,
        "landmarks": np.round(face.landmarks, 2).tolist(),
    }


def format_of(path: Path) -> str:
    """The format that a file's name stands for. Raises ImageError where it stands for none."""
    if path.suffix.lower() not in FORMATS:
        raise ImageError(f"{path}: write to a file ending in {', '.join(FORMATS)}")
    return FORMATS[path.suffix.lower()]


def save(image: Pixels, path: Path) -> None:
    """In the format of the file's name. Raises as format_of and files.write do."""
    write(encode(image, format_of(path)), path)
