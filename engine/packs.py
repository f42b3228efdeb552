"""Model packs: a folder of networks with a manifest that says what each one is."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from engine.errors import WeightsError
from engine.manifests import MANIFEST, ROLES, read_manifest
from engine.zoo_folder import implied_manifest

DEFAULT_PACK = Path(__file__).resolve().parent.parent / "weights" / "default"
FAST_PACK = DEFAULT_PACK.with_name("fast")
MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What numpy and others raise where a manifest and a network do not go together."""
RESTORE = "restore it from where the pack came from (its origin is in pack.toml), or reinstall"


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

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Raises WeightsError, which names the manifest's section, for what does not fit in it."""
        try:
            yield
        except MISFITS as error:
            what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else error
            raise WeightsError(
                f"{self.folder / MANIFEST}: [{name}]: {what}; "
                "weights/README.md says what each section holds"
            ) from error

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
    manifest = read_manifest(folder) if has_manifest else implied_manifest(folder)
    about = manifest.get("pack", {})
    entries = {role: Entry(role, folder, manifest[role]) for role in ROLES if role in manifest}
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
