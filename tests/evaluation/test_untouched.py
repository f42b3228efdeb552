"""Which photos are checked without a mesh."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np

from engine import Engine
from engine.evaluation.untouched import untouched
from engine.images import Pixels


def test_the_photos_are_a_sample_of_all_and_not_the_first_by_name(tmp_path: Path) -> None:
    """Twelve dark ones, called before twelve bright ones, of which twelve are checked."""
    for number in range(24):
        level = 40 if number < 12 else 200
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), np.full((130, 110, 3), level, np.uint8))

    def seen(seed: int) -> list[bool]:
        bright = []

        def descreen(picture: Pixels) -> Any:
            bright.append(bool(picture.mean() > 120))
            return SimpleNamespace(image=picture)

        untouched(cast("Engine", SimpleNamespace(descreen=descreen)), tmp_path, 12, seed)
        return bright

    assert 2 <= sum(seen(0)) <= 10
    assert seen(0) == seen(0) != seen(1)
