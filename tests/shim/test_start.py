"""Starting, refusing to start, and settings."""

import errno
import http.client
import json
import re
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import Start
from shim_server import END_S, command, environment, keys_file, run, wait_for
from waitress.task import ThreadedTaskDispatcher

from engine import Engine
from engine.manifests import MANIFEST
from engine.packs import DEFAULT_PACK
from shim import Settings, create_app
from shim.keys import DEMO, KeyStore
from shim.server import Server


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
        (["--demo"], {"bpcer": 1}, "BIOAUTH_BPCER must be a rate between 0 and 1"),
        (["--demo"], {"fmr": 0}, "BIOAUTH_FMR must be a rate between 0 and 1"),
        (["--demo", "--port", "0"], {"bpcer": "1e-7", "ops": 0}, "BPCER"),
        (["--demo"], {"liveness_threshold": 40}, "BIOAUTH_LIVENESS_THRESHOLD must be a bio_score"),
        (["--demo"], {"liveness_threshold": 12}, "must be a bio_score, from -12 to below 12"),
        (["--demo"], {"max_skew_s": "1e-9"}, "BIOAUTH_MAX_SKEW_S must be 0, or a number of sec"),
        (["--demo"], {"providers": ", "}, "BIOAUTH_PROVIDERS must be execution providers, with"),
        (
            *(["--demo", "--port", "0"], {"bpcer": 0.1, "liveness_threshold": 1, "ops": 0}),
            "Set BIOAUTH_BPCER or BIOAUTH_LIVENESS_THRESHOLD, not both.",
        ),
        (["--demo"], {"pack": "nowhere", "ops": 0}, "nowhere"),
        (["--demo"], {"providers": "TPUExecutionProvider", "ops": 0}, "TPUExecutionProvider"),
        (["--demo", "--port", "0"], {"ops_host": "192.0.2.1"}, "192.0.2.1:0 (BIOAUTH_OPS_HOST): "),
        (["--demo", "--port", "0"], {"ops_host": "fe80::1"}, "[fe80::1]:0 (BIOAUTH_OPS_HOST): "),
        (
            *(["--demo"], {"ops_host": "no.such.host.invalid"}),
            f"(BIOAUTH_OPS_HOST): [Errno {errno.EADDRNOTAVAIL}] no.such.host.invalid is no address",
        ),
        ([], {"keys": "~nosuchuser/k"}, "BIOAUTH_KEYS must be a path whose ~"),
        ([], {"keys": "1e3", "keys__x": 1}, "Cannot read the keys file 1e3: No such file"),
        (["--demo"], {"port": "9" * 5000}, "BIOAUTH_PORT must be a whole number from 0 to 65535"),
        (["--demo"], {"drain_s": "nan"}, "BIOAUTH_DRAIN_S must be a number of seconds"),
        ([], {"keys": "."}, "Cannot read the keys file .: Is a directory. Name a file in that"),
        (["--demo"], {"ops_port": 8081}, "BIOAUTH_OPS_PORT must be another port than 8081"),
        (
            *(["--demo"], {"ops_port": 8081, "ops_host": "localhost"}),
            "BIOAUTH_OPS_PORT must be another port than 8081",
        ),
        (
            *(["--demo"], {"ops_port": 8081, "ops_host": "0.0.0.0"}),
            "BIOAUTH_OPS_PORT must be another port than 8081",
        ),
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


