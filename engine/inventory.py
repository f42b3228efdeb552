"""What an engine has loaded, and what whoever runs it should know of that."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import cv2
import numpy as np

from engine.networks import Networks
from engine.packs import Pack
from engine.runtime import Runtime
from engine.version import VERSION

_SHOWN = ("kind", "file", "sha256", "licence", "origin")


def inventory(pack: Pack, networks: Networks, runtime: Runtime) -> dict[str, Any]:
    """As Engine.info() says."""
    described: dict[str, dict[str, Any]] = {}
    for role, entry in pack.entries.items():
        described[role] = {key: entry.settings[key] for key in _SHOWN}
        described[role]["folder"] = str(entry.folder)
        if role in networks.loaded:
            network = networks.loaded[role]
            described[role] |= {
                "providers": list(network.providers),
                "runs": network.runs,
                "seconds": network.seconds,
            }
    return {
        "pack": {**pack.about, "name": pack.name, "folder": str(pack.folder)},
        "networks": described,
        "similarity": {**deepcopy(dict(pack.similarity)), "calibrated": pack.is_calibrated},
        "providers": list(runtime.providers.active),
        "threads": runtime.threads,
        "versions": {
            "engine": VERSION,
            "onnxruntime": runtime.version,
            "numpy": np.__version__,
            "opencv": cv2.__version__,
        },
    }


def cautions(pack: Pack) -> Iterator[str]:
    """Sentences for a log."""
    restricted = [role for role, entry in pack.entries.items() if not entry.commercial_use]
    if restricted:
        yield f"{', '.join(restricted)} for non-commercial use only"
    if not pack.is_calibrated:
        yield (
            "nobody has measured how often strangers pass its threshold; from a checkout "
            f"weights/build/calibrate.py PHOTOS --pack {pack.folder} does"
        )
