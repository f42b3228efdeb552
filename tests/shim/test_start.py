"""Starting, refusing to start, settings and key pairs."""

import http.client
import os
import re
import signal
import socket
import stat
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import Start
from shim_client import APP_ID, Client, image
from shim_server import END_S, command, environment, run

from shim.keys import load
from shim.settings import Settings


def keys_file(folder: Path, text: str = '[keys]\n"shop" = "secret-of-the-shop"\n') -> Path:
    path = folder / "keys.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("arguments", "settings", "sentence"),
    [
        ([], {}, "No key pairs. Make one with: python -m shim keys add"),
        ([], {"keys": "nowhere.toml"}, "Cannot read the keys file nowhere.toml: No such file"),
        (["--demo", "--host", "0.0.0.0"], {}, "loopback only, not on 0.0.0.0"),
        (["--demo"], {"host": "example.org"}, "loopback only, not on example.org"),
        (["--demo", "--port", "70000"], {}, "--port must be a whole number"),
        (["--demo"], {"port": "http"}, "BIOAUTH_PORT must be a whole number from 0 to 65535"),
        (["--demo"], {"aliases": "maybe"}, "BIOAUTH_ALIASES must be 1 or 0"),
        (["--demo"], {"slots": 0}, "BIOAUTH_SLOTS must be a whole number from 1"),
        (["--demo"], {"queue_timeout_s": "soon"}, "BIOAUTH_QUEUE_TIMEOUT_S must be a number"),
        (["--demo"], {"bpcer": 5}, "BIOAUTH_BPCER must be a rate between 0 and 1"),
        (["--demo", "--port", "0"], {"bpcer": "1e-7", "ops": 0}, "BPCER"),
        (["--demo"], {"pack": "nowhere"}, "nowhere"),
        (["--demo"], {"providers": "TPUExecutionProvider"}, "TPUExecutionProvider"),
        (["--demo", "--port", "0"], {"ops_host": "192.0.2.1"}, "Cannot serve on"),
        (["--demo"], {"ops_host": "no.such.host.invalid"}, "no.such.host.invalid is no address"),
        ([], {"keys": "~nosuchuser/k"}, "BIOAUTH_KEYS must be a path whose ~"),
        ([], {"keys": "1e3", "keys__x": 1}, "Cannot read the keys file 1e3: No such file"),
        (["--demo"], {"port": "9" * 5000}, "BIOAUTH_PORT must be a whole number from 0 to 65535"),
        (["--demo"], {"drain_s": "nan"}, "BIOAUTH_DRAIN_S must be a number of seconds"),
    ],
)
def test_refusing_to_start(
    tmp_path: Path, arguments: list[str], settings: dict[str, object], sentence: str
) -> None:
    result = run(tmp_path, *arguments, **settings)
    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert not result.stdout


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(tmp_path, "--demo", "--port", str(port), ops_port=0)
    assert result.returncode == 1
    assert f"Cannot serve on 127.0.0.1:{port}" in result.stderr.splitlines()[-1]


def test_a_host_that_nobody_knows(tmp_path: Path) -> None:
    result = run(tmp_path, keys=keys_file(tmp_path), host="no.such.host.invalid", ops=0)
    assert (result.returncode, result.stdout) == (1, "")
    assert "no.such.host.invalid is no address" in result.stderr.splitlines()[-1]


def test_a_host_by_its_name(start: Start) -> None:
    """Where it is ::1 as well, too: clients and scrapers know it by 127.0.0.1."""
    served = start("--demo", host="localhost", ops_host="localhost")
    assert served.url.startswith("http://localhost:")
    for url, path, status in ((served.url, "/", 404), (served.ops_url, "/readyz", 200)):
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=10)
        connection.request("GET", path)
        assert connection.getresponse().status == status
        connection.close()


