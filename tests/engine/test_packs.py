"""Model packs: damage is named, and gaps are said."""

import re
from pathlib import Path

import pytest
from packs_edited import edit

from engine import Engine, EngineError, WeightsError
from engine.images import Pixels
from engine.packs import DEFAULT_PACK, FAST_PACK

DETECTOR = "detection_yunet_2023mar.onnx"


def without(pack: Path, section: str) -> None:
    manifest = pack / "pack.toml"
    kept, skipping = [], False
    for line in manifest.read_text().splitlines():
        if line.startswith("["):
            skipping = line.startswith((f"[{section}]", f"[{section}."))
        if not skipping:
            kept.append(line)
    manifest.write_text("\n".join(kept))


def test_the_default_pack_states_what_it_is(engine: Engine) -> None:
    info = engine.info()
    roles = {"detector", "embedding", "liveness", "liveness_context", "descreen"}
    assert set(info["networks"]) == roles
    for network in info["networks"].values():
        assert len(network["sha256"]) == 64 and network["licence"] and network["origin"]
        assert (Path(network["folder"]) / network["file"]).stat().st_size < 20_000_000
    assert info["providers"] == ["CPUExecutionProvider"]
    assert info["pack"]["name"] == "default" and info["versions"]["engine"]


def test_missing_file(pack: Path) -> None:
    (pack / DETECTOR).unlink()
    with pytest.raises(WeightsError, match=rf"{DETECTOR}: No such file.* sha256 3349.*restore it"):
        Engine(pack)


@pytest.mark.parametrize("damage", ["truncated", "altered"])
def test_damaged_file(pack: Path, damage: str) -> None:
    data = (pack / DETECTOR).read_bytes()
    (pack / DETECTOR).write_bytes(data[:-9] if damage == "truncated" else b"\0" + data[1:])
    with pytest.raises(WeightsError) as caught:
        Engine(pack)
    message = str(caught.value)
    assert DETECTOR in message and "expected sha256 334955d0040eb060" in message
    assert "truncated or altered" in message and "restore it" in message


def test_a_section_that_is_none(pack: Path) -> None:
    without(pack, "descreen")
    edit(pack, "[pack]", "descreen = 3\n[pack]")
    with pytest.raises(WeightsError, match=r"\[descreen\] is not a section of its own"):
        Engine(pack)


def test_a_checksum_in_capitals(pack: Path) -> None:
    manifest = pack / "pack.toml"
    text = manifest.read_text()
    checksum = re.search('sha256 = "(.*)"', text)
    assert checksum is not None
    manifest.write_text(text.replace(checksum[1], checksum[1].upper()))
    Engine(pack).close()


def test_folder_that_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is not a folder: a model pack is a folder with pack"):
        Engine(tmp_path / "nowhere")
    with pytest.raises(WeightsError, match=r"is no model pack: it has no pack\.toml, and no ONNX"):
        Engine(tmp_path)
    with pytest.raises(WeightsError, match="a pack is the path of a folder: this one is empty"):
        Engine("")


def test_a_manifest_that_begins_with_a_byte_order_mark(pack: Path) -> None:
    manifest = pack / "pack.toml"
    manifest.write_text(manifest.read_text(), "utf-8-sig")
    Engine(pack).close()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[detector]", "[detector", "cannot be read as a manifest"),
        ("margin = 96", f"margin = {'[' * 20_000}", "cannot be read as a manifest"),
        ("margin = 96", f"margin = {'9' * 5000}", "cannot be read as a manifest"),
        ('licence = "MIT"\n', "", r"\[detector\] lacks licence"),
        ('kind = "yunet"', 'kind = "haar"', "'haar', which this engine does not know"),
        ("score_threshold = 0.6", "score_threshold = 60", "score_threshold is not 60.0: it lies"),
        ("threshold = -1.069", "threshold = nan", "threshold is not nan: it is a finite number"),
        ("slope = 0.9393", "slope = inf", "slope is not inf"),
        ("crop = 1.4", "crop = 0", "crop and std are above 0"),
        ("nms_threshold = 0.3", "", r"\[detector\]: nms_threshold is missing"),
        ("crop = 2.7", 'crop = "wide"', r"\[liveness_context\]: could not convert"),
        ("[embedding]", "[embeding]", r"\[embeding\] is no section of a pack: it knows \[pack\]"),
        ("\ncosine = 0.4369\n", "\n", r"\[similarity\]: cosine is missing"),
        ("similarity = 0.234", "similarity = 2.34", r"\[similarity\]: similarity is not 2.34"),
        ("size = 128", "size = 128.5", "size is a whole number from 1, not 128.5"),
        ("live_class = 0", "live_class = -1", "live_class is a whole number from 0, not -1"),
        ("live_class = 0", "live_class = true", "live_class is a whole number from 0, not True"),
        ("crop = 1.4", "crop = 1.4\nstd = -255", "crop and std are above 0"),
        ("crop = 1.4", "crop = 1.4\nprobabilities = true", "gives no probabilities, but logits"),
        ("slope = 0.9393", "slope = 0", r"\[liveness\]: slope is above 0"),
        ("steepness = 16.0", "steepness = 0", "steepness above 0 and at most 100"),
        ("\ncosine = 0.4369\n", "\ncosine = 1\n", "cosine is between -1 and 1"),
        ("\ncosine = 0.4369\n", "\ncosine = -1\n", "cosine is between -1 and 1"),
        ("steepness = 16.0", "steepness = nan", "steepness is not nan"),
        ("steepness = 16.0", "steepness = 0.01", "too low for that cosine"),
        ('channels = "RGB"', 'channels = "rgb"', "channels is BGR or RGB"),
        ("margin = 96", "margin = 330", "tile is above twice the margin"),
        ("margin = 96", "margin = 15", "margin is no less than stride"),
        ("size = 112", "size = 96", "a network does not fit its settings"),
        ("size = 112", 'size = 112\nintegers = "false"', "integers is true or false, not 'false'"),
        ("std = 1.0", "std = 16256.0", "all pictures are embedded alike: mean and std are not the"),
        ("crop = 1.4", 'crop = 1.4\nchannel = "RGB"', r"\[liveness\] has channel, which a crop_c"),
        ("crop = 1.4", 'crop = 1.4\nprobabilities = "no"', "probabilities is true or false"),
        ("live_class = 0", "live_class = 0\ngate = [1]", r"\[liveness\]: "),
        ("live_class = 0", "live_class = 5", "a network does not fit its settings"),
        ("intercept = 0.3656", "intercept = nan", "intercept is not nan"),
        ("mean = 0.0", "mean = nan", "the embedding network gave no number"),
        ('name = "default"', 'extends = "other"', 'a pack can only extend "default"'),
        (
            'name = "default"',
            'extend = "default"',
            r"\[pack\] does not know extend; it knows name, v",
        ),
        (
            "matched = [",
            "mached = [",
            r"\[similarity\] does not know mached; it knows cosine, steep",
        ),
    ],
)
def test_manifest_mistakes_are_explained(pack: Path, old: str, new: str, message: str) -> None:
    edit(pack, old, new)
    with pytest.raises(WeightsError, match=message) as caught:
        Engine(pack)
    assert "\n" not in str(caught.value)


