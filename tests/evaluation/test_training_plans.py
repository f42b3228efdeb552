"""Trainings that go on where they paused do so with what they began with, and nothing else."""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import descreen_plan
import liveness_plan
import pytest
from liveness_data import Sample

from engine.errors import EngineError

SAMPLE = Sample(b"picture", (0.1, 0.1, 0.8, 0.8), 0, "prints_cn", "7", False)


def test_liveness_goes_on_with_the_same_captures_and_start(tmp_path: Path) -> None:
    options = Namespace(**dict.fromkeys(liveness_plan.DECISIVE, 1), start=tmp_path / "start.onnx")
    options.start.write_bytes(b"network")
    samples = [SAMPLE, replace(SAMPLE, data=b"another")]
    found = liveness_plan.settings_of(options, samples)
    same = liveness_plan.settings_of(options, list(samples))
    liveness_plan.require_same(tmp_path / "checkpoint_1.pt", found, same)
    others = [
        [SAMPLE, replace(SAMPLE, data=b"a third")],
        [SAMPLE, replace(samples[1], label=1)],
        [SAMPLE, replace(samples[1], subject="8")],
        [SAMPLE, replace(samples[1], box=(0.0, 0.0, 1.0, 1.0))],
        samples[::-1],
        samples[:1],
    ]
    changed = [liveness_plan.settings_of(options, other) for other in others]
    options.start.write_bytes(b"NETWORK")
    for settings in [*changed, liveness_plan.settings_of(options, samples)]:
        with pytest.raises(EngineError, match=r"checkpoint_1.pt was made with .*another --work"):
            liveness_plan.require_same(tmp_path / "checkpoint_1.pt", found, settings)


@pytest.mark.parametrize(
    "change",
    [
        lambda options: (options.portraits / "us_officials" / "ann.png").write_bytes(b"PIXELS"),
        lambda options: (options.portraits / "us_officials" / "bob.png").write_bytes(b"pixels"),
        lambda options: options.embedding.write_bytes(b"NETWORK"),
        lambda options: options.start.write_bytes(b"START"),
        lambda options: setattr(options, "start", None),
    ],
)
def test_descreen_goes_on_with_the_same_portraits_and_networks(
    tmp_path: Path, change: Callable[[Namespace], object]
) -> None:
    """Pictures count by their content: the changed one has the size of the other."""
    options = Namespace(**dict.fromkeys(descreen_plan.DECISIVE, 1), portraits=tmp_path)
    options.embedding = tmp_path / "embedding.onnx"
    options.embedding.write_bytes(b"network")
    options.start = tmp_path / "start.onnx"
    options.start.write_bytes(b"start")
    (tmp_path / "us_officials").mkdir()
    (tmp_path / "us_officials" / "ann.png").write_bytes(b"pixels")
    found = descreen_plan.settings_of(options)
    descreen_plan.require_same(tmp_path, found, descreen_plan.settings_of(options))
    change(options)
    with pytest.raises(EngineError, match="choose another --work"):
        descreen_plan.require_same(tmp_path, found, descreen_plan.settings_of(options))
    with pytest.raises(EngineError, match="options that it does not tell: choose another"):
        descreen_plan.require_same(tmp_path, None, descreen_plan.settings_of(options))
