"""Descreening measured, on two real portraits: the figures, the report, and what is refused."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.evaluation.__main__ import main
from engine.evaluation.meshed import Synthesised
from engine.images import Pixels, encode


@pytest.fixture
def portraits(tmp_path: Path, astronaut: Pixels, hanks: Pixels) -> Path:
    """A folder for each of two people, two photos in each."""
    head = np.ascontiguousarray(astronaut[:300, 100:360])
    for name, pixels in {"ann": head, "tom": hanks}.items():
        folder = tmp_path / "portraits" / name
        folder.mkdir(parents=True)
        (folder / "1.png").write_bytes(encode(pixels, "png"))
        (folder / "2.png").write_bytes(encode(cv2.convertScaleAbs(pixels, alpha=0.8), "png"))
    return tmp_path / "portraits"


def measured(*arguments: str, out: Path) -> dict[str, Any]:
    assert main(["descreen", *arguments, "--out", str(out)]) == 0
    figures: dict[str, Any] = json.loads((out / "metrics.json").read_text("utf-8"))
    return figures


def test_a_report_on_drawn_meshes(portraits: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    options = ["--images", str(portraits), "--identities", str(portraits), "--count", "6"]
    figures = measured(*options, "--plain", "5", "--genuine", "4", out=out)
    meshed, descreened = (figures["methods"][name] for name in ("meshed", "descreened"))
    assert descreened["psnr"]["value"] > meshed["psnr"]["value"] + 6
    assert (
        descreened["line_psnr"]["value"]
        > figures["methods"]["inpaint with true mask"]["line_psnr"]["value"]
    )
    assert descreened["cosine"]["value"] > meshed["cosine"]["value"]
    assert descreened["recognised"]["value"] == 1 and descreened["recognised"]["trials"] == 6
    assert sum(g["pairs"] for n, g in figures["groups"]["meshed"].items() if "size" in n) == 6
    assert figures["without_mesh"]["all"]["bit_equal"]["value"] == 1
    assert figures["without_mesh"]["all"]["psnr_of_the_others"] == []
    assert figures["without_mesh"]["102x126"]["bit_equal"]["trials"] == 1
    pairs = figures["verification"]
    assert pairs["all"]["fnmr_clean"] == pairs["all"]["fnmr_descreened"]
    assert sum(g["fnmr_meshed"]["trials"] for n, g in pairs.items() if "family" in n) == 4
    assert pairs["all"]["people"] == pairs["all"]["pairs"] == 2  # four draws of them
    assert figures["without_mesh"]["all"]["photos"] == 4
    assert len(figures["rows"]) == 6 * 5
    page = (out / "report.html").read_text("utf-8")
    assert "data:image/png;base64," in page and "data:image/jpeg;base64," in page
    assert {file.name for file in out.glob("*.jpg")} == {"best.jpg", "median.jpg", "worst.jpg"}


def test_pairs_of_files_without_thumbnails(portraits: Path, tmp_path: Path) -> None:
    """The same name in two folders is two pairs. A table of them gives the same figures."""
    made = Synthesised(portraits, 2, ["scales"])
    for number in range(2):
        for kind in ("clean", "meshed"):
            (tmp_path / kind / str(number)).mkdir(parents=True)
            picture = encode(getattr(made[number], kind), "png")
            (tmp_path / kind / str(number) / "one.png").write_bytes(picture)
    out = tmp_path / "report"
    options = ["--clean", str(tmp_path / "clean"), "--meshed", str(tmp_path / "meshed")]
    measured(*options, out=out)
    assert len(list(out.glob("*.jpg"))) == 3
    figures = measured(*options, "--no-thumbnails", out=out)
    assert figures["methods"]["descreened"]["pairs"] == 2
    assert figures["methods"]["descreened"]["psnr"]["value"] > 28
    assert "image/jpeg" not in (out / "report.html").read_text("utf-8")
    assert not list(out.glob("*.jpg"))
    table = tmp_path / "pairs.csv"
    lines = [f"clean/{number}/one.png,meshed/{number}/one.png" for number in range(2)]
    table.write_text("\n".join(["Clean,Meshed", *lines]), "utf-8")
    again = measured("--pairs", str(table), "--no-thumbnails", out=out)
    assert again["methods"] == figures["methods"]


def test_likeness_of_colour_and_of_light(hanks: Pixels, tmp_path: Path) -> None:
    """What changes the colours alone shows by channel, and hardly in the luma."""
    lines = np.zeros(hanks.shape[:2], np.float32)
    lines[::6] = 30
    coloured = np.repeat(lines[..., None], 3, 2) * (1, 0, -0.114 / 0.299)  # blue for red
    for name, change in {"colour": coloured, "light": lines[..., None]}.items():
        meshed = np.asarray(np.clip(hanks * 0.5 + 64 + change, 0, 255), np.uint8)
        (tmp_path / f"{name}.png").write_bytes(encode(meshed, "png"))
    clean = np.asarray(hanks * 0.5 + 64, np.uint8)
    (tmp_path / "clean.png").write_bytes(encode(clean, "png"))
    found = {}
    for name in ("colour", "light"):
        table = tmp_path / "pairs.csv"
        table.write_text(f"clean,meshed\nclean.png,{name}.png\n", "utf-8")
        one = measured("--pairs", str(table), "--no-thumbnails", out=tmp_path / "report")
        means = one["methods"]["meshed"]
        found[name] = means["ssim"]["value"], means["luma_ssim"]["value"]
    assert found["colour"][1] > 0.99 > 0.9 > found["colour"][0]
    assert max(found["light"]) < 0.9


def test_tables_of_pictures_and_people(portraits: Path, tmp_path: Path) -> None:
    """The same figures as of the folders that they list."""
    table = portraits / "photos.csv"
    lines = [f"{name}/{number}.png,{name}" for name in ("ann", "tom") for number in (1, 2)]
    table.write_text("\n".join(["path,person", *lines]), "utf-8")
    few = ["--count", "2", "--plain", "2", "--genuine", "2"]
    found = [
        measured("--images", str(source), "--identities", str(source), *few, out=tmp_path / "out")
        for source in (portraits, table)
    ]
    assert [one.pop("made_with")["command"] for one in found] == ["descreen", "descreen"]
    assert found[0] == found[1] and found[0]["verification"]["all"]["fnmr_clean"]["trials"] == 2


def test_varied_meshes(portraits: Path, tmp_path: Path) -> None:
    """Other ones than without, the same again, and of the families asked for."""
    drawn = [Synthesised(portraits, 6, ["scales"], varied=varied) for varied in (False, True, True)]
    pictures = [[one[number].meshed for number in range(6)] for one in drawn]
    plain, other, again = pictures
    assert all(np.array_equal(a, b) for a, b in zip(other, again, strict=True))
    assert 0 < sum(np.array_equal(a, b) for a, b in zip(plain, other, strict=True)) < 6
    options = ["--images", str(portraits), "--identities", str(portraits), "--count", "3"]
    few = [*options, "--plain", "0", "--genuine", "2", "--varied"]
    figures = measured(*few, out=tmp_path / "report")
    assert figures["varied"] and figures["methods"]["meshed"]["pairs"] == 3
    assert set(figures["groups"]["meshed"]) >= {"family scales", "family chevrons"}
    assert "varied meshes" in (tmp_path / "report" / "report.html").read_text("utf-8")


@pytest.mark.parametrize("option", ["--count=0", "--genuine=0", "--plain=-1", "--seed=-1"])
def test_numbers_that_make_no_sense(
    option: str, portraits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["descreen", "--images", str(portraits), "--out", str(tmp_path), option])
    assert "is less than" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give --images, --clean and --meshed, or --pairs"),
        (["--pairs", "{}", "--varied"], "--varied says nothing without --images or --identities"),
        (["--pairs", "{}", "--families", "x"], "--families says nothing without --images or --id"),
        (["--pairs", "{}", "--plain", "0"], "--plain says nothing without --images"),
        (["--images", "{}", "--genuine", "5"], "--genuine says nothing without --identities"),
        (["--images", "{}", "--pairs", "{}/p.csv"], "give --images, --clean"),
        (["--pairs", "{}/p.csv"], "p.csv, line 2: there is no file"),
        (["--images", "{}/p.csv"], "p.csv must have a header with path"),
        (["--pairs", "{}/twice.csv"], "twice.csv, line 3: the same pair is in line 2 already"),
        (["--images", "{}", "--families", "waves"], "unknown mesh families: waves; there are test"),
        (["--images", "{}", "--clean", "{}/ann"], "give --images, --clean"),
        (["--clean", "{}/ann", "--meshed", "{}/tom/1.png"], "1.png is a file"),
        (["--clean", "{}/bad", "--meshed", "{}/bad"], "bad/1.png: "),
        (["--clean", "{}/flat", "--meshed", "{}/half"], "half/2.png: "),
        (["--clean", "{}/flat", "--meshed", "{}/eve"], "2.png has no counterpart in the other"),
        (["--clean", "{}/eve", "--meshed", "{}/two"], "1.png differ by their suffix alone"),
        (
            ["--images", "{}", "--count", "1", "--plain", "0", "--identities", "{}/eve"],
            "two photos",
        ),
        (["--images", "{}", "--count", "1", "--identities", "{}/flat"], "a folder for each"),
    ],
)
def test_what_is_refused(
    options: list[str], message: str, portraits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (portraits / "eve").mkdir()
    for name in ("1.png", "2.png"):
        (portraits / "flat").mkdir(exist_ok=True)
        (portraits / "flat" / name).write_bytes((portraits / "ann" / name).read_bytes())
    (portraits / "eve" / "1.png").write_bytes((portraits / "ann" / "1.png").read_bytes())
    (portraits / "two").mkdir()
    for name in ("1.jpg", "1.png"):
        (portraits / "two" / name).write_bytes((portraits / "ann" / "1.png").read_bytes())
    (portraits / "p.csv").write_text("clean,meshed\nann/1.png,ann/none.png", "utf-8")
    rows = "clean,meshed\nann/1.png,ann/2.png\nflat/../ann/1.png,./ann/2.png"
    (portraits / "twice.csv").write_text(rows, "utf-8")
    (portraits / "bad").mkdir()
    (portraits / "bad" / "1.png").write_bytes(b"no picture")
    (portraits / "half").mkdir()
    (portraits / "half" / "1.png").write_bytes((portraits / "ann" / "1.png").read_bytes())
    (portraits / "half" / "2.png").write_bytes(b"no picture")
    given = [option.format(portraits) for option in options]
    assert main(["descreen", *given, "--out", str(portraits / "report")]) == 1
    told = capsys.readouterr().err
    assert message in told and "before the error" not in told
