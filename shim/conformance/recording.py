"""What a server really answered, kept as JSON, and our answers held against it."""

import json
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shim.conformance.judge import shape
from shim.conformance.transport import Reply

_IGNORED = ("time",)
_SCORES = ("similarity", "ref_thres")
_FREE = ("bio_score",)  # each server has a scale of its own: the verdict stands beside it
_PIXELS = ("x", "y", "width", "height")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far two servers with different networks may be apart."""

    score: float = 0.05
    pixels: float = 10


def kept(reply: Reply) -> dict[str, Any]:
    """A reply as it goes into a recording."""
    try:
        body = json.loads(reply.body)
    except ValueError:
        body = reply.body.decode("utf-8", "replace")
    return {"status": reply.status, "body": body}


def save(path: Path, recording: dict[str, dict[str, Any]]) -> None:
    """Write a recording: case name -> reply. What was in a file is lost only once it is whole."""
    text = json.dumps(recording, ensure_ascii=False, indent=1) + "\n"
    if path.exists() and not path.is_file():  # a pipe, such as /dev/stdout
        path.write_text(text, "utf-8")
        return
    path = path.resolve()
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, "utf-8")
    new.replace(path)


def load(path: Path) -> dict[str, dict[str, Any]]:
    """Read a recording. Raises OSError, and ValueError for what is none."""
    recording = json.loads(path.read_text("utf-8"))
    if not isinstance(recording, dict):
        raise ValueError("it is no recording, which is an object of replies by case")
    return recording


def differences(recorded: dict[str, Any], reply: Reply, tolerance: Tolerance) -> list[str]:
    """How a reply differs from the recorded one, but for what must differ."""
    return list(_compare("", recorded, kept(reply), tolerance))


def _compare(name: str, theirs: Any, ours: Any, tolerance: Tolerance) -> Iterator[str]:
    last = name.rpartition(".")[2]
    if last in _IGNORED:
        return
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if theirs.keys() != ours.keys():
            yield f"{name or 'reply'} has {sorted(ours)}, theirs {sorted(theirs)}"
        for key in theirs.keys() & ours.keys():
            yield from _compare(f"{name}.{key}".lstrip("."), theirs[key], ours[key], tolerance)
    elif isinstance(theirs, list) and isinstance(ours, list):
        if len(theirs) != len(ours):
            yield f"{name} has {len(ours)} elements, theirs {len(theirs)}"
        for mine, other in zip(ours, theirs, strict=False):
            yield from _compare(name, other, mine, tolerance)
    elif type(theirs) is not type(ours) or not _close(last, theirs, ours, tolerance):
        yield f"{name} is {str(ours)[:60]!r}, theirs {str(theirs)[:60]!r}"


def _close(name: str, theirs: Any, ours: Any, tolerance: Tolerance) -> bool:
    if theirs == ours:
        return True
    with suppress(TypeError, ValueError, OverflowError):  # of what is no number
        if name in _FREE:
            return math.isfinite(float(theirs)) and math.isfinite(float(ours))
        if name in _SCORES:
            return abs(float(theirs) - float(ours)) <= tolerance.score
        if name in _PIXELS:
            return abs(float(theirs) - float(ours)) <= tolerance.pixels
    return name == "data" and shape(theirs) is not None and shape(theirs) == shape(ours)