def test_a_keys_file_that_others_can_read(tmp_path: Path) -> None:
    path = keys_file(tmp_path)
    path.chmod(0o640)
    result = run(tmp_path, keys=path)
    assert result.returncode == 1
    assert f"chmod 600 {path}" in result.stderr


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
    assert re.fullmatch("[A-Z0-9]{32}", app_key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other = run(tmp_path, "keys", "add", keys=path).stdout.split()[0]
    assert re.fullmatch("[0-9]{16}", other)
    listed = run(tmp_path, "keys", "list", keys=path)
    assert listed.stdout.split() == ["shop", other]
    assert app_key not in listed.stdout + listed.stderr
    assert run(tmp_path, "keys", "add", "shop", keys=path).returncode == 1
    assert run(tmp_path, "keys", "revoke", "shop", keys=path).returncode == 0
    assert run(tmp_path, "keys", "revoke", "shop", keys=path).returncode == 1
    assert run(tmp_path, "keys", "list", keys=path).stdout.split() == [other]
    assert run(tmp_path, "keys", "revoke", other, keys=path).returncode == 0
    assert run(tmp_path, "keys", "add", "shop", keys=path).returncode == 0  # the last may go
    assert [item.name for item in tmp_path.iterdir()] == ["keys.toml"]


def test_keys_of_any_characters_survive_a_change(tmp_path: Path) -> None:
    path = keys_file(tmp_path, '[keys]\na = "x\\u007f\\u0000é\\"\\\\"\n')
    assert run(tmp_path, "keys", "add", "b", keys=path).returncode == 0
    assert load(path)["a"] == 'x\x7f\0é"\\'


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
    # A mistake in the file must not lock anybody out.
    damaged = "nonsense", "", "keys = " + "[" * 100_000, "[keys]\na = " + "1" * 5000
    for count, text in enumerate(damaged, start=1):
        path.write_text(text)
        served.process.send_signal(signal.SIGHUP)
        wait_for(served.log, "The old keys stay in force", count)
        assert [detects(second), detects(first)] == ["0", "0"]
    assert "nonsense" not in served.log.read_text()
    assert Client(served.url).post("detect")[2]["errorcode"] == "5"  # the sample pair is demo only
    assert APP_ID not in served.log.read_text()


def test_sighup_while_the_server_starts(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            command("--demo", "--port", "0"), env=environment(nonsense=1), stderr=stderr,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    wait_for(log, "BIOAUTH_NONSENSE is no setting")  # what comes next is loading the networks
    process.send_signal(signal.SIGHUP)
    assert process.stdout and process.stdout.readline().startswith("http://"), log.read_text()
    process.terminate()
    assert process.wait(END_S) == 0
    assert "keys read again" in log.read_text()


def test_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as stderr, Path("/dev/full").open("w") as full:
        process = subprocess.Popen(
            command("--demo", "--port", "0"), env=environment(), stdout=full, stderr=stderr
        )
    wait_for(log, '"serving"')
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.terminate()
    assert process.wait(END_S) == 0


def wait_for(log: Path, text: str, count: int = 1) -> None:
    deadline = time.monotonic() + 20
    while log.read_text().count(text) < count:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def test_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("BIOAUTH_"):
            monkeypatch.delenv(name)
    assert Settings.from_environment() == Settings()
    for name, value in {
        "PORT": "9000",
        "HOST": "::1",
        "ALIASES": "yes",
        "PROVIDERS": "cuda, cpu",
        "QUEUE_TIMEOUT_S": "0.5",
        "PACK": "",
        "KEYS": "~/keys.toml",
    }.items():
        monkeypatch.setenv(f"BIOAUTH_{name}", value)
    monkeypatch.setenv("BIOAUTH_queue", "7")  # logged as no setting, so it must be none
    settings = Settings.from_environment()
    assert settings == Settings(
        port=9000,
        host="::1",
        aliases=True,
        providers=("cuda", "cpu"),
        queue_timeout_s=0.5,
        keys=Path("~/keys.toml").expanduser(),
    )
    assert settings.effective_ops_port == 10000
