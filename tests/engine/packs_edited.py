"""Packs for tests: copies changed in one place, and one with liveness of a known network."""

import hashlib
from pathlib import Path

from engine.packs import DEFAULT_PACK

NETWORK = DEFAULT_PACK / "liveness_minifasnet.onnx"


def edit(pack: Path, old: str, new: str) -> None:
    """Put other words into the manifest."""
    manifest = pack / "pack.toml"
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new))


def store(pack: Path, file: str, data: bytes) -> None:
    """Put another network in a file's place, and its checksum into the manifest."""
    old = hashlib.sha256((pack / file).read_bytes()).hexdigest()
    (pack / file).write_bytes(data)
    edit(pack, old, hashlib.sha256(data).hexdigest())


def with_liveness(folder: Path, tight: str = "", wide: str | None = None) -> Path:
    """A pack with a liveness network of its own, and perhaps one for the context, to which these
    settings are added."""
    folder.mkdir(exist_ok=True)
    (folder / NETWORK.name).write_bytes(NETWORK.read_bytes())
    scale = "slope = 0.3\nintercept = 0.1\nthreshold = -11.0\n"
    text = '[pack]\nextends = "default"\n' + _section("liveness", 1.4, scale + tight)
    if wide is not None:
        text += _section("liveness_context", 2.7, wide)
    base = (DEFAULT_PACK / "pack.toml").read_text()
    similarity = base[base.index("[similarity]") : base.index("[liveness]")]
    (folder / "pack.toml").write_text(text + similarity)
    return folder


def _section(role: str, crop: float, settings: str) -> str:
    digest = hashlib.sha256(NETWORK.read_bytes()).hexdigest()
    return (
        f'[{role}]\nkind = "crop_classifier"\nfile = "{NETWORK.name}"\nsha256 = "{digest}"\n'
        f'licence = "MIT"\norigin = "a copy"\nsize = 128\ncrop = {crop}\nlive_class = 0\n{settings}'
    )
