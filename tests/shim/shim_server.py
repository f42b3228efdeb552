"""A shim in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shim_client import Client

ROOT = Path(__file__).parents[2]
END_S = 60


@dataclass
class Served:
    """A running shim: where it listens and where it logs."""

    process: "subprocess.Popen[str]"
    url: str
    log: Path

    @property
    def ops_url(self) -> str:
        for line in self.log.read_text().splitlines():
            if '"operations"' in line:
                return line.split('"url": "')[1].split('"')[0]
        raise AssertionError("the log names no operations port")

    def metrics(self) -> str:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"{self.ops_url}/metrics", timeout=END_S) as reply:
            text: str = reply.read().decode()
            return text

    def resident(self) -> int:
        """Bytes of memory that it holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024

    def client(self, **pair: str) -> Client:
        return Client(self.url, **pair)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(END_S)


def environment(**settings: Any) -> dict[str, str]:
    """This process' environment with these settings, the CPU's provider, and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BIOAUTH_")}
    made = {f"BIOAUTH_{name.upper()}": str(value) for name, value in settings.items()}
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**kept, "PYTHONPATH": paths, "BIOAUTH_PROVIDERS": "cpu", **made}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "shim", *arguments]


def launch(folder: Path, *arguments: str, **settings: Any) -> Served:
    """Start a server on free ports and wait until it is ready."""
    log = folder / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            command("--port", "0", *arguments),
            env=environment(**settings),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert process.stdout
    url = process.stdout.readline().strip()
    assert url.startswith("http://"), log.read_text()
    return Served(process, url, log)


def run(folder: Path, *arguments: str, **settings: Any) -> "subprocess.CompletedProcess[str]":
    """Run a command of the shim that ends by itself."""
    return subprocess.run(
        command(*arguments),
        env=environment(**settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=END_S,
        check=False,
    )


def keys_file(folder: Path, text: str = '[keys]\n"shop" = "secret-of-the-shop"\n') -> Path:
    path = folder / "keys.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def wait_for(log: Path, text: str, count: int = 1) -> None:
    """Until so many of it are in lines that are written to their end."""
    deadline = time.monotonic() + END_S
    while log.read_text().rpartition("\n")[0].count(text) < count:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
