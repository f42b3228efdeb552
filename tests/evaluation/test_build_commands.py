"""The scripts that build weights, given a folder of no use."""

import subprocess
import sys
from pathlib import Path

import pytest

BUILD = Path(__file__).resolve().parents[2] / "weights" / "build"


@pytest.mark.parametrize(
    "command",
    [
        ["second_look.py", "{}", "{}"],
        ["portrait_direction.py", "{}", "--strangers", "{}"],
        ["fast.py", "{}"],
        ["descreen_example.py", "--portraits", "{}", "--out", "{}/x.jpg"],
        ["calibrate_liveness.py", "--portraits", "{}", "--work", "{}"],
    ],
)
def test_an_empty_folder_is_told_in_a_line(tmp_path: Path, command: list[str]) -> None:
    script, *rest = (part.format(tmp_path) for part in command)
    done = subprocess.run([sys.executable, BUILD / script, *rest], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
