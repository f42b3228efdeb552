"""The captures that are simulated once and kept in a file."""

from multiprocessing.pool import ThreadPool
from pathlib import Path

import cv2
import liveness_data
import pytest
from liveness_data import simulated

from engine.images import Pixels, encode


def test_kept_captures_serve_only_the_same_request(
    tmp_path: Path, astronaut: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In the tests' own process, whose other tests keep OpenCV's threads.
    monkeypatch.setattr(liveness_data, "Pool", ThreadPool)
    monkeypatch.setattr(cv2, "setNumThreads", lambda count: None)
    portrait = tmp_path / "portraits" / "us_officials" / "ann.png"
    portrait.parent.mkdir(parents=True)
    portrait.write_bytes(encode(astronaut, "png"))
    folder, cache = tmp_path / "portraits", tmp_path / "kept" / "simulated.pickle"
    cache.parent.mkdir()
    first = simulated(folder, 2, 1, 1, cache)
    written = cache.stat().st_mtime_ns
    assert simulated(folder, 2, 1, 1, cache) == first
    assert cache.stat().st_mtime_ns == written
    more = simulated(folder, 3, 1, 1, cache)
    assert len(more) == 3 and more[:2] == first
    other = simulated(folder, 3, 7, 1, cache)
    assert not {sample.data for sample in other} & {sample.data for sample in more}
    portrait.write_bytes(encode(astronaut[:, ::-1], "png"))
    mirrored = simulated(folder, 3, 7, 1, cache)
    assert not {sample.data for sample in mirrored} & {sample.data for sample in other}
    assert [path.name for path in cache.parent.iterdir()] == ["simulated.pickle"]