def test_a_pack_in_a_folder_of_any_bytes(pack: Path) -> None:
    odd = pack.rename(pack.with_name("p\udcff"))
    with Engine(odd, providers=["cpu"]) as engine:
        assert engine.info()["pack"]["name"] == "default"


def test_what_info_tells_is_the_caller_s_own(engine: Engine) -> None:
    before = engine.info()["similarity"]["matched"]
    assert before
    engine.info()["similarity"]["matched"].clear()
    assert engine.info()["similarity"]["matched"] == before


@pytest.mark.parametrize("role", ["detector", "embedding"])
def test_a_pack_needs_detector_and_embedding(pack: Path, role: str) -> None:
    without(pack, role)
    with pytest.raises(WeightsError, match=f"has no {role} network"):
        Engine(pack)


def test_liveness_without_its_network_is_an_error(pack: Path, astronaut: Pixels) -> None:
    without(pack, "liveness")
    without(pack, "descreen")
    with Engine(pack) as engine:
        assert len(engine.detect(astronaut)) == 1
        with pytest.raises(WeightsError, match="has no liveness network: add a"):
            engine.liveness(astronaut)
        with pytest.raises(WeightsError, match="has no descreen network: add a"):
            engine.descreen(astronaut)
        with pytest.raises(WeightsError, match="has no descreen network"):
            engine.compare(astronaut, astronaut, id_photo=(False, True))


def test_extending_the_default_pack_fills_the_gaps(pack: Path, astronaut: Pixels) -> None:
    without(pack, "liveness")
    edit(pack, 'name = "default"', 'name = "mine"\nextends = "default"')
    with Engine(pack) as engine:
        assert engine.liveness(astronaut).is_alive
        assert engine.info()["pack"]["name"] == "mine"
        assert engine.info()["networks"]["liveness"]["folder"] == str(DEFAULT_PACK)


def test_the_fast_pack_by_its_name(
    engine: Engine, astronaut: Pixels, hanks: Pixels, caplog: pytest.LogCaptureFixture
) -> None:
    """In integers on any provider; fast with OpenVINO, as it says where that is not."""
    with Engine("fast", providers=["cpu"]) as fast:
        info = fast.info()
        assert info["pack"]["name"] == "fast"
        assert info["networks"]["embedding"]["folder"] == str(FAST_PACK)
        assert info["networks"]["detector"]["folder"] == str(DEFAULT_PACK)
        assert fast.embed(astronaut) @ engine.embed(astronaut) > 0.98
        assert fast.compare(astronaut, astronaut[:, ::-1]).is_match
        assert not fast.compare(astronaut, hanks).is_match
    (said,) = [record.message for record in caplog.records if "made for" in record.message]
    assert "install onnxruntime-openvino in place of onnxruntime" in said


@pytest.mark.parametrize("said", ["false", '"no"', "0"])
def test_a_network_that_is_not_said_to_be_free_for_all(
    pack: Path, caplog: pytest.LogCaptureFixture, said: str
) -> None:
    edit(pack, "[descreen]\n", f"[descreen]\ncommercial_use = {said}\n")
    Engine(pack).close()
    assert "pack default: descreen for non-commercial use only" in caplog.messages


def test_closed_engine_says_so(astronaut: Pixels) -> None:
    with Engine() as engine:
        engine.close()
    with pytest.raises(EngineError, match="this engine is closed"):
        engine.detect(astronaut)
    with pytest.raises(EngineError, match="this engine is closed"), engine:
        pass