def test_the_selftest(tmp_path: Path) -> None:
    """The networks of such a pack load and run, and find nobody."""
    for path in DEFAULT_PACK.iterdir():
        (tmp_path / path.name).symlink_to(path)
    manifest = tmp_path / MANIFEST
    text = manifest.read_text()
    manifest.unlink()
    manifest.write_text(re.sub("(?m)^score_threshold = .*$", "score_threshold = 1.0", text))
    result = run(tmp_path, "--demo", "--port", "0", pack=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    errors = [json.loads(line)["event"] for line in result.stderr.splitlines() if "error" in line]
    assert errors[0].startswith("detect found 0 faces in the built-in picture")
    assert [error.split()[0] for error in errors] == ["detect", "compare", "liveness"]
    assert '"serving"' not in result.stderr


@pytest.mark.parametrize(("one", "other"), [("port", "ops_port"), ("ops_port", "port")])
def test_a_taken_port(tmp_path: Path, one: str, other: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(tmp_path, "--demo", **{one: port, other: 0})
    assert (result.returncode, result.stdout) == (1, "")
    default = ", without it BIOAUTH_PORT + 1000" if one == "ops_port" else ""
    where = f"127.0.0.1:{port} (BIOAUTH_{one.upper()}{default})"
    error = f"Cannot serve on {where}: [Errno {errno.EADDRINUSE}] Address already in use"
    assert result.stderr.splitlines()[-1] == error


def test_a_host_that_nobody_knows(tmp_path: Path) -> None:
    result = run(tmp_path, keys=keys_file(tmp_path), host="no.such.host.invalid", ops=0)
    assert (result.returncode, result.stdout) == (1, "")
    error = f"(BIOAUTH_HOST): [Errno {errno.EADDRNOTAVAIL}] no.such.host.invalid is no address"
    assert error in result.stderr.splitlines()[-1]


def test_a_host_by_its_name(start: Start) -> None:
    """Where it is ::1 as well, too: clients and scrapers know it by 127.0.0.1."""
    served = start("--demo", host="localhost", ops_host="localhost")
    assert served.url.startswith("http://localhost:")
    for url, path, status in ((served.url, "/", 404), (served.ops_url, "/readyz", 200)):
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=10)
        connection.request("GET", path)
        assert connection.getresponse().status == status
        connection.close()


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_a_host_of_ipv6(start: Start) -> None:
    served = start("--demo", host="::1", ops_host="::1")
    for url, path, status in ((served.url, "/", 404), (served.ops_url, "/readyz", 200)):
        assert url.startswith("http://[::1]:")
        connection = http.client.HTTPConnection("::1", urlsplit(url).port, timeout=10)
        connection.request("GET", path)
        assert connection.getresponse().status == status
        connection.close()


def test_sighup_while_the_server_starts(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            command("--port", "0"), env=environment(nonsense=1, keys=keys_file(tmp_path)),
            stderr=stderr, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    wait_for(log, "BIOAUTH_NONSENSE is ignored")  # what comes next is loading the networks
    process.send_signal(signal.SIGHUP)
    assert process.stdout and process.stdout.readline().startswith("http://"), log.read_text()
    process.terminate()
    assert process.wait(END_S) == 0
    assert "keys read again" in log.read_text()


@pytest.mark.skipif(
    signal.getsignal(signal.SIGHUP) == signal.SIG_IGN, reason="nohup: no hang-up is heard"
)
def test_a_demonstration_ends_with_its_terminal(start: Start) -> None:
    assert start("--demo").stop(signal.SIGHUP) == -signal.SIGHUP


@pytest.mark.parametrize("arguments", [(), ("--demo",)])
def test_a_demonstration_says_what_it_is(
    start: Start, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    served = start(*arguments, keys=keys_file(tmp_path))
    lines = [json.loads(line) for line in served.log.read_text().splitlines()]
    (serving,) = [line for line in lines if line["event"] == "serving"]
    assert (serving["demo"], serving["keys"]) == (bool(arguments), 1)
    warnings = [line["event"] for line in lines if line["level"] == "warning"]
    ignored = ["demo mode: the key pairs of BIOAUTH_KEYS are not used"]
    assert warnings == (ignored if arguments else [])


def test_help_requires_nothing(tmp_path: Path) -> None:
    usage = run(tmp_path, "--help").stdout.partition("\n\n")[0]
    assert " ".join(usage.split()).endswith("[-h] [--host HOST] [--port PORT] [--demo] [keys] ...")


def test_a_service_of_that_name_beside_it(start: Start) -> None:
    """Kubernetes gives every container the addresses of services, in the form of a setting."""
    served = start("--demo", ops_port="tcp://10.96.0.7:9081", service_host="10.96.0.7")
    assert served.ops_url
    assert "BIOAUTH_OPS_PORT is ignored" in served.log.read_text()
    served = start("--demo", port="tcp://10.96.0.7:8081")
    assert "BIOAUTH_PORT is ignored" in served.log.read_text()


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


def test_too_few_files_may_be_open(tmp_path: Path) -> None:
    limited = ["sh", "-c", 'ulimit -n 128; exec "$@"', "-", *command("--demo", "--port", "0")]
    result = subprocess.run(
        limited, env=environment(ops=0), cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert result.returncode == 1
    sentence = "Cannot serve: only 128 files may be open: allow 160 or more (ulimit -n)"
    assert result.stderr.splitlines()[-1] == sentence


def test_too_few_threads_may_be_started(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(ThreadedTaskDispatcher, "start_new_thread", refuse)
    app = create_app(engine, Settings(slots=2, queue=3), KeyStore(DEMO))
    with pytest.raises(OSError, match=r"can't start new thread: allow \d+ more and their memory"):
        Server(app)
