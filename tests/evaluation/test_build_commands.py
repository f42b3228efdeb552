"""The scripts that build weights, given a folder of no use."""

import subprocess
import sys
from pathlib import Path

import pytest

BUILD = Path(__file__).resolve().parents[2] / "weights" / "build"


NO_PICTURES = "{} holds no pictures (.bmp, .jpeg, .jpg, .png)"
NO_PORTRAITS = "no portraits in {}/us_officials or gan_idcards"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["second_look.py", "{}", "{}"], NO_PICTURES),
        (["portrait_direction.py", "{}", "--strangers", "{}"], NO_PICTURES),
        (["fast.py", "{}"], NO_PORTRAITS),
        (["tilt.py", "{}"], NO_PORTRAITS),
        (
            ["descreen_example.py", "--portraits", "{}", "--out", "{}/x.jpg"],
            "{}/us_officials has 0 portraits kept apart",
        ),
        (["calibrate_liveness.py", "--portraits", "{}", "--work", "{}"], NO_PORTRAITS),
    ],
)
def test_an_empty_folder_is_told_in_a_line(
    tmp_path: Path, command: list[str], message: str
) -> None:
    script, *rest = (part.format(tmp_path) for part in command)
    done = subprocess.run([sys.executable, BUILD / script, *rest], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"error: {message.format(tmp_path)}\n"
