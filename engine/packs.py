"""Model packs: a folder of networks with a manifest that says what each one is."""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from engine.errors import WeightsError
from engine.zoo_folder import implied_manifest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DEFAULT_PACK = Path(__file__).resolve().parent.parent / "weights" / "default"
FAST_PACK = DEFAULT_PACK.with_name("fast")
MANIFEST = "pack.toml"
ROLES = ("detector", "embedding", "liveness", "liveness_context", "descreen")
REQUIRED_KEYS = ("kind", "file", "sha256", "licence", "origin")
ABOUT_KEYS = ("licence_file", "commercial_use", "build", "training_sets", "training_run")
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


@dataclass(frozen=True, slots=True)
class Entry:
    """One network of a pack: its manifest section, and the folder its file lies in."""

    role: str
    folder: Path
    settings: Mapping[str, Any]

    @property
    def path(self) -> Path:
        return self.folder / str(self.settings["file"])

    @property
    def commercial_use(self) -> bool:
        return self.settings.get("commercial_use", True) is True

    def read(self) -> bytes:
        """The file's bytes, once they are known to be the manifest's.

        Raises WeightsError for a missing, truncated or altered file.
        """
        expected = str(self.settings["sha256"]).lower()
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise WeightsError(
                f"{self.path}: {error.strerror}; expected the {self.role} network with sha256 "
                f"{expected}; {RESTORE}"
            ) from error
        found = hashlib.sha256(data).hexdigest()
        if found != expected:
            raise WeightsError(
                f"{self.path}: {len(data)} bytes with sha256 {found}, expected sha256 {expected}: "
                f"the file is truncated or altered; {RESTORE}"
            )
        return data


RESTORE = "restore it from where the pack came from (its origin is in pack.toml), or reinstall"


@dataclass(frozen=True, slots=True)
class Pack:
    """A verified description of which networks there are; nothing is loaded yet."""

    name: str
    folder: Path
    entries: Mapping[str, Entry]
    similarity: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_calibrated(self) -> bool:
        """Whether false match rates were measured for its similarity scale."""
        return bool(self.similarity.get("matched"))

    def entry(self, role: str) -> Entry:
        """Raises WeightsError when the pack has no network for that role."""
        if role not in self.entries:
            raise self.lacks(role)
        return self.entries[role]

    def lacks(self, role: str) -> WeightsError:
        return WeightsError(
            f"pack {self.name!r} has no {role} network: add a [{role}] section to "
            f'{self.folder / MANIFEST}, or `extends = "default"` to its [pack] section'
        )


def read_pack(folder: str | PathLike[str] | None = None) -> Pack:
    """The pack in a folder; None or "default" is the default pack, "fast" the other one that comes
    along, where no folder has that name.

    A folder without pack.toml is read as a model folder of the insightface package. A manifest
    with `extends = "default"` borrows what it lacks from the default pack.
    Raises WeightsError for a folder or manifest that cannot be used.
    """
    if folder == "":
        raise WeightsError("a pack is the path of a folder: this one is empty")
    try:
        folder = DEFAULT_PACK if folder is None else Path(folder)
    except TypeError as error:
        raise WeightsError(f"a pack is the path of a folder, not {folder!r}") from error
    try:
        for own in (DEFAULT_PACK, FAST_PACK):
            if str(folder) == own.name and not folder.exists():
                folder = own
        is_folder, has_manifest = folder.is_dir(), (folder / MANIFEST).exists()
    except OSError as error:
        raise WeightsError(f"{folder} cannot be read: {error.strerror}") from error
    if not is_folder:
        raise WeightsError(
            f"{folder} is not a folder: a model pack is a folder with {MANIFEST} and the ONNX "
            "files it lists, or a model folder of the insightface package"
        )
    manifest = _manifest(folder) if has_manifest else implied_manifest(folder)
    if unknown := [name for name in manifest if name not in ("pack", "similarity", *ROLES)]:
        raise WeightsError(
            f"{folder / MANIFEST}: [{unknown[0]}] is no section of a pack: it knows [pack], "
            f"[similarity], {', '.join(f'[{role}]' for role in ROLES)}"
        )
    for name in ("pack", "similarity", *ROLES):
        if not isinstance(manifest.get(name, {}), dict):
            raise WeightsError(f"{folder / MANIFEST}: [{name}] is not a section of its own")
    about = manifest.get("pack", {})
    entries = {role: _entry(folder, role, manifest[role]) for role in ROLES if role in manifest}
    if about.get("extends") == "default" and folder != DEFAULT_PACK:
        base = dict(read_pack().entries)
        if "liveness" in entries:
            base.pop("liveness_context", None)  # it is fused with the liveness network beside it
        entries = {**base, **entries}
    elif "extends" in about:
        raise WeightsError(f'{folder / MANIFEST}: a pack can only extend "default"')
    return Pack(
        str(about.get("name", folder.name)), folder, entries, manifest.get("similarity", {}), about
    )


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(f"{path} cannot be read as a manifest: {error}") from error


def _entry(folder: Path, role: str, settings: Mapping[str, Any]) -> Entry:
    missing = [key for key in REQUIRED_KEYS if key not in settings]
    if missing:
        raise WeightsError(
            f"{folder / MANIFEST}: section [{role}] lacks {', '.join(missing)}; "
            "weights/README.md says what a section holds"
        )
    settled = SETTINGS.get(str(settings["kind"]))
    known = (*REQUIRED_KEYS, *ABOUT_KEYS, *(settled or settings))
    if unknown := [key for key in settings if key not in known]:
        raise WeightsError(
            f"{folder / MANIFEST}: section [{role}] has {', '.join(unknown)}, which a "
            f"{settings['kind']} does not know; it knows {', '.join(settled or ())}"
        )
    return Entry(role, folder, settings)
