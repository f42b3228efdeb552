"""The captures that are simulated once and kept in a file."""

import sys
from pathlib import Path

from engine.images import Pixels, encode

sys.path.append(str(Path(__file__).resolve().parents[2] / "weights" / "build"))
from liveness_data import simulated


def test_kept_captures_serve_only_the_same_request(tmp_path: Path, astronaut: Pixels) -> None:
    (tmp_path / "us_officials").mkdir()
    (tmp_path / "us_officials" / "ann.png").write_bytes(encode(astronaut, "png"))
    cache = tmp_path / "simulated.pickle"
    first = simulated(tmp_path, 2, 1, 1, cache)
    assert [sample.label for sample in first] == [0, 1]
    written = cache.stat().st_mtime_ns
    assert simulated(tmp_path, 2, 1, 1, cache) == first
    assert cache.stat().st_mtime_ns == written
    assert len(simulated(tmp_path, 3, 1, 1, cache)) == 3
    assert simulated(tmp_path, 2, 7, 1, cache) != first
    assert not cache.with_suffix(".new").exists()
