"""Files of pictures: read with a limit, and written."""

from os import PathLike
from pathlib import Path

from engine.errors import ImageError

MAX_BYTES = 1_000_000_000
"""Five times a BMP with all the pixels that a picture may have."""

LONGEST_PATH = 4096
"""Characters (Linux)."""


def read(path: str | PathLike[str]) -> bytes:
    """A picture's file. Raises ImageError for one that cannot be read or is over MAX_BYTES."""
    if path == "":
        raise ImageError("a picture's path is empty")
    try:
        return _read(Path(path))
    except OSError as error:
        raise ImageError(f"cannot read {_shown(path)}: {error.strerror}") from error
    except (TypeError, ValueError) as error:  # no path on this system
        raise ImageError(f"cannot read {_shown(path)!r}: {error}") from error


def _shown(path: str | PathLike[str]) -> str:
    """In a message, where a picture in base64 has no place."""
    text = str(path)
    if len(text) <= LONGEST_PATH:
        return text
    return f"{text[:20]}... ({len(text):,} characters; base64 is given as bytes, decoded)"


def _read(path: Path) -> bytes:
    size = path.stat().st_size
    if 0 < size <= MAX_BYTES:
        return path.read_bytes()
    data = bytearray()
    if not size:  # empty, or a device or a pipe, which tell no size and may have no end
        with path.open("rb") as file:
            while len(data) <= MAX_BYTES and (part := file.read(1 << 20)):
                data += part
    if size > MAX_BYTES or len(data) > MAX_BYTES:
        raise ImageError(f"{path}: a file of over {MAX_BYTES // 1_000_000} MB is no picture")
    return bytes(data)


def write(data: bytes, path: Path) -> None:
    """Raises ImageError where it cannot be written."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ImageError(f"cannot write {path}: {error.strerror}") from error
