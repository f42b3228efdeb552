"""The gate measured: what it refuses of upright photos, and whether turned ones are righted."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.evaluation.__main__ import main
from engine.images import Pixels, encode


def test_refusals_and_righted_photos(
    tmp_path: Path, astronaut: Pixels, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "good": astronaut,
        "blurred": cv2.GaussianBlur(astronaut, (0, 0), 4),
        "blank": np.full((200, 200, 3), 127, np.uint8),
        "sideways": np.rot90(astronaut),
    }
    photos = tmp_path / "photos"
    photos.mkdir()
    for name, pixels in files.items():
        (photos / f"{name}.png").write_bytes(encode(np.ascontiguousarray(pixels), "png"))
    out = tmp_path / "report"
    (photos / "broken.png").write_bytes(b"no picture")
    assert main(["gate", str(photos), "--out", str(out)]) == 0
    metrics = json.loads((out / "metrics.json").read_text())
    shares = {name: rate["value"] for name, rate in metrics["as_they_are"].items()}
    assert len(shares) == 5 and set(shares.values()) == {0.2}
    assert {"judged", "wrongly turned", "no face", "not readable"} < set(shares)
    assert any("blurred" in name for name in shares)
    # Two of the four pictures: the blank one has no face, the one on its side never was upright.
    assert metrics["righted"]["90"]["value"] == pytest.approx(0.5)
    assert metrics["righted"]["270"]["trials"] == 4
    assert "copies" not in capsys.readouterr().err
    (photos / "good2.png").write_bytes((photos / "good.png").read_bytes())
    assert main(["gate", str(photos), "--out", str(out)]) == 0
    names = f"{photos / 'good.png'} and {photos / 'good2.png'}"
    assert f"1 files are copies of others, such as {names}; each is counted" in (
        capsys.readouterr().err
    )
