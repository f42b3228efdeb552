"""A file of secrets, read only while nobody else can read it."""

import os
import stat
from pathlib import Path


class NotPrivate(Exception):  # noqa: N818 - it names the state
    """A file that is not to be relied on as a secret. The message says what to do about it."""


def read(path: Path, managing: bool = False) -> bytes:
    """What the file holds. Raises NotPrivate, and OSError where it cannot be read.

    It is closed to all but its owner; or root's, for a server that is not root, and no more than
    read by its group: Kubernetes hands secrets out like that. managing: root may read that, too,
    for a server of that group; a server that is root may not.
    """
    with open(path, "rb", opener=_at_once) as file:
        _check(path, os.fstat(file.fileno()), managing)
        return file.read()


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a named pipe would wait for somebody to write


def _check(path: Path, it: os.stat_result, managing: bool) -> None:
    if not stat.S_ISREG(it.st_mode):
        raise NotPrivate(f"{path} is no regular file, which could be read again. Name one.")
    mode = f"mode {it.st_mode & 0o777:o}"
    if it.st_uid == 0 and (os.geteuid() != 0 or (managing and it.st_gid != 0)):
        if it.st_mode & 0o037:
            raise NotPrivate(
                f"{path} is root's, and its group may do more than read it or others anything "
                f"({mode}). In Kubernetes give the Secret's volume defaultMode: 0440, and "
                f"elsewhere: chmod 440 {path}"
            )
    elif it.st_mode & 0o077:
        raise NotPrivate(
            f"{path} can be read by others ({mode}). Make it private first: chmod 600 {path}"
        )
