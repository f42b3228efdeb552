"""What a report was made with, so that its figures can be made again."""

import argparse
import hashlib
import time
from pathlib import Path
from typing import Any

import onnxruntime

from engine.manifests import MANIFEST
from engine.packs import read_pack
from engine.version import VERSION

_SECRET = ("app_key", "run")
"""Keys of a service, and what argparse holds beside the arguments."""


def provenance(args: argparse.Namespace, networks: bool = True) -> dict[str, Any]:
    """The command with its arguments, the date (UTC), versions, and the pack by its manifest's
    checksum, which names that of every network in it. Raises WeightsError for a folder that is no
    pack.

    networks: whether any ran here; of a service that was measured alone nobody here knows its own.
    """
    given = {name: _plain(value) for name, value in vars(args).items() if name not in _SECRET}
    made = {
        "command": given.pop("command", None),
        "arguments": given,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "engine": VERSION,
    }
    if not networks:
        return made
    pack = read_pack(args.pack)
    return {
        **made,
        "onnxruntime": onnxruntime.__version__,
        "pack": pack.name,
        "pack_sha256": hashlib.sha256((pack.folder / MANIFEST).read_bytes()).hexdigest(),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Path) else value
