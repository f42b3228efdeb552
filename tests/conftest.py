"""Real pictures that ship inside dependencies, and one engine over the default pack."""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from insightface.data import get_image

from engine import Engine
from engine.images import Pixels, encode
from engine.packs import DEFAULT_PACK

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with Engine(providers=["cpu"]) as engine:
        yield engine


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the default pack, to be changed."""
    copy = Path(shutil.copytree(DEFAULT_PACK, tmp_path / "pack"))
    for path in (copy, *copy.iterdir()):  # of a checkout that is read-only
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    return copy


@pytest.fixture(scope="session")
def astronaut() -> Pixels:
    """512 x 512, one face at about (180, 64, 90, 108)."""
    return np.asarray(cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR), np.uint8)


@pytest.fixture(scope="session")
def group() -> Pixels:
    """1280 x 886, six people."""
    return np.asarray(get_image("t1"), np.uint8)


@pytest.fixture(scope="session")
def hanks() -> Pixels:
    """112 x 112, a face that fills the frame."""
    return np.asarray(get_image("Tom_Hanks_54745"), np.uint8)


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"the shared data sets are not at {SHARED.parent.name}/{SHARED.name}")
    return SHARED


@pytest.fixture
def people(tmp_path: Path, astronaut: Pixels, hanks: Pixels) -> Path:
    """Two people with two photos each, and one picture without a face."""
    dark = cv2.convertScaleAbs(astronaut, alpha=0.6)
    small = cv2.resize(hanks, (80, 80), interpolation=cv2.INTER_AREA)
    blank = np.full((200, 200, 3), 127, np.uint8)
    files = {"ann/1": astronaut, "ann/2": dark, "tom/1": hanks, "tom/2": small, "tom/3": blank}
    for name, pixels in files.items():
        path = tmp_path / "people" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(np.asarray(pixels, np.uint8), "png"))
    return tmp_path / "people"
