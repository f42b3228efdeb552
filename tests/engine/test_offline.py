"""Nothing is told to anybody: onnxruntime's official builds do, unless they are kept from it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EMBEDDED = "import engine; engine.Engine().info()"


@pytest.mark.parametrize(
    "command",
    [
        ["-c", EMBEDDED],
        ["-m", "engine", "info"],
        ["-m", "engine.evaluation", "speed", "--help"],
        ["-c", "import shim; import shim.selftest"],
    ],
)
def test_no_device_is_given_a_number(tmp_path: Path, command: list[str]) -> None:
    """The number is what onnxruntime's reports begin with: a file below the home folder."""
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert not [path for path in tmp_path.rglob("*") if "onnxruntime" in str(path)]
