"""Files written as a whole, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """Where to write what takes the file's place at the end. Where that fails, as for want of room,
    what was there stays; where the file is a link, what it leads to is replaced."""
    file = file.resolve()
    new = file.with_name(f".{file.name}.new")
    try:
        yield new
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
