"""Whose the keys file is, and who else may read it."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import pytest
from shim_server import command, environment, keys_file, run

from shim.keysfile import KeysError, add, load, revoke

GROUP = 4711
AS_SOMEBODY = f"""
import os, pathlib, sys
from shim.keysfile import KeysError, load
os.setgroups([{GROUP}]), os.setgid(4712), os.setuid(4712)
try:
    print(*load(pathlib.Path(sys.argv[1])))
except KeysError as error:
    sys.exit(str(error))
"""


@contextmanager
def handed_out(mode: int) -> Iterator[Path]:
    """A keys file of root's and of GROUP."""
    # pytest's own folders are closed to other users, as TMPDIR may be.
    with TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        path = keys_file(folder)
        os.chown(path, 0, GROUP)
        path.chmod(mode)
        yield path


def read_as_somebody(path: Path) -> subprocess.CompletedProcess[str]:
    """What a server that is not root, but in GROUP, makes of it."""
    reader = [sys.executable, "-c", AS_SOMEBODY, str(path)]
    return subprocess.run(reader, env=environment(), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o610, 0o604, 0o602, 0o601])
def test_a_keys_file_that_others_can_read(tmp_path: Path, mode: int) -> None:
    """Or write, or run, which nobody means."""
    path = keys_file(tmp_path)
    path.chmod(mode)
    result = run(tmp_path, keys=path)
    assert (result.returncode, result.stdout) == (1, "")
    sentence = f"{path} can be read by others (mode {mode:o}). Make it private first: chmod 600"
    assert result.stderr == f"{sentence} {path}\n"


@pytest.mark.skipif(os.getuid() == 0 and not which("setpriv"), reason="root reads all")
def test_a_keys_file_of_somebody_else(tmp_path: Path) -> None:
    path = keys_file(tmp_path)
    path.chmod(0)
    as_anybody = ["setpriv", "--bounding-set=-all"] if os.getuid() == 0 else []  # root reads all
    result = subprocess.run(
        [*as_anybody, *command()], env=environment(keys=path), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    why = (
        "Permission denied. It must belong to the user that serves, or be root's and that user's "
        "group's to read (in Kubernetes: fsGroup)."
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"Cannot read the keys file {path}: {why}\n"


@pytest.mark.skipif(os.getuid() != 0, reason="makes files of root's")
@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        (0o440, ""),
        (0o640, ""),
        (0o400, "group's to read (in Kubernetes: fsGroup)."),
        (0o460, "(mode 460). In Kubernetes give the Secret's volume defaultMode: 0440"),
        (0o444, "(mode 444). In Kubernetes give the Secret's volume defaultMode: 0440"),
    ],
)
def test_a_file_that_kubernetes_handed_out(mode: int, sentence: str) -> None:
    """It is root's, and a group's in which the server is."""
    with handed_out(mode) as path:
        result = read_as_somebody(path)
    assert result.stdout == ("" if sentence else "shop\n")
    assert result.returncode == bool(sentence) and sentence in result.stderr


def test_a_keys_file_that_is_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    os.mkfifo(path, 0o600)
    result = run(tmp_path, keys=path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"{path} is no regular file, which could be read again. Name one.\n"


def test_a_link_to_a_keys_file_stays_one(tmp_path: Path) -> None:
    path, link = keys_file(tmp_path), tmp_path / "link.toml"
    link.symlink_to(path)
    add(link, "b", "c")
    assert link.is_symlink() and load(path) == load(link)
    assert sorted(load(path)) == ["b", "shop"]
    assert sorted(item.name for item in tmp_path.iterdir()) == ["keys.toml", "link.toml"]


@pytest.mark.skipif(os.getuid() != 0, reason="gives a file to somebody else")
def test_a_keys_file_stays_its_owners(tmp_path: Path) -> None:
    """The server's, which could not read it if it were that of who changed it."""
    path = keys_file(tmp_path)
    os.chown(path, 4711, 4712)
    add(path, "b", "c")
    assert (path.stat().st_uid, path.stat().st_gid) == (4711, 4712)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.getuid() != 0, reason="makes files of root's")
@pytest.mark.parametrize("mode", [0o440, 0o640])
def test_a_keys_file_that_root_changes_for_a_server(mode: int) -> None:
    """It stays the server's to read, so that a key that is taken back is."""
    with handed_out(mode) as path:
        add(path, "b", "c")
        revoke(path, "shop")
        assert list(load(path, managing=True)) == ["b"]
        kept = path.stat()
        assert (kept.st_uid, kept.st_gid, stat.S_IMODE(kept.st_mode)) == (0, GROUP, mode)
        result = read_as_somebody(path)
        with pytest.raises(KeysError, match=rf"others \(mode {mode:o}\)\. .*chmod 600"):
            load(path)  # as a server that is root
    assert (result.returncode, result.stdout) == (0, "b\n"), result.stderr
