"""The command line: pictures in, pictures and JSON out, readable errors."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import ImageError, files
from engine.images import Pixels, decode, encode, load


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def portrait(tmp_path: Path, astronaut: Pixels) -> Path:
    path = tmp_path / "portrait.png"
    path.write_bytes(encode(astronaut, "png"))
    return path


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return result


def test_detect_draws(portrait: Path, astronaut: Pixels, tmp_path: Path) -> None:
    out = tmp_path / "drawn.png"
    found = answer(run("detect", portrait, "--json", "--out", out))
    assert len(found["faces"]) == 1  # type: ignore[arg-type]
    drawn = decode(out.read_bytes())
    assert drawn.shape == astronaut.shape and (drawn != astronaut).any()


def test_compare_and_liveness(portrait: Path, tmp_path: Path) -> None:
    out = tmp_path / "pair.jpg"
    found = answer(run("compare", portrait, portrait, "--json", "--out", out))
    assert found["is_match"] is True and set(found) >= {"similarity", "threshold", "cosine"}
    assert decode(out.read_bytes()).shape[0] > 480
    found = answer(run("liveness", portrait, "--json", "--out", out))
    assert decode(out.read_bytes()).shape == (548, 512, 3)
    assert found["is_alive"] is True and set(found) >= {"score", "probability", "face"}


def test_embed_and_info(portrait: Path) -> None:
    assert len(answer(run("embed", portrait, "--json"))["embedding"]) == 128  # type: ignore[arg-type]
    for chosen in ("cpu", " CPU, "):
        info = answer(run("--providers", chosen, "info", "--json"))
        assert info["providers"] == ["CPUExecutionProvider"]


def test_descreen_leaves_a_photo_without_a_mesh_as_it_is(portrait: Path, tmp_path: Path) -> None:
    """Byte for byte, where it is written in the format that it has."""
    same, other = tmp_path / "same.jpeg", tmp_path / "other.png"
    jpeg = portrait.with_name("photo.jpg")
    jpeg.write_bytes(encode(load(portrait), "jpeg"))
    for out in (same, other):
        assert not answer(run("descreen", jpeg, "--json", "--out", out))["changed"]
    assert same.read_bytes() == jpeg.read_bytes()
    assert np.array_equal(load(other), load(jpeg))


def test_descreen_reads_from_a_pipe(portrait: Path, tmp_path: Path) -> None:
    with portrait.open("rb") as file:
        result = subprocess.run(
            [sys.executable, "-m", "engine", "descreen", "/dev/stdin", "--out", tmp_path / "o.png"],
            input=file.read(), capture_output=True, timeout=60, check=False,
        )  # fmt: skip
    assert result.returncode == 0 and (tmp_path / "o.png").read_bytes()[:4] == b"\x89PNG"


def test_descreen_writes_a_picture(portrait: Path, astronaut: Pixels, tmp_path: Path) -> None:
    out = tmp_path / "clean.png"
    found = answer(run("descreen", portrait, "--json", "--out", out))
    assert set(found) == {"mesh_score", "changed"}
    assert decode(out.read_bytes()).shape == astronaut.shape


def test_plain_output_is_readable(portrait: Path) -> None:
    done = run("liveness", portrait)
    assert done.returncode == 0 and "is_alive: True" in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["detect", "nowhere.png"], "error: cannot read nowhere.png: No such file or directory"),
        (["detect", __file__], f"error: {__file__}: the picture is not a PNG, JPEG or BMP"),
        (["--pack", "nowhere", "info"], "error: nowhere is not a folder"),
        (["--providers", "warp", "info"], "error: warp is not in the installed onnxruntime"),
    ],
)
def test_errors_are_one_readable_line(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(message) and done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_answer_that_cannot_be_written() -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "engine", "info"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert result.returncode == 1
    assert "error: the answer cannot be written: " in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_a_file_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 1_000_000)
    with pytest.raises(ImageError, match="/dev/zero: a file of over 1 MB is no picture"):
        load("/dev/zero")


def test_unknown_output_format(tmp_path: Path) -> None:
    """Told before the picture is looked at."""
    done = run("detect", tmp_path / "missing.png", "--out", tmp_path / "drawn.gif")
    assert done.returncode == 1
    assert "drawn.gif: write to a file ending in .png, .jpg, .jpeg, .bmp" in done.stderr
