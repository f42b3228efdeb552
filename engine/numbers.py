"""Numbers of a manifest, which somebody wrote by hand."""

import math
from collections.abc import Mapping
from typing import Any


def number(
    manifest: Mapping[str, Any], key: str, low: float = -math.inf, high: float = math.inf
) -> float:
    """Raises KeyError where it is missing, and ValueError unless it is finite and low..high."""
    value = float(manifest[key])
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"{key} is not {value}: it lies between {low:g} and {high:g}")
    return value
