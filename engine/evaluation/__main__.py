"""python -m engine.evaluation verification|detection|liveness|gate|descreen|speed|bench: reports.

Needs the extra [eval]; --ray needs [cluster].
"""

import argparse
import importlib
import importlib.util
import io
import json
import sys
import tempfile
from pathlib import Path

from engine import EngineError

EXTRA = ("matplotlib", "skimage", "tqdm")
COMMANDS = {
    "verification": "false match and false non-match rates over pairs of photos",
    "detection": "boxes and landmarks against ground truth",
    "liveness": "errors on attacks and on live captures, after ISO/IEC 30107-3",
    "gate": "what liveness refuses to judge of good photos, and whether it rights turned ones",
    "descreen": "how much of a photo comes back when its mesh is taken out",
    "speed": "time per stage",
    "bench": "speed against the networks alone, and against other programs",
}


def prepare(out: Path, command: str) -> None:
    """Says what would end the work before it is done: a package or the folder for the report, which
    may hold an earlier one of the same command.

    What the terminal cannot show ends nothing. Raises EngineError.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if missing := [name for name in EXTRA if not importlib.util.find_spec(name)]:
        raise EngineError(f"{', '.join(missing)} is missing: pip install '.[eval]'")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise EngineError(f"no report can be written to {out}: {error.strerror}") from error
    if (there := _command_of(out / "metrics.json")) not in (None, command):
        raise EngineError(
            f"{out} holds the report of another command, {there}: give another --out, or delete it"
        )


def _command_of(metrics: Path) -> str | None:
    try:
        return str(json.loads(metrics.read_bytes())["made_with"]["command"])
    except (OSError, ValueError, LookupError, TypeError):  # none, or not one of ours
        return None


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0, or with one readable line on stderr 1, or 130 where Ctrl-C ended it."""
    parser = argparse.ArgumentParser(prog="python -m engine.evaluation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in COMMANDS.items():
        module = importlib.import_module(f"engine.evaluation.{name}")
        command = commands.add_parser(name, help=about, description=module.__doc__)
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        module.add_arguments(command)
        command.add_argument("--pack", help="folder of a model pack; the default pack when absent")
        command.add_argument("--providers", help="execution providers, by preference: cuda,cpu")
        command.add_argument("--out", type=Path, required=True, help="folder for the report")
        command.set_defaults(run=module.run)
    args = parser.parse_args(arguments)
    try:
        prepare(args.out, args.command)
        return int(args.run(args))
    except (EngineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        kept = args.command == "verification" and not args.endpoint
        more = "; embeddings so far are kept, and the same command goes on from there" * kept
        print(f"stopped before the end{more}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
