"""The real server in a process of its own: started, measured from outside, stopped."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.evaluation.endpoint import EndpointError

PATIENCE = {"queue": 256, "queue_timeout_s": 120}
"""A load test is to wait for its answers and not to be turned away."""


@dataclass(frozen=True, slots=True)
class Server:
    """ready: seconds from the start of its process until it said that it serves."""

    url: str
    app_id: str
    app_key: str
    pid: int
    ready: float

    def memory(self, what: str = "VmRSS") -> float:
        """Megabytes resident now, or with "VmHWM" at most so far. NaN where there is no /proc."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        except OSError:
            return float("nan")
        found = re.search(rf"{what}:\s+(\d+) kB", status)
        return int(found[1]) * 1024 / 1e6 if found else float("nan")


@contextmanager
def serving(settings: Mapping[str, object]) -> Iterator[Server]:
    """`python -m shim` on a free port with a key pair of its own; settings without BIOAUTH_.

    Raises EndpointError when it does not come up; what it said is in the message.
    """
    with tempfile.TemporaryDirectory() as folder:
        keys, log = Path(folder) / "keys.toml", Path(folder) / "log"
        command = [sys.executable, "-m", "shim"]
        adding = [*command, "keys", "add", "--file", str(keys)]
        made = subprocess.run(adding, capture_output=True, text=True, check=True, env=_clean())
        app_id, app_key = made.stdout.split()
        started = time.perf_counter()
        with log.open("w") as errors:
            process = subprocess.Popen(
                [*command, "--port", "0"],
                env=_clean(keys=keys, ops=0, **PATIENCE, **settings),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        try:
            assert process.stdout
            url = process.stdout.readline().strip()
            ready = time.perf_counter() - started
            if not url:
                raise EndpointError(f"the server did not start: {log.read_text().strip()}")
            yield Server(url, app_id, app_key, process.pid, ready)
        finally:
            process.terminate()
            process.wait()


def _clean(**settings: object) -> dict[str, str]:
    """This process' environment with these settings and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BIOAUTH_")}
    return kept | {f"BIOAUTH_{name.upper()}": str(value) for name, value in settings.items()}
