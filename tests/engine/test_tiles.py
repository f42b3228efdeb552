"""Tiles: every pixel is answered for once, and seen with what is around it."""

import numpy as np
import pytest

from engine.tiles import tiles


@pytest.mark.parametrize("stride", [1, 8, 16])
@pytest.mark.parametrize("size", [(1, 1), (64, 64), (65, 200), (128, 40), (300, 301)])
def test_parts_cover_the_picture_once_with_their_margins(
    size: tuple[int, int], stride: int
) -> None:
    side, margin, answered = 64, 16, np.zeros(size, int)
    picture = np.arange(size[0] * size[1]).reshape(size)
    for tile in tiles(*size, side, margin, stride):
        answered[tile.part] += 1
        seen = picture[tile.seen]
        assert max(seen.shape) <= side
        assert np.array_equal(seen[tile.inside], picture[tile.part])
        for part, around, end in zip(tile.part, tile.seen, size, strict=True):
            assert around.start % stride == 0 and (end - around.stop) % stride == 0
            assert 0 <= around.start - max(0, part.start - margin) < stride
            assert 0 <= min(end, part.stop + margin) - around.stop < stride
    assert (answered == 1).all()
