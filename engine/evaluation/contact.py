"""Contact sheets: labelled rows of pictures in one picture."""

from collections.abc import Sequence

import cv2
import numpy as np

from engine.images import Pixels

CELL = 220


def contact_sheet(cases: Sequence[tuple[str, Sequence[Pixels]]], columns: int = 2) -> Pixels:
    """Cases, each a label above a row of pictures `(H, W, 3)` uint8 BGR, in `columns` columns."""
    tiles = [_case(label, row) for label, row in cases]
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % columns)
    lines = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(lines)


def _case(label: str, row: Sequence[Pixels]) -> Pixels:
    strip = np.zeros((18, CELL * len(row), 3), np.uint8)
    shown = label.encode("ascii", "replace").decode()  # OpenCV dies of names that are not UTF-8
    cv2.putText(strip, shown, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
    return np.vstack([strip, np.hstack([_fitted(picture) for picture in row])])


def _fitted(picture: Pixels) -> Pixels:
    scale = CELL / max(picture.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    small = cv2.resize(picture, size, interpolation=how)
    cell = np.full((CELL, CELL, 3), 40, np.uint8)
    height, width = min(small.shape[0], CELL), min(small.shape[1], CELL)
    cell[:height, :width] = small[:height, :width]
    return cell
