"""Embeddings of photos: computed once, kept, and known by what made them."""

import json
import sqlite3
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from engine import Engine
from engine.evaluation import embeddings
from engine.evaluation.__main__ import main
from engine.evaluation.embeddings import checksum, embed_file, embed_photos, file_checksum
from engine.evaluation.photos import SampleError
from engine.packs import read_pack
from engine.providers import CPU, OPENVINO


def test_embeddings_are_kept_and_resumed(people: Path, tmp_path: Path) -> None:
    """What is in the cache is not computed again: altered there, the figures change with it."""
    out, cache = tmp_path / "report", tmp_path / "cache.sqlite"
    arguments = ["verification", str(people), "--out", str(out), "--cache", str(cache)]
    main(arguments)
    base = sqlite3.connect(cache)
    assert base.execute("SELECT count(*) FROM embeddings").fetchone() == (5,)
    with base:
        faces = "SELECT picture FROM embeddings WHERE vector IS NOT NULL LIMIT 2"
        missing = base.execute(faces).fetchall()
        base.execute("UPDATE embeddings SET vector = NULL")
        base.executemany("DELETE FROM embeddings WHERE picture = ?", missing)
    main(arguments)
    figures = json.loads((out / "metrics.json").read_text("utf-8"))["systems"]["engine"]
    assert len(figures["failure_to_enrol"]["photos"]) == 3
    assert base.execute("SELECT count(*) FROM embeddings").fetchone() == (5,)


def test_a_photo_that_cannot_be_read_now_is_no_photo_without_a_face(
    engine: Engine, people: Path, tmp_path: Path
) -> None:
    photo, faceless = people / "ann" / "1.png", people / "tom" / "3.png"
    assert embed_file(engine, faceless, file_checksum(faceless)) is None
    photo.unlink()
    with pytest.raises(SampleError, match=r"cannot read .*1\.png on this machine: No such file"):
        embed_file(engine, photo, "")


def test_a_photo_that_changes_meanwhile_is_kept_under_no_wrong_name(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its embedding would be taken for the old photo's in every later run."""
    ann, tom = people / "ann" / "1.png", people / "tom" / "1.png"
    cache, old = tmp_path / "cache.sqlite", ann.read_bytes()
    with Engine(providers=["cpu"]) as engine:
        digest = file_checksum(ann)
        ann.write_bytes(tom.read_bytes())
        with pytest.raises(SampleError, match=r"1\.png was changed while it was measured: do it"):
            embed_file(engine, ann, digest)
    monkeypatch.setattr(embeddings, "file_checksum", lambda _: digest)
    with pytest.raises(SampleError, match="changed while it was measured"):
        embed_photos([ann], cache, providers=["cpu"])
    monkeypatch.undo()
    ann.write_bytes(old)
    with Engine(providers=["cpu"]) as engine:
        (vector,) = embed_photos([ann], cache, providers=["cpu"])
        assert vector is not None and np.allclose(vector, engine.embed(ann), atol=1e-6)


@pytest.mark.parametrize(
    "damage",
    [
        lambda blob: blob[:-3],
        lambda blob: blob[: len(blob) // 2],
        lambda blob: b"",
        lambda blob: np.full(len(blob) // 4, np.nan, np.float32).tobytes(),
        lambda blob: (np.frombuffer(blob, np.float32) * 3).tobytes(),
    ],
)
def test_damaged_embeddings_are_in_no_figure(
    people: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    cache, photos = tmp_path / "cache.sqlite", [people / "ann" / f"{n}.png" for n in (1, 2)]
    embed_photos(photos, cache, providers=["cpu"])
    base = sqlite3.connect(cache)
    with base:
        picture, blob = base.execute("SELECT picture, vector FROM embeddings").fetchone()
        change = "UPDATE embeddings SET vector = ? WHERE picture = ?"
        base.execute(change, (damage(blob), picture))
    with pytest.raises(SampleError, match=r"cache\.sqlite holds damaged embeddings: delete it, or"):
        embed_photos(photos, cache, providers=["cpu"])


def test_embeddings_are_kept_by_provider_and_for_their_owner(people: Path, tmp_path: Path) -> None:
    pack = read_pack()
    assert checksum(pack, [CPU]) != checksum(pack, [OPENVINO, CPU])
    dated = {**pack.entry("detector").settings, "training_run": date(2026, 5, 1)}  # as TOML has it
    detector = replace(pack.entry("detector"), settings=dated)
    other = replace(pack, entries={**pack.entries, "detector": detector})
    assert checksum(other, [CPU]) not in ("", checksum(pack, [CPU]))
    cache = tmp_path / "cache.sqlite"
    embed_photos([people / "ann" / "1.png"], cache, providers=["cpu"])
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600


def test_a_wrong_scale_is_told_before_photos_are_embedded(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "pack.toml").write_text(
        '[pack]\nname = "own"\nextends = "default"\n[similarity]\ncosine = "x"\nsteepness = 1\n'
    )
    arguments = ["verification", str(people), "--out", str(tmp_path), "--pack", str(pack)]
    assert main(arguments) == 1
    told = capsys.readouterr().err
    assert "pack.toml: [similarity]: could not convert" in told and "Traceback" not in told
    assert not (tmp_path / "embeddings.sqlite").exists()


def test_embeddings_are_known_by_what_insightface_is_told(tmp_path: Path) -> None:
    for name in ("detector", "embedding"):
        (tmp_path / f"{name}.onnx").write_bytes(b"")
    section = (
        '[{}]\nkind = "insightface"\nfile = "{}.onnx"\nsha256 = ""\nlicence = ""\norigin = ""\n'
    )
    sections = [section.format(role, role) for role in ("detector", "embedding")]
    (tmp_path / "pack.toml").write_text('[pack]\nname = "zoo"\n' + "".join(sections))
    pytest.importorskip("insightface")
    before = checksum(read_pack(tmp_path), [CPU])
    (tmp_path / "manifest.json").write_text("{}")
    told = checksum(read_pack(tmp_path), [CPU])
    (tmp_path / "manifest.json").write_text('{"std": 128}')
    assert len({before, told, checksum(read_pack(tmp_path), [CPU])}) == 3
