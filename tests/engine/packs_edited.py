"""Copies of packs, changed in one place."""

import hashlib
from pathlib import Path


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
