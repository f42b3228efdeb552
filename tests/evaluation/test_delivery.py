"""A trained file in the place of a pack's."""

from pathlib import Path

import pytest
from delivery import check_place, deliver

from engine import Engine
from engine.errors import EngineError
from engine.packs import read_pack


def test_a_pack_takes_the_file_with_its_checksum(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only that line of the manifest is another, and the pack loads."""
    manifest = pack / "pack.toml"
    before = manifest.read_text()
    built = tmp_path / "built.onnx"
    built.write_bytes((pack / "descreen.onnx").read_bytes() + b"\x72\x00")  # an empty doc string
    deliver(built, pack / "descreen.onnx")
    entry = read_pack(pack).entry("descreen")
    said = capsys.readouterr().out
    assert f"sha256 {entry.settings['sha256']}\n" in said and "of the file before" in said
    lines = zip(before.split("\n"), manifest.read_text().split("\n"), strict=True)
    (changed,) = [new for old, new in lines if old != new]
    assert changed == f'sha256 = "{entry.settings["sha256"]}"'
    with Engine(pack, ["cpu"]):
        pass


def test_a_file_that_no_manifest_lists(pack: Path, tmp_path: Path) -> None:
    built = tmp_path / "built.onnx"
    built.write_bytes(b"network")
    before = (pack / "pack.toml").read_text()
    for out in (pack / "other.onnx", tmp_path / "alone.onnx", built):
        deliver(built, out)
        assert out.read_bytes() == b"network"
    assert (pack / "pack.toml").read_text() == before


def test_a_manifest_in_another_form_is_the_owner_s(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = tmp_path / "built.onnx"
    built.write_bytes(b"network")
    text = (
        (pack / "pack.toml").read_text().replace('file = "descreen.onnx"', "file = 'descreen.onnx'")
    )
    (pack / "pack.toml").write_text(text)
    deliver(built, pack / "descreen.onnx")
    assert "put that sha256 where descreen.onnx is listed" in capsys.readouterr().out
    assert (pack / "pack.toml").read_text() == text


def test_a_place_that_is_none_is_told_before_the_work(tmp_path: Path) -> None:
    check_place(tmp_path / "new.onnx")
    with pytest.raises(EngineError, match=r"--out .*nowhere/new\.onnx: name a file in a folder"):
        check_place(tmp_path / "nowhere" / "new.onnx")
    with pytest.raises(EngineError, match="name a file in a folder that is there"):
        check_place(tmp_path)
