"""The keys file: app id -> app key, in TOML that nobody but the server can read.

[keys]
6222980101038034 = "1234567890ABCDEFGH"

A change adds or takes out one line; all others, comments and other tables stay as they are.
"""

import codecs
import fcntl
import json
import os
import re
import secrets
import string
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from shim import private
from shim.private import NotPrivate

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_APP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY_LETTERS = string.ascii_uppercase + string.digits


class KeysError(Exception):
    """The keys file cannot be used. The message says what to do about it."""


def load(path: Path, managing: bool = False) -> dict[str, str]:
    """App id -> app key. Raises KeysError when the file is missing, readable by others or wrong.

    managing: for somebody who looks after the file, and does not serve by it.
    """
    pairs: dict[str, str] = _parse(path, _read(path, managing))["keys"]
    return pairs


def _read(path: Path, managing: bool = True) -> bytes:
    try:
        return private.read(path, managing).removeprefix(codecs.BOM_UTF8)
    except NotPrivate as error:
        raise KeysError(str(error)) from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _parse(path: Path, data: bytes) -> dict[str, Any]:
    """All tables of the file, of which [keys] is sound."""
    try:
        tables = tomllib.loads(data.decode())
        pairs = tables["keys"]
    except (ValueError, KeyError, RecursionError):
        # ValueError: no UTF-8, no TOML, or too large a number
        # Not quoted: the parser's message may hold a piece of a key.
        raise KeysError(f'{path} is not a TOML file with a [keys] table of id = "key".') from None
    if not isinstance(pairs, dict) or not all(
        _APP_ID.fullmatch(app_id) and isinstance(app_key, str) and app_key
        for app_id, app_key in pairs.items()
    ):
        raise KeysError(f'{path}: every line of [keys] has the form id = "key", both not empty.')
    return tables


def add(path: Path, app_id: str | None = None, app_key: str | None = None) -> tuple[str, str]:
    """Store a key for an app id, new ones where None is given, and return both.

    Raises KeysError when the id exists already or is not made of letters, digits, "-" and "_", when
    the key is empty, and when the file cannot be read or written, or is not changed by one line.
    """
    if app_id is None:
        app_id = "".join(secrets.choice(string.digits) for _ in range(16))
    if not _APP_ID.fullmatch(app_id):
        raise KeysError('An app id has 1 to 64 letters, digits, "-" and "_".')
    if app_key is None:
        app_key = "".join(secrets.choice(_KEY_LETTERS) for _ in range(32))
    if not app_key:
        raise KeysError("The key is empty.")
    with _alone(path):
        data = _read(path) if _exists(path) else b"[keys]\n"
        tables = _parse(path, data)
        if app_id in tables["keys"]:
            raise KeysError(f"{app_id} has a key already. Revoke it first to give it a new one.")
        tables["keys"][app_id] = app_key
        line = f"{app_id} = {_quoted(app_key)}"
        lines = data.decode().split("\n")
        below = [at for at, it in enumerate(lines, 1) if it.strip()[:1] not in ("", "#")]
        _change(path, tables, ([*lines[:at], line, *lines[at:]] for at in reversed(below)))
    return app_id, app_key


def revoke(path: Path, app_id: str) -> None:
    """Take an app id's line out. Raises KeysError when it is not there, and as add does."""
    with _alone(path):
        data = _read(path)
        tables = _parse(path, data)
        if tables["keys"].pop(app_id, None) is None:
            raise KeysError(f"{app_id} is not in {path}.")
        lines = data.decode().split("\n")
        of_it = [at for at, line in enumerate(lines) if app_id in line]
        _change(path, tables, ([*lines[:at], *lines[at + 1 :]] for at in of_it))


def _change(path: Path, tables: dict[str, Any], ways: Iterator[list[str]]) -> None:
    """Store the first of several texts that holds just these tables."""
    for lines in ways:
        text = "\n".join(lines)
        with suppress(ValueError):
            if tomllib.loads(text) == tables:
                return _store(path, text)
    raise KeysError(f'{path}: [keys] is not written as one id = "key" a line. Change it by hand.')


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise _unwritable(path, error) from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One change at a time: the later of two at once would undo the other."""
    try:
        folder = os.open(path.resolve().parent, os.O_RDONLY)
    except RuntimeError:  # Python's below 3.13 for a link to itself
        raise KeysError(f"Cannot write the keys file {path}: it is a link to itself.") from None
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # not the file: that is another one after each change
        yield
    finally:
        os.close(folder)


def _store(path: Path, text: str) -> None:
    """Replace the file in one step, private from its first byte, then owned and read as before."""
    path = path.resolve()
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            owner = path.stat()
            if (owner.st_uid, owner.st_gid) != (os.getuid(), os.getgid()):
                os.chown(temporary, owner.st_uid, owner.st_gid)
            Path(temporary).chmod(owner.st_mode & 0o640)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
        raise _unwritable(path, error) from None


def _quoted(text: str) -> str:
    """As TOML writes it, which unlike JSON escapes the delete character too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _unreadable(path: Path, error: OSError) -> KeysError:
    match error:
        case FileNotFoundError():
            advice = f" Make one: python -m shim keys add --file {path}"
        case PermissionError():
            advice = (
                " It must belong to the user that serves, or be root's and that user's group's to "
                "read (in Kubernetes: fsGroup)."
            )
        case IsADirectoryError():
            advice = " Name a file in that folder."
        case _:
            advice = ""
    return KeysError(f"Cannot read the keys file {path}: {error.strerror}.{advice}")


def _unwritable(path: Path, error: OSError) -> KeysError:
    return KeysError(f"Cannot write the keys file {path}: {error.strerror}.")
