"""The keys file: made, changed, damaged, read again."""

import random
import re
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import Start
from shim_client import APP_ID, Client, image
from shim_server import command, environment, keys_file, run, wait_for

from shim.keysfile import KeysError, add, load, revoke


@pytest.mark.parametrize(
    "text",
    [
        *("keys", "[keys]\na = 1\n", '[keys]\na = ""\n', '[keys]\n"a b" = "c"\n', "keys = 3\n"),
        *("", '[key]\na = "b"\n', "keys = " + "[" * 100_000, "[keys]\na = " + "1" * 5000),
    ],
)
def test_a_damaged_keys_file(tmp_path: Path, text: str) -> None:
    result = run(tmp_path, keys=keys_file(tmp_path, text))
    assert result.returncode == 1
    assert "[keys]" in result.stderr and "Traceback" not in result.stderr


def test_keys_add_list_revoke(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    made = run(tmp_path, "keys", "add", "shop", "--file", str(path))
    app_id, app_key = made.stdout.split()
    assert (app_id, made.returncode) == ("shop", 0)
    assert made.stderr == f"Start with it: BIOAUTH_KEYS={path} python -m shim\n"
    assert re.fullmatch("[A-Z0-9]{32}", app_key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    second = run(tmp_path, "keys", "add", keys=path)
    assert second.stderr == "A running server takes this over on SIGHUP.\n"
    other = second.stdout.split()[0]
    assert re.fullmatch("[0-9]{16}", other)
    listed = run(tmp_path, "keys", "list", keys=path, port="no concern of it")
    assert listed.stdout.split() == ["shop", other]
    assert app_key not in listed.stdout + listed.stderr
    again = run(tmp_path, "keys", "add", "shop", keys=path)
    taken = "shop has a key already. Revoke it first to give it a new one.\n"
    assert (again.returncode, again.stderr) == (1, taken)
    assert run(tmp_path, "keys", "revoke", "shop", keys=path).returncode == 0
    unknown = run(tmp_path, "keys", "revoke", "shop", keys=path)
    assert (unknown.returncode, unknown.stderr) == (1, f"shop is not in {path}.\n")
    assert run(tmp_path, "keys", "list", keys=path).stdout.split() == [other]
    assert run(tmp_path, "keys", "revoke", other, keys=path).returncode == 0
    assert run(tmp_path, "keys", "add", "shop", keys=path).returncode == 0  # the last may go
    assert [item.name for item in tmp_path.iterdir()] == ["keys.toml"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="reads TOML with a package")
def test_keys_need_no_packages(tmp_path: Path) -> None:
    bare = [sys.executable, "-S", *command("keys", "list")[1:]]
    listed = subprocess.run(
        bare, env=environment(keys=keys_file(tmp_path)), capture_output=True, text=True, check=False
    )
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, "shop\n", "")


def test_keys_files_that_nobody_can_reach(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.symlink_to(path)
    result = run(tmp_path, "keys", "add", keys=path)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert f"Cannot write the keys file {path}" in result.stderr


def test_a_keys_file_that_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = keys_file(tmp_path, '\ufeff[keys]\na = "b"\n')
    add(path, "c", "d")
    assert load(path) == {"a": "b", "c": "d"}


@pytest.mark.parametrize(("app_id", "taken"), [("x" * 64, True), ("x" * 65, False), ("x.y", False)])
def test_what_is_an_app_id(tmp_path: Path, app_id: str, taken: bool) -> None:
    path = keys_file(tmp_path)
    if taken:
        assert add(path, app_id, "key") == (app_id, "key")
        return
    with pytest.raises(KeysError, match='An app id has 1 to 64 letters, digits, "-" and "_"'):
        add(path, app_id, "key")
    assert list(load(path)) == ["shop"]


def test_keys_of_any_characters_survive_a_change(tmp_path: Path) -> None:
    path = keys_file(tmp_path, '[keys]\na = "x\\u007f\\u0000é\\"\\\\"\n')
    assert run(tmp_path, "keys", "add", "b", keys=path).returncode == 0
    assert load(path)["a"] == 'x\x7f\0é"\\'


def test_a_change_is_one_line(tmp_path: Path) -> None:
    """Comments, other tables and the way in which a key is written stay."""
    before = (
        '# ours\n[keys]\n# till May\n"a-1"=\'x\'  # Ann\r\n  b = "y"\n\n'
        '# a-1 is Ann\n[names]\nb = "a-1"\n'
    )
    path = keys_file(tmp_path, before)
    assert add(path, "c", "z") == ("c", "z")
    assert path.read_bytes().decode() == before.replace('"y"\n', '"y"\nc = "z"\n')
    revoke(path, "c")
    assert path.read_bytes().decode() == before
    revoke(path, "a-1")
    assert path.read_bytes().decode() == before.replace("\"a-1\"='x'  # Ann\r\n", "")
    revoke(path, "b")
    assert load(path) == {} and path.read_text().endswith('[names]\nb = "a-1"\n')


def test_a_keys_file_in_another_form(tmp_path: Path) -> None:
    text = 'keys = { a = "b" }\n'
    path = keys_file(tmp_path, text)
    for arguments in (("add",), ("revoke", "a")):
        result = run(tmp_path, "keys", *arguments, keys=path)
        assert (result.returncode, result.stdout) == (1, "")
        sentence = '[keys] is not written as one id = "key" a line. Change it by hand.'
        assert result.stderr == f"{path}: {sentence}\n"
    assert path.read_text() == text


def test_keys_added_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda _: run(tmp_path, "keys", "add", keys=path).stdout.split(), range(16))
        pairs = dict(made)
    assert load(path) == pairs and len(pairs) == 16


def test_a_keys_file_that_cannot_be_written(tmp_path: Path) -> None:
    path = keys_file(tmp_path)
    before = path.read_text()
    full = ["sh", "-c", 'ulimit -f 0; exec "$@"', "-", *command("keys", "add")]
    result = subprocess.run(
        full, env=environment(keys=path), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"Cannot write the keys file {path}: File too large.\n"
    assert path.read_text() == before and list(tmp_path.iterdir()) == [path]


def test_keys_are_read_again_on_sighup(start: Start, tmp_path: Path, selfie: bytes) -> None:
    path = keys_file(tmp_path)
    served = start(keys=path)
    first = Client(served.url, "shop", "secret-of-the-shop")

    def detects(client: Client) -> str:
        code: str = client.post("detect", image=signed(client))[2]["errorcode"]
        return code

    def signed(client: Client) -> dict[str, object]:
        from shim_client import sign

        made = image(selfie)
        return {**made, "token": sign(made["data"].encode(), client.pair[1])}

    assert detects(first) == "0"
    app_id, app_key = run(tmp_path, "keys", "add", keys=path).stdout.split()
    second = Client(served.url, app_id, app_key)
    assert detects(second) == "5"
    served.process.send_signal(signal.SIGHUP)
    wait_for(served.log, "keys read again")
    assert [detects(second), detects(first)] == ["0", "0"]
    assert run(tmp_path, "keys", "revoke", "shop", keys=path).returncode == 0
    served.process.send_signal(signal.SIGHUP)
    wait_for(served.log, "keys read again", 2)
    assert [detects(second), detects(first)] == ["0", "5"]
    # A mistake in the file must not lock anybody out.
    damaged = "nonsense", "", "keys = " + "[" * 100_000, "[keys]\na = " + "1" * 5000
    for count, text in enumerate(damaged, start=1):
        path.write_text(text)
        served.process.send_signal(signal.SIGHUP)
        wait_for(served.log, "The old keys stay in force", count)
        assert detects(second) == "0"
    assert "nonsense" not in served.log.read_text()
    path.chmod(0o644)
    served.process.send_signal(signal.SIGHUP)
    private = f"can be read by others (mode 644). Make it private first: chmod 600 {path}"
    wait_for(served.log, f'The old keys stay in force: {path} {private}"')
    assert detects(second) == "0"
    assert Client(served.url).post("detect")[2]["errorcode"] == "5"  # the sample pair is demo only
    assert APP_ID not in served.log.read_text()


def test_keys_are_not_drawn_from_a_seed(tmp_path: Path) -> None:
    """As those of Python's random are, which whoever knows it can draw again."""
    made = []
    for _ in range(2):
        random.seed(1)
        made.append(add(tmp_path / "keys.toml", None))
    assert made[0][0] != made[1][0] and made[0][1] != made[1][1]


def test_a_list_that_nobody_reads_on(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    for app_id in ("a", "b"):
        add(path, app_id)
    listing = command("keys", "list", "--file", str(path))
    for told, status, line in (
        ("| true", 0, b""),
        ("> /dev/full", 1, b"Standard output cannot be written (No space left on device).\n"),
    ):
        shell = ["bash", "-o", "pipefail", "-c", f'"$@" {told}', "-", *listing]
        result = subprocess.run(shell, capture_output=True, timeout=60, env=environment())
        assert (result.returncode, result.stderr) == (status, line)
