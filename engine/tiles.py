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


def tiles(height: int, width: int, side: int, margin: int) -> Iterator[Tile]:
    """Parts that cover a picture once, seen with `margin` pixels around, at most `side` long.

    Beyond the margin what is seen barely reaches the part, so parts meet without a seam.
    """
    step = side - 2 * margin
    for top in range(0, height, step):
        for left in range(0, width, step):
            bottom, right = min(top + step, height), min(left + step, width)
            y0, x0 = max(top - margin, 0), max(left - margin, 0)
            yield Tile(
                part=(slice(top, bottom), slice(left, right)),
                seen=(
                    slice(y0, min(bottom + margin, height)),
                    slice(x0, min(right + margin, width)),
                ),
                inside=(slice(top - y0, bottom - y0), slice(left - x0, right - x0)),
            )
