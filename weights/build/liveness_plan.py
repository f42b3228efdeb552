"""Whether a run of the liveness network's training may go on from its checkpoint."""

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from liveness_data import Sample

from engine.errors import EngineError

DECISIVE = (
    *("simulate", "steps", "head_steps", "detail_steps"),
    *("trained_from", "simulated_share", "alone", "batch", "rate"),
)
"""A run is only continued with the same of these options, samples and start network."""


def settings_of(options: argparse.Namespace, samples: Sequence[Sample]) -> dict[str, Any]:
    """samples: those that are learnt from."""
    settings = {name: getattr(options, name) for name in DECISIVE}
    settings["sources"] = sorted({sample.source for sample in samples})
    settings["samples"] = _checksum(samples)
    settings["start"] = hashlib.sha256(options.start.read_bytes()).hexdigest()
    return settings


def require_same(checkpoint: Path, found: dict[str, Any], settings: dict[str, Any]) -> None:
    """Raises EngineError for a checkpoint of other settings."""
    if found != settings:
        raise EngineError(f"{checkpoint} was made with {found}: choose another --work")


def _checksum(samples: Sequence[Sample]) -> str:
    """In their order, which decides what a seed draws."""
    digest = hashlib.sha256()
    for sample in samples:
        digest.update(hashlib.sha256(sample.data).digest())
        told = sample.box, sample.label, sample.source, sample.subject, sample.kept
        digest.update(repr(told).encode())
    return digest.hexdigest()
