"""What each step of the descreening network's training does, and whether a run may go on."""

from __future__ import annotations

import argparse
import math
from typing import Any

from engine.evaluation.photos import SampleError

DECISIVE = ("steps", "finish", "finish_rate", "settled", "batch", "crop", "rate", "seed", "workers")
"""A run is only continued with the same of these options."""


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
    if is_finish(options, step):
        return float(options.finish_rate * _schedule((step - options.steps) / options.finish))
    return float(options.rate * _schedule(step / options.steps))


def _schedule(share: float) -> float:
    """Short warm-up, then half a cosine down to 1 %."""
    return min(1.0, share / 0.01 + 0.01) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name) for name in DECISIVE}


def require_same(options: argparse.Namespace, settings: dict[str, Any] | None) -> None:
    """Raises SampleError for a checkpoint of other settings, or of none that are known."""
    if settings != settings_of(options):
        found = settings or "options that it does not tell"
        raise SampleError(f"{options.work} holds a run with {found}: choose another --work")
