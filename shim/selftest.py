"""Whether the networks work: each is run on a built-in picture of one face.

No call may fail, detect must find that face alone and where it is, and descreen must see no mesh.
What compare and liveness answer is not judged. The picture is a part of NASA's portrait of the
astronaut Eileen Collins, in the public domain.
"""

from collections.abc import Callable
from importlib.resources import files

from engine import Engine, EngineError, WeightsError

_FACE = (60.0, 47.0, 66.0, 83.0)  # x, y, width, height in pixels
_MIN_OVERLAP = 0.5  # intersection over union: detectors differ in what they count as face

_Check = Callable[[Engine, bytes], str | None]


def run(engine: Engine) -> list[str]:
    """What is wrong, in sentences; nothing when all is well.

    A network that the pack does not have is not wrong: the calls that need it say so.
    """
    picture = (files("shim.conformance") / "pictures" / "face.jpg").read_bytes()
    checks: tuple[_Check, ...] = (_detect, _compare, _liveness, _descreen)
    return [trouble for check in checks if (trouble := _outcome(check, engine, picture))]


def _outcome(check: _Check, engine: Engine, picture: bytes) -> str | None:
    try:
        return check(engine, picture)
    except WeightsError:
        return None
    except EngineError as error:
        return f"{check.__name__[1:]} failed on the built-in picture: {error}"


def _detect(engine: Engine, picture: bytes) -> str | None:
    found = engine.detect(picture)
    if len(found) == 1 and _overlap(found[0].box, _FACE) >= _MIN_OVERLAP:
        return None
    return f"detect found {len(found)} faces in the built-in picture, or one in the wrong place"


def _compare(engine: Engine, picture: bytes) -> None:
    engine.compare(picture, picture)


def _liveness(engine: Engine, picture: bytes) -> None:
    engine.liveness(picture)


def _descreen(engine: Engine, picture: bytes) -> str | None:
    changed = engine.descreen(picture).changed
    return "descreen sees a mesh where there is none" if changed else None


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0.0, width) * max(0.0, height)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)
