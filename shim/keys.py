"""Key pairs: app id -> app key, from a TOML file that only its owner can read.

[keys]
6222980101038034 = "1234567890ABCDEFGH"
"""

import fcntl
import json
import os
import re
import secrets
import string
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from shim import signing

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DEMO = {"6222980101038034": "1234567890ABCDEFGH"}  # the document's sample pair, section 1.6 and 6
_APP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY_LETTERS = string.ascii_uppercase + string.digits


class KeysError(Exception):
    """The keys file cannot be used. The message says what to do about it."""


class KeyStore:
    """The HMAC key of every app id. Reading is safe while another thread reloads."""

    def __init__(self, pairs: Mapping[str, str], path: Path | None = None) -> None:
        self._path = path
        self._secrets = _secrets(pairs)

    @classmethod
    def open(cls, path: Path) -> "KeyStore":
        """Read a keys file. Raises KeysError."""
        return cls(load(path), path)

    def get(self, app_id: str) -> bytes | None:
        """The HMAC key of an app id, or None when nobody has that id."""
        return self._secrets.get(app_id)

    def reload(self) -> None:
        """Read the file again. Raises KeysError and keeps the old keys when it cannot be used."""
        if self._path is not None:
            self._secrets = _secrets(load(self._path))

    def __len__(self) -> int:
        return len(self._secrets)


def _secrets(pairs: Mapping[str, str]) -> dict[str, bytes]:
    return {app_id: signing.secret(app_key) for app_id, app_key in pairs.items()}


def load(path: Path) -> dict[str, str]:
    """App id -> app key. Raises KeysError when the file is missing, readable by others or wrong."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & 0o077:
                raise KeysError(
                    f"{path} can be read by others (mode {mode & 0o777:o}). "
                    f"Make it private first: chmod 600 {path}"
                )
            pairs = tomllib.load(file)["keys"]
    except OSError as error:
        raise _unreadable(path, error) from None
    except (ValueError, KeyError, RecursionError):  # the first of text, of TOML and of huge numbers
        # Not quoted: the parser's message may hold a piece of a key.
        raise KeysError(f'{path} is not a TOML file with a [keys] table of id = "key".') from None
    if not isinstance(pairs, dict) or not all(
        _APP_ID.fullmatch(app_id) and isinstance(app_key, str) and app_key
        for app_id, app_key in pairs.items()
    ):
        raise KeysError(f'{path}: every line of [keys] has the form id = "key", both not empty.')
    return pairs


def add(path: Path, app_id: str | None = None, app_key: str | None = None) -> tuple[str, str]:
    """Store a key for an app id, new ones where None is given, and return both.

    Raises KeysError when the id exists already or is not made of letters, digits, "-" and "_", when
    the key is empty, and when the file cannot be read or written.
    """
    app_id = app_id or "".join(secrets.choice(string.digits) for _ in range(16))
    if not _APP_ID.fullmatch(app_id):
        raise KeysError('An app id has 1 to 64 letters, digits, "-" and "_".')
    if app_key is None:
        app_key = "".join(secrets.choice(_KEY_LETTERS) for _ in range(32))
    if not app_key:
        raise KeysError("The key is empty.")
    with _alone(path):
        pairs = load(path) if _exists(path) else {}
        if app_id in pairs:
            raise KeysError(f"{app_id} has a key already. Revoke it first to give it a new one.")
        pairs[app_id] = app_key
        _store(path, pairs)
    return app_id, app_key


def revoke(path: Path, app_id: str) -> None:
    """Take an app id out of the file. Raises KeysError when it is not there, and as add does."""
    with _alone(path):
        pairs = load(path)
        if pairs.pop(app_id, None) is None:
            raise KeysError(f"{app_id} is not in {path}.")
        _store(path, pairs)


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


def _store(path: Path, pairs: Mapping[str, str]) -> None:
    """Replace the file in one step, private from its first byte and owned as before."""
    path = path.resolve()
    lines = [f"{app_id} = {_quoted(app_key)}" for app_id, app_key in pairs.items()]
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join(["[keys]", *lines, ""]))
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            owner = path.stat()
            if (owner.st_uid, owner.st_gid) != (os.getuid(), os.getgid()):
                os.chown(temporary, owner.st_uid, owner.st_gid)
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
            advice = " It must belong to the user that serves."
        case IsADirectoryError():
            advice = " Name a file in that folder."
        case _:
            advice = ""
    return KeysError(f"Cannot read the keys file {path}: {error.strerror}.{advice}")


def _unwritable(path: Path, error: OSError) -> KeysError:
    return KeysError(f"Cannot write the keys file {path}: {error.strerror}.")
