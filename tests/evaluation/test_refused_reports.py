"""What the commands refuse to report on, and say so before the work."""

import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.evaluation.__main__ import main
from engine.images import encode


@pytest.mark.parametrize(
    "options",
    [
        ["verification", "--replicates", "0"],
        ["verification", "--impostors", "-1"],
        ["liveness", "--seed", "-1"],
        ["speed", "--count", "0"],
        ["bench", "--rounds", "0"],
        ["bench", "--seconds", "0"],
    ],
)
def test_numbers_that_make_no_sense(
    options: list[str], people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *rest = options
    folder = [] if command == "bench" else [str(people)]
    with pytest.raises(SystemExit):
        main([command, *folder, "--out", str(people / "out"), *rest])
    assert "is less than" in (error := capsys.readouterr().err) or "is not above" in error


def test_what_cannot_work_is_told_before_the_work(
    people: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (people / "file").write_text("no database, however long it is made")
    command = ["verification", str(people), "--out"]
    assert main([*command, str(people / "file")]) == 1
    assert main([*command, str(people / "out"), "--cache", str(people / "file")]) == 1
    assert "name a new file" in capsys.readouterr().err
    assert main([*command, str(people / "out"), "--cache", str(people)]) == 1
    assert "name a new file" in capsys.readouterr().err
    for name, sql in (
        ("other", "CREATE TABLE embeddings (id)"),
        ("half", "CREATE TABLE embeddings (pack, picture, vector)"),
    ):
        with sqlite3.connect(people / name) as base:
            base.execute(sql)
    with (people / "half").open("r+b") as file:
        file.seek(4096)
        file.write(b"broken" * 99)
    for name in ("other", "half"):
        assert main([*command, str(people / "out"), "--cache", str(people / name)]) == 1
        assert f"{name} cannot keep embeddings" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main([*command, str(people / "out")]) == 1
    assert "matplotlib is missing: pip install '.[eval]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pairs", "{}/pairs.csv", "--leave-out", "{}/all"], "do not go with --pairs"),
        (["--pairs", "{}/pairs.csv", "--cohort", "x"], "do not go with --pairs"),
        (["--pairs", "{}/pairs.csv", "--folds"], "do not go with --pairs"),
        (["--folds", "--impostors", "9"], "--impostors does not go with --pairs or --folds"),
        (["--leave-out", "{}/all", "--folds"], "holds fewer than two photos"),
        (["--leave-out", "{}/two", "--impostors", "0"], "show different people"),
    ],
)
def test_options_that_leave_nothing_to_compare(
    options: list[str], message: str, people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (people / "pairs.csv").write_text("a,b,same\nann/1.png,ann/2.png,1\n")
    (people / "all").write_text("1\n2\n3\n")
    (people / "two").write_text("2\n3\n")
    given = [option.format(people) for option in options]
    assert main(["verification", str(people), *given, "--out", str(people / "out")]) == 1
    assert message in capsys.readouterr().err


def test_pairs_without_any_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("1", "2"):
        blank = np.full((200, 200, 3), 40 * int(name), np.uint8)
        (tmp_path / f"{name}.png").write_bytes(encode(blank, "png"))
    assert main(["verification", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "no pair shows two faces: none was found on 2 photos" in capsys.readouterr().err


def test_what_cannot_be_measured_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verification", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "holds no pictures" in capsys.readouterr().err
    arguments = ["--endpoint", "http://127.0.0.1:9", "--out", str(tmp_path / "out")]
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "1.png").touch()
    assert main(["liveness", str(tmp_path), *arguments]) == 1
    assert "one --app-id and one --app-key for each --endpoint" in capsys.readouterr().err
    pair = ["--app-id", "1", "--app-key", "2"]
    assert main(["liveness", str(tmp_path), *arguments, *pair]) == 1
    assert "does not answer" in capsys.readouterr().err
