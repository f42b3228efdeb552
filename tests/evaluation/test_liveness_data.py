"""The captures that are simulated once and kept in a file."""

import sys
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "weights" / "build"))
import liveness_data
from liveness_data import Sample, simulated


def test_kept_captures_serve_only_the_same_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What simulates is stood in for: it takes seconds, and processes of its own."""
    asked = []

    def simulate(chunk: tuple[Any, ...]) -> list[Sample]:
        asked.append(chunk)
        return [Sample(b"", (0, 0, 1, 1), 0, "simulated", "ann", False)] * chunk[3]

    monkeypatch.setattr(liveness_data, "Pool", ThreadPool)
    monkeypatch.setattr(liveness_data, "_simulate", simulate)
    portrait = tmp_path / "portraits" / "us_officials" / "ann.png"
    portrait.parent.mkdir(parents=True)
    portrait.write_bytes(b"one")
    folder, cache = tmp_path / "portraits", tmp_path / "kept" / "simulated.pickle"
    cache.parent.mkdir()
    first = simulated(folder, 2, 1, 1, cache)
    assert simulated(folder, 2, 1, 1, cache) == first and len(asked) == 1
    assert len(simulated(folder, 3, 1, 1, cache)) == 3
    simulated(folder, 3, 7, 1, cache)
    portrait.write_bytes(b"another")
    simulated(folder, 3, 7, 1, cache)
    assert len(asked) == 4
    assert [path.name for path in cache.parent.iterdir()] == ["simulated.pickle"]
