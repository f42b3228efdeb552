"""The embedding step on a local Ray of two workers gives the numbers of one process."""

from pathlib import Path

import numpy as np
import pytest

from engine.evaluation.embeddings import embed_photos
from engine.images import Pixels, encode


def test_same_numbers_on_a_cluster(tmp_path: Path, astronaut: Pixels, hanks: Pixels) -> None:
    ray = pytest.importorskip("ray")
    pytest.importorskip("ray.data")
    blank = np.full((200, 200, 3), 127, np.uint8)
    paths = []
    for number, pixels in enumerate([astronaut, hanks, blank, astronaut[:, ::-1]]):
        path = tmp_path / f"{number}.png"
        path.write_bytes(encode(np.ascontiguousarray(pixels), "png"))
        paths.append(path)
    here = embed_photos(paths, tmp_path / "here.sqlite", providers=["cpu"])
    ray.init("local", num_cpus=2, log_to_driver=False)
    try:
        there = embed_photos(paths, tmp_path / "there.sqlite", providers=["cpu"], ray="local")
    finally:
        ray.shutdown()
    assert [vector is None for vector in there] == [False, False, True, False]
    for one, other in zip(here, there, strict=True):
        if one is not None and other is not None:
            assert float(one @ other) == pytest.approx(1, abs=1e-5)
