"""Tiles: a large picture in parts, each looked at with some of what surrounds it."""

from collections.abc import Iterator
from dataclasses import dataclass

Area = tuple[slice, slice]
"""Rows and columns."""


@dataclass(frozen=True, slots=True)
class Tile:
    """part: what the tile answers for, in the picture. seen: what it looks at, in the picture.
    inside: where the part lies in what is seen."""

    part: Area
    seen: Area
    inside: Area


def tiles(height: int, width: int, side: int, margin: int, stride: int) -> Iterator[Tile]:
    """Parts that cover a picture once, seen with `margin` pixels around, at most `side` long.

    Beyond the margin what is seen barely reaches the part, so parts meet without a seam. What is
    seen begins on a multiple of `stride` from the picture's beginning and ends on one from its end
    (the margin is less than a stride smaller for it): so a network of that stride divides a tile
    as it divides the picture, and one of the mirrored picture as the mirrored picture.
    """
    step = side - 2 * margin
    for top in range(0, height, step):
        for left in range(0, width, step):
            rows = slice(top, min(top + step, height))
            columns = slice(left, min(left + step, width))
            y = _around(rows, height, margin, stride)
            x = _around(columns, width, margin, stride)
            yield Tile((rows, columns), (y, x), (_within(rows, y), _within(columns, x)))


def _around(part: slice, length: int, margin: int, stride: int) -> slice:
    begin = -(-(part.start - margin) // stride) * stride
    end = length + (part.stop + margin - length) // stride * stride
    return slice(max(begin, 0), min(end, length))


def _within(part: slice, seen: slice) -> slice:
    return slice(part.start - seen.start, part.stop - seen.start)
