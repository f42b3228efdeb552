"""EXIF's orientation, read wherever a JPEG may have it, and written."""

import struct
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from engine import Engine
from engine.headers import Header, sniff
from engine.images import Pixels, decode, encode, load


def with_exif(jpeg: bytes, orientation: int, at: int = 2) -> bytes:
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    segment = b"Exif\0\0" + tiff
    return jpeg[:at] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[at:]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(astronaut: Pixels, orientation: int) -> None:
    upright = astronaut[:400]
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    shown = decode(with_exif(encode(np.ascontiguousarray(stored), "jpeg"), orientation))
    assert shown.shape == upright.shape
    assert cv2.PSNR(shown, np.ascontiguousarray(upright)) > 38


def test_exif_orientation_behind_the_frame_header(astronaut: Pixels) -> None:
    """Where T.81 allows it, too; of two the first counts."""
    jpeg = encode(astronaut, "jpeg")
    turned = with_exif(jpeg, 3, jpeg.index(b"\xff\xda"))
    assert sniff(turned) == Header("jpeg", 512, 512, 3)
    assert np.array_equal(decode(turned), decode(jpeg)[::-1, ::-1])
    assert sniff(with_exif(turned, 6)).orientation == 6


def test_stray_bytes_behind_the_frame_header(astronaut: Pixels) -> None:
    """Which the decoder passes over, and many fill bytes, which cost no time."""
    jpeg = encode(astronaut, "jpeg")
    scan = jpeg.index(b"\xff\xda")
    for stray in (b"\0\0\0", b"\xff" * 5_000_000):
        data = jpeg[:scan] + stray + jpeg[scan:]
        assert sniff(data) == Header("jpeg", 512, 512)
        assert np.array_equal(decode(data), decode(jpeg))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_written_in_any_orientation(astronaut: Pixels, orientation: int) -> None:
    """A viewer shows the same, and what is stored has its sides exchanged from 5 on."""
    data = encode(astronaut[:400], "jpeg", orientation)
    width, height = (400, 512) if orientation > 4 else (512, 400)
    assert sniff(data) == Header("jpeg", width, height, orientation)
    assert cv2.PSNR(decode(data), np.ascontiguousarray(astronaut[:400])) > 38
    with Image.open(BytesIO(data)) as picture:
        assert picture.getexif().get(0x0112, 1) == orientation


def test_rectangles_are_in_the_picture_as_a_viewer_sees_it(
    engine: Engine, astronaut: Pixels
) -> None:
    lying = with_exif(encode(np.ascontiguousarray(np.rot90(astronaut, 1)), "jpeg"), 6)
    (expected,) = engine.detect(astronaut, 1)
    (found,) = engine.detect(lying, 1)
    assert np.allclose(found.box, expected.box, atol=3)


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_orientation_in_32_bits(astronaut: Pixels, order: str) -> None:
    tag = struct.pack(order + "HHHIIH", 1, 0x0112, 4, 1, 6, 0)
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, 8)
    segment = b"Exif\0\0" + head + tag + bytes(4)
    exif = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    data = encode(astronaut[:, :300], "jpeg")
    assert load(data[:2] + exif + data[2:]).shape == (300, 512, 3)
