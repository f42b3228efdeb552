"""The engine on the command line: python -m engine detect|embed|compare|liveness|descreen|info."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from engine import Engine, EngineError, ImageError
from engine.drawing import caption, draw_faces, side_by_side
from engine.files import read, write
from engine.headers import sniff
from engine.images import Pixels, encode, load
from engine.results import Face

FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".bmp": "bmp"}

Answer = tuple[dict[str, Any], Callable[[], Pixels] | None]
"""What is printed, and what makes the picture that --out writes: without --out it is not called."""


def detect(engine: Engine, args: argparse.Namespace) -> Answer:
    image = load(args.image)
    faces = engine.detect(image, args.max_faces)
    return {"faces": [_plain(face) for face in faces]}, lambda: draw_faces(image, faces)


def embed(engine: Engine, args: argparse.Namespace) -> Answer:
    return {"embedding": [float(value) for value in engine.embed(args.image)]}, None


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
    if not result.changed and FORMATS.get(args.out.suffix.lower()) == sniff(data).format:
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    _add_engine(parser, None)
    engine = argparse.ArgumentParser(add_help=False)
    _add_engine(engine, argparse.SUPPRESS)  # what is given before the command stays
    commands = parser.add_subparsers(dest="command", required=True)

    def add(run: Callable[[Engine, argparse.Namespace], Answer], about: str, *images: str) -> Any:
        command = commands.add_parser(run.__name__, help=about, description=about, parents=[engine])
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true", help="print one JSON object")
        for name in images:
            command.add_argument(name, type=Path, help="a PNG, JPEG or BMP file")
        return command

    drawn = "write the picture with the result drawn in"
    command = add(detect, "find the faces in a picture", "image")
    command.add_argument("--max-faces", type=int, default=16)
    command.add_argument("--out", type=Path, help=drawn)
    add(embed, "print the embedding of the largest face", "image")
    command = add(compare, "say whether two pictures show one person", "image", "other")
    command.add_argument(
        "--id-photo", choices=["none", "first", "second", "both"], default="none",
        help="which picture is an ID photo, to be descreened when it carries a mesh",
    )  # fmt: skip
    command.add_argument("--out", type=Path, help=drawn)
    command = add(liveness, "say whether the largest face is a live capture", "image")
    command.add_argument("--out", type=Path, help=drawn)
    command = add(descreen, "take the mesh out of an ID photo", "image")
    command.add_argument("--out", type=Path, required=True, help="write the clean picture here")
    add(info, "print what is loaded: pack, licences, providers, versions")
    return parser


def _add_engine(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Options of the engine, before the command or after it."""

    def add(name: str, about: str, kind: Callable[[str], Any] = str) -> None:
        parser.add_argument(name, type=kind, default=default, help=about)

    add("--pack", "folder of a model pack, or fast; else the default pack")
    add("--providers", "execution providers, by preference: cuda,cpu")
    add("--threads", "CPU threads that one call may keep busy", int)
    add("--fmr", "false match rate of compare's threshold, one of the pack's table", float)
    add("--bpcer", "share of live captures refused by liveness, one of the pack's table", float)


def _save(image: Pixels, path: Path) -> None:
    format = FORMATS.get(path.suffix.lower())
    if format is None:
        raise ImageError(f"{path}: write to a file ending in {', '.join(FORMATS)}")
    write(encode(image, format), path)


def _print(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(answer, default=str))
        return
    for key, value in answer.items():
        if not isinstance(value, str | bool | int | float):
            value = json.dumps(value, default=str, ensure_ascii=False)
        print(f"{key}: {value}")


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0, or 1 with one readable line on stderr."""
    args = _parser().parse_args(arguments)
    try:
        with Engine(
            args.pack, args.providers, args.threads, fmr=args.fmr, bpcer=args.bpcer
        ) as engine:
            answer, draw = args.run(engine, args)
            if draw is not None and args.out:
                _save(draw(), args.out)
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    try:
        _print(answer, args.json)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough
        sys.stdout = None  # type: ignore[assignment]
    except (OSError, UnicodeError) as error:
        sys.stdout = None  # type: ignore[assignment]
        print(f"error: the answer cannot be written: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
