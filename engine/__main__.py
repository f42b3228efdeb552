"""The engine on the command line: python -m engine detect|embed|compare|liveness|descreen|info."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import Engine, EngineError, commands


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    _add_engine(parser, None)
    engine = argparse.ArgumentParser(add_help=False)
    _add_engine(engine, argparse.SUPPRESS)  # what is given before the command stays
    subparsers = parser.add_subparsers(dest="command", required=True)

    def add(run: commands.Command, about: str, *images: str) -> Any:
        command = subparsers.add_parser(
            run.__name__, help=about, description=about, parents=[engine]
        )
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true", help="print one JSON object")
        for name in images:
            command.add_argument(name, type=Path, help="a PNG, JPEG or BMP file")
        return command

    drawn = "write the picture with the result drawn in"
    command = add(commands.detect, "find the faces in a picture", "image")
    command.add_argument("--max-faces", type=int, default=16)
    command.add_argument("--out", type=Path, help=drawn)
    add(commands.embed, "print the embedding of the largest face", "image")
    command = add(commands.compare, "say whether two pictures show one person", "image", "other")
    command.add_argument(
        "--id-photo", choices=["none", "first", "second", "both"], default="none",
        help="which picture is an ID photo, to be descreened when it carries a mesh",
    )  # fmt: skip
    command.add_argument("--out", type=Path, help=drawn)
    command = add(commands.liveness, "say whether the largest face is a live capture", "image")
    command.add_argument("--out", type=Path, help=drawn)
    command = add(commands.descreen, "take the mesh out of an ID photo", "image")
    command.add_argument("--out", type=Path, required=True, help="write the clean picture here")
    add(commands.info, "print what is loaded: pack, licences, providers, versions")
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
    add("--liveness-threshold", "above which a score is live, in place of --bpcer", float)


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
        if getattr(args, "out", None):
            commands.format_of(args.out)  # before there is work to lose
        with Engine(
            *(args.pack, args.providers, args.threads),
            fmr=args.fmr,
            bpcer=args.bpcer,
            liveness_threshold=args.liveness_threshold,
        ) as engine:
            answer, draw = args.run(engine, args)
            if draw is not None and args.out:
                commands.save(draw(), args.out)
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if sys.stdout is None:
        print("error: the answer cannot be written: stdout is closed", file=sys.stderr)
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
