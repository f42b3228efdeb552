"""Numbers of a manifest, which somebody wrote by hand."""

import math
from collections.abc import Mapping
from typing import Any


def whole(manifest: Mapping[str, Any], key: str, low: int) -> int:
    """Raises KeyError where it is missing, and ValueError unless it is a whole number from low."""
    value = manifest[key]
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise ValueError(f"{key} is a whole number from {low}, not {value!r}")
    return value


def number(
    manifest: Mapping[str, Any], key: str, low: float = -math.inf, high: float = math.inf
) -> float:
    """Raises KeyError where it is missing, and ValueError unless it is finite and low..high."""
    value = float(manifest[key])
    if not math.isfinite(value):
        raise ValueError(f"{key} is not {value}: it is a finite number")
    if not low <= value <= high:
        raise ValueError(f"{key} is not {value}: it lies between {low:g} and {high:g}")
    return value
