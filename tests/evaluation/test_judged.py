"""What the score of the descreening network is fitted on."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from judged import SIZES, judged
from portraits import Portraits
from scenes import dressed, scene, seated

from engine.images import Pixels


def test_pictures_with_and_without_mesh(tmp_path: Path, astronaut: Pixels) -> None:
    folder = tmp_path / "us_officials"
    folder.mkdir()
    cv2.imwrite(str(folder / "house_ann.png"), astronaut)
    portraits = Portraits(tmp_path, tmp_path / "mattes.npy")
    labels = []
    for number in range(2 * len(SIZES)):
        picture, label = judged(portraits, np.random.default_rng(number), number)
        again, _ = judged(portraits, np.random.default_rng(number), number)
        assert picture.dtype == np.uint8
        assert picture.shape == (*SIZES[number % len(SIZES)], 3)
        assert np.array_equal(picture, again)
        labels.append(label)
    assert set(labels) <= {-1.0, 0.0, 1.0}
    assert 0.2 < np.mean(np.array(labels) == 1.0) < 0.7


@pytest.mark.parametrize("size", [(1, 1), (90, 2), (33, 70)])
def test_scenes_of_any_size(size: tuple[int, int]) -> None:
    seen = [scene(np.random.default_rng(seed), *size) for seed in range(12)]
    assert all(one.shape == (*size, 3) and one.dtype == np.uint8 for one in seen)
    assert not all(np.array_equal(one, seen[0]) for one in seen)


def test_what_is_behind_and_on_a_person(astronaut: Pixels) -> None:
    photo = np.ascontiguousarray(astronaut[:300, 100:360])
    person = np.zeros((300, 260), np.uint8)
    person[80:, 60:200] = 255
    behind = (seated(np.random.default_rng(1), photo, person) != photo).any(2)
    assert behind[person == 0].mean() > 0.5 and not behind[person > 0].any()
    clothes = (dressed(np.random.default_rng(1), photo, person) != photo).any(2)
    assert clothes[260:, 60:200].mean() > 0.5 and not clothes[:200].any()
    assert not clothes[person == 0].any()
