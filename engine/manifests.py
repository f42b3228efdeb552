"""Manifests: the pack.toml of a model pack, with the sections and keys that it may have."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import WeightsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MANIFEST = "pack.toml"
ROLES = ("detector", "embedding", "liveness", "liveness_context", "descreen")
REQUIRED_KEYS = ("kind", "file", "sha256", "licence", "origin")
ABOUT_KEYS = ("licence_file", "commercial_use", "build", "training_sets", "training_run")
TABLES: Mapping[str, Sequence[str]] = {
    "pack": ("name", "version", "summary", "extends"),
    "similarity": (
        *("cosine", "steepness", "matched"),
        *("data", "build", "left_out", "without_face", "random", "cohorts"),
    ),
}
"""The keys of the sections that are of no network."""

_PIXELS = ("size", "channels", "mean", "std")
SETTINGS: Mapping[str, Sequence[str]] = {
    "insightface": ("score_threshold", "nms_threshold"),
    "yunet": ("score_threshold", "nms_threshold"),
    "arcface": (*_PIXELS, "integers"),
    "crop_classifier": (
        *(*_PIXELS, "crop", "border", "live_class", "probabilities", "intercept"),
        *("slope", "threshold", "bpcer", "gate", "least_crop", "texture_slope", "context_slope"),
    ),
    "mask_and_clean": ("stride", "tile", "margin", "line", "small", "threshold"),
}
"""The further keys of a section, by its kind. Others are refused: a misspelt key would be silently
ignored."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """A folder's manifest by section. Raises WeightsError for one that cannot be read, and for a
    section or a key that is missing or not known."""
    path = folder / MANIFEST
    try:
        manifest = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path} cannot be read as a manifest: {error}") from error
    known = (*TABLES, *ROLES)
    if unknown := [name for name in manifest if name not in known]:
        raise WeightsError(
            f"{path}: [{unknown[0]}] is no section of a pack: it knows "
            f"{', '.join(f'[{name}]' for name in known)}"
        )
    for name, section in manifest.items():
        if not isinstance(section, dict):
            raise WeightsError(f"{path}: [{name}] is not a section of its own")
        if name in ROLES:
            _check(path, name, section)
        elif unknown := [key for key in section if key not in TABLES[name]]:
            raise WeightsError(
                f"{path}: [{name}] does not know {', '.join(unknown)}; it knows "
                f"{', '.join(TABLES[name])}"
            )
    return manifest


def _check(path: Path, role: str, settings: Mapping[str, Any]) -> None:
    missing = [key for key in REQUIRED_KEYS if key not in settings]
    if missing:
        raise WeightsError(
            f"{path}: section [{role}] lacks {', '.join(missing)}; "
            "weights/README.md says what a section holds"
        )
    settled = SETTINGS.get(str(settings["kind"]))
    known = (*REQUIRED_KEYS, *ABOUT_KEYS, *(settled or settings))
    if unknown := [key for key in settings if key not in known]:
        raise WeightsError(
            f"{path}: section [{role}] has {', '.join(unknown)}, which a "
            f"{settings['kind']} does not know; it knows {', '.join(settled or ())}"
        )
