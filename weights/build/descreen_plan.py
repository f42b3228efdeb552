"""What each step of the descreening network's training does, and whether a run may go on."""

import argparse
from pathlib import Path
from typing import Any

from checksum import checksum
from origin import sha256
from portraits import portrait_files
from schedule import schedule

from engine.errors import EngineError

DECISIVE = ("steps", "finish", "finish_rate", "settled", "batch", "crop", "rate", "seed", "workers")
"""A run is only continued with the same of these options, portraits and recognition network."""


def is_finish(options: argparse.Namespace, step: int) -> bool:
    return bool(step >= options.steps)


def whole_every(options: argparse.Namespace, step: int) -> int:
    """On each how-many-th step photos are whole."""
    return 2 if is_finish(options, step) else 4


def is_whole(options: argparse.Namespace, step: int) -> bool:
    every = whole_every(options, step)
    return step % every == every - 1


def rate_of(options: argparse.Namespace, step: int) -> float:
    """The learning rate; the finish begins anew."""
    begin, steps, rate = 0, options.steps, options.rate
    if is_finish(options, step):
        begin, steps, rate = options.steps, options.finish, options.finish_rate
    return float(rate * schedule((step - begin) / steps, warm_up=0.01, start=0.01))


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    settings = {name: getattr(options, name) for name in DECISIVE}
    settings["portraits"] = checksum(portrait_files(options.portraits), ())
    settings["embedding"] = sha256(options.embedding.read_bytes())
    settings["start"] = sha256(options.start.read_bytes()) if options.start else None
    return settings


def require_same(work: Path, found: dict[str, Any] | None, settings: dict[str, Any]) -> None:
    """Raises EngineError for a checkpoint of other settings, or of none that are known."""
    if found != settings:
        held = found or "options that it does not tell"
        raise EngineError(f"{work} holds a run with {held}: choose another --work")
