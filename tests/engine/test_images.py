"""Decoding: three formats, limits before decoding, and every way to lie."""

import base64
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg
from PIL import Image

from engine import ImageError
from engine.headers import Header, sniff
from engine.images import Image as Source
from engine.images import Pixels, decode, encode, load


@pytest.mark.parametrize("format", ["png", "bmp"])
def test_lossless_formats_round_trip(astronaut: Pixels, format: str) -> None:
    data = encode(astronaut, format)
    assert sniff(data) == Header(format, 512, 512)
    assert np.array_equal(decode(data), astronaut)


def test_jpeg_round_trip_is_close(astronaut: Pixels) -> None:
    data = encode(astronaut, "jpeg")
    assert sniff(data) == Header("jpeg", 512, 512)
    assert cv2.PSNR(decode(data), astronaut) > 38
    assert simplejpeg.decode_jpeg_header(data)[2:] == ("YCbCr", "444")


def test_array_bytes_and_path_are_one_picture(astronaut: Pixels, tmp_path: Path) -> None:
    data = encode(astronaut, "png")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    forms: list[Source] = [astronaut, data, bytearray(data), memoryview(data), path, str(path)]
    for form in forms:
        assert np.array_equal(load(form), astronaut)


LITTLE_ROOM = """
import resource, sys
from engine.images import decode
data = sys.stdin.buffer.read()
decode(data)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (30 << 20), -1))
try:
    decode(data)
except Exception as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize("format", ["png", "bmp", "progressive"])
def test_want_of_memory_is_not_the_picture_s_fault(format: str) -> None:
    """A picture of 75 MB, and room for 30."""
    pixels = np.zeros((5000, 5000, 3), np.uint8)
    if format == "progressive":
        data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    else:
        data = encode(pixels, format)
    command = [sys.executable, "-c", LITTLE_ROOM]
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"MemoryError\n"


@pytest.mark.parametrize(
    ("mode", "format", "options"),
    [
        ("L", "PNG", {}),
        ("P", "PNG", {}),
        ("RGBA", "PNG", {}),
        ("RGB", "JPEG", {"progressive": True}),
        ("CMYK", "JPEG", {}),
        ("P", "BMP", {}),
    ],
)
def test_every_kind_of_pixels_becomes_bgr(
    astronaut: Pixels, mode: str, format: str, options: dict[str, bool]
) -> None:
    buffer, picture = BytesIO(), Image.fromarray(astronaut[:, :, ::-1]).convert(mode)
    picture.save(buffer, format, **options)
    found, shown = decode(buffer.getvalue()), np.asarray(picture.convert("RGB"))[..., ::-1]
    assert found.dtype == np.uint8 and found.shape == astronaut.shape
    off = np.abs(found.astype(int) - shown).mean(axis=(0, 1))
    assert off.max() <= (4 if format == "JPEG" else 0)


def test_sixteen_bits_become_eight(astronaut: Pixels) -> None:
    deep = astronaut.astype(np.uint16) * 257
    assert np.array_equal(decode(cv2.imencode(".png", deep)[1].tobytes()), astronaut)


@pytest.mark.parametrize("format", ["png", "jpeg"])
def test_grey_pictures_are_written_as_such(astronaut: Pixels, format: str) -> None:
    grey = cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY)
    shades = np.repeat(grey[:, :, None], 3, axis=2)
    written = encode(shades, format)
    assert Image.open(BytesIO(written)).mode == "L"
    assert cv2.absdiff(decode(written), shades).max() <= (0 if format == "png" else 16)
    assert Image.open(BytesIO(encode(astronaut, format))).mode == "RGB"


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_two_channels_alike_make_no_grey(astronaut: Pixels, channel: int) -> None:
    grey = cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY)
    coloured = np.repeat(grey[:, :, None], 3, axis=2)
    coloured[..., channel] //= 2
    for format in ("png", "bmp"):
        assert np.array_equal(decode(encode(coloured, format)), coloured)


@pytest.mark.parametrize("format", ["tiff", "jpg", "PNG", ""])
def test_other_formats_are_not_written(astronaut: Pixels, format: str) -> None:
    with pytest.raises(ImageError, match=f"written as png, bmp or jpeg, not '{format}'"):
        encode(astronaut, format)


@pytest.mark.parametrize("form", ["GIF87a", "GIF89a", "RIFF\0\0\0\0WEBP", "II*\0", "text", ""])
def test_other_formats_are_refused(form: str) -> None:
    with pytest.raises(ImageError, match="not a PNG, JPEG or BMP"):
        decode(form.encode() + bytes(64) if form else b"")


def test_a_side_that_is_too_long() -> None:
    strip = np.zeros((1, 40000, 3), np.uint8)
    for picture in (strip, encode(strip, "png")):
        with pytest.raises(ImageError, match="40000 x 1 pixels, and a side can have 32,766"):
            load(picture)


@pytest.mark.parametrize("path", ["a\0.jpg", "\ud800.jpg"])
def test_what_can_be_no_path(path: str) -> None:
    with pytest.raises(ImageError, match="cannot read"):
        load(path)


def test_an_empty_path() -> None:
    with pytest.raises(ImageError, match="a picture's path is empty"):
        load("")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "empty"],
)
def test_wrong_arrays_are_named(array: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(ImageError, match=r"must be uint8 of shape \(height, width, 3\)"):
        load(array)


def test_a_picture_in_base64_is_not_in_the_message(astronaut: Pixels) -> None:
    text = base64.b64encode(encode(astronaut, "jpeg")).decode()
    with pytest.raises(ImageError, match="base64 is given as bytes, decoded") as caught:
        load(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("begin", [0, 53])
def test_a_bmp_whose_pixels_begin_in_its_header(astronaut: Pixels, begin: int) -> None:
    data = bytearray(encode(astronaut, "bmp"))
    data[10:14] = begin.to_bytes(4, "little")
    with pytest.raises(ImageError, match="the BMP is damaged: its pixels begin inside of its head"):
        load(data)


def test_bytes_that_were_let_go(astronaut: Pixels) -> None:
    view = memoryview(encode(astronaut, "jpeg"))
    view.release()
    with pytest.raises(ImageError, match=r"the image's bytes cannot be read: .*released"):
        load(view)


def test_missing_path_and_wrong_type(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cannot read .*missing\.png: No such file"):
        load(tmp_path / "missing.png")
    with pytest.raises(ImageError, match="not int"):
        load(7)  # type: ignore[arg-type]


def test_how_long_a_side_may_be() -> None:
    strip = np.zeros((1, 32_766, 3), np.uint8)
    assert load(strip) is strip
    with pytest.raises(ImageError, match="32767 x 1 pixels, and a side can have 32,766"):
        load(np.zeros((1, 32_767, 3), np.uint8))
