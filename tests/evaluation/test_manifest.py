"""Sections of a manifest put in the place of those before."""

import os
from pathlib import Path

import manifest
import pytest

from engine.packs import read_pack

ROOT = Path(__file__).parents[2]


def test_a_manifest_section_is_replaced_and_the_rest_kept() -> None:
    text = "[a]\nx = 1  # why\n\n[similarity]\nold = 1\n\n[b]\ny = 2\n"
    section = manifest.dump("similarity", {"new": 0.5, "rows": [{"n": 1e-05, "c": "é"}]})
    put = manifest.put(text, "similarity", section)
    assert put == (
        '[a]\nx = 1  # why\n\n[similarity]\nnew = 0.5\nrows = [\n    { n = 1e-05, c = "é" },\n]\n'
        "\n[b]\ny = 2\n"
    )
    assert manifest.put(put, "similarity", section) == put
    assert manifest.put("[a]\nx = 1\n", "similarity", "[similarity]\n") == (
        "[a]\nx = 1\n\n[similarity]\n"
    )


def test_names_that_are_not_utf8_do_not_cost_the_manifest(tmp_path: Path) -> None:
    path = tmp_path / "pack.toml"
    path.write_text('[pack]\nname = "own"\n')
    name = os.fsdecode("照片".encode("gbk"))
    manifest.replace(tmp_path, "similarity", {"data": name})
    assert read_pack(tmp_path).similarity == {"data": "\\udcd5\\udcd5Ƭ"}
    assert [file.name for file in tmp_path.iterdir()] == ["pack.toml"]


def test_a_manifest_that_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    """The engine reads it too."""
    (tmp_path / "pack.toml").write_text("[similarity]\ncosine = 0.42\n", "utf-8-sig")
    manifest.replace(tmp_path, "similarity", {"cosine": 0.5})
    assert read_pack(tmp_path).similarity == {"cosine": 0.5}


@pytest.mark.parametrize(
    "old",
    [
        "[similarity]  # required\n  # any numbers\ncosine = 0.42\n",
        "  [ similarity ]\ncosine = 0.42\n",
        "[similarity]\ncosine = 0.42\n[[similarity.matched]]\nfmr = 0.001\n",
    ],
)
def test_a_section_is_found_however_it_is_written(old: str) -> None:
    text = f"[a]\nx = [\n  [1.5],\n  [2],\n]\n\n{old}\n# of b\n[b]\ny = 2\n"
    assert manifest.put(text, "similarity", "[similarity]\ncosine = 0.5\n") == (
        "[a]\nx = [\n  [1.5],\n  [2],\n]\n\n[similarity]\ncosine = 0.5\n\n# of b\n[b]\ny = 2\n"
    )
