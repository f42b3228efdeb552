"""Decoding: three formats, limits before decoding, orientation, and every way to lie."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from engine import Engine, ImageError
from engine.headers import Header, sniff
from engine.images import Image as Source
from engine.images import Pixels, decode, encode, load


def with_exif(jpeg: bytes, orientation: int) -> bytes:
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    segment = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def with_png_size(png: bytes, width: int, height: int) -> bytes:
    header = png[12:16] + struct.pack(">II", width, height) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def with_jpeg_height(jpeg: bytes, height: int) -> bytes:
    frame = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:frame] + struct.pack(">H", height) + jpeg[frame + 2 :]


@pytest.mark.parametrize("format", ["png", "bmp"])
def test_lossless_formats_round_trip(astronaut: Pixels, format: str) -> None:
    data = encode(astronaut, format)
    assert sniff(data) == Header(format, 512, 512)
    assert np.array_equal(decode(data), astronaut)


def test_jpeg_round_trip_is_close(astronaut: Pixels) -> None:
    data = encode(astronaut, "jpeg")
    assert sniff(data) == Header("jpeg", 512, 512)
    assert cv2.PSNR(decode(data), astronaut) > 38


def test_array_bytes_and_path_are_one_picture(astronaut: Pixels, tmp_path: Path) -> None:
    data = encode(astronaut, "png")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    forms: list[Source] = [astronaut, data, bytearray(data), memoryview(data), path, str(path)]
    for form in forms:
        assert np.array_equal(load(form), astronaut)


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


def test_rectangles_are_in_the_picture_as_a_viewer_sees_it(
    engine: Engine, astronaut: Pixels
) -> None:
    lying = with_exif(encode(np.ascontiguousarray(np.rot90(astronaut, 1)), "jpeg"), 6)
    (expected,) = engine.detect(astronaut, 1)
    (found,) = engine.detect(lying, 1)
    assert np.allclose(found.box, expected.box, atol=3)


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
    buffer = BytesIO()
    Image.fromarray(astronaut[:, :, ::-1]).convert(mode).save(buffer, format, **options)
    assert_same_light(decode(buffer.getvalue()), astronaut)


def test_sixteen_bits_become_eight(astronaut: Pixels) -> None:
    deep = astronaut.astype(np.uint16) * 257
    assert_same_light(decode(cv2.imencode(".png", deep)[1].tobytes()), astronaut)


def assert_same_light(found: Pixels, expected: Pixels) -> None:
    assert found.dtype == np.uint8 and found.shape == expected.shape
    grey, wanted = (cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in (found, expected))
    assert cv2.absdiff(grey, wanted).mean() < 12


@pytest.mark.parametrize("form", ["GIF87a", "GIF89a", "RIFF\0\0\0\0WEBP", "II*\0", "text", ""])
def test_other_formats_are_refused(form: str) -> None:
    with pytest.raises(ImageError, match="not a PNG, JPEG or BMP"):
        decode(form.encode() + bytes(64) if form else b"")


def test_pixel_limit_is_judged_before_decoding(astronaut: Pixels) -> None:
    png = encode(astronaut, "png")
    with pytest.raises(ImageError, match="60000 x 60000 pixels, over the limit of 50 megapixels"):
        decode(with_png_size(png, 60000, 60000))
    assert decode(encode(np.zeros((5000, 10000, 3), np.uint8), "png")).shape == (5000, 10000, 3)
    with pytest.raises(ImageError, match="over the limit"):
        decode(encode(np.zeros((5000, 10001, 3), np.uint8), "png"))


@pytest.mark.parametrize("size", [(512, 1000), (600, 512), (512, 300)])
def test_png_header_that_lies(astronaut: Pixels, size: tuple[int, int]) -> None:
    png = with_png_size(encode(astronaut, "png"), *size)
    if size == (512, 300):  # more data than promised: what was promised is all there
        assert np.array_equal(decode(png), astronaut[:300])
        return
    with pytest.raises(ImageError, match="damaged"):
        decode(png)


def test_png_chunk_that_announces_more_than_the_file(astronaut: Pixels) -> None:
    """Found by fuzzing: OpenCV set 2 GB aside for it."""
    png = encode(astronaut, "png")
    data = png.index(b"IDAT") - 4
    with pytest.raises(ImageError, match="a part of it is longer than the file"):
        decode(png[:data] + struct.pack(">I", 0x7FFFFFFF) + png[data + 4 :])


def test_jpeg_header_that_lies(astronaut: Pixels) -> None:
    with pytest.raises(ImageError, match="shorter than its header says"):
        decode(with_jpeg_height(encode(astronaut, "jpeg"), 1000))


@pytest.mark.parametrize("marker", [0x02, 0xBF, 0xC4, 0xDA])
def test_jpeg_that_breaks_off_in_the_middle(astronaut: Pixels, marker: int) -> None:
    """The decoder goes no further there, and would leave the rest grey."""
    jpeg = encode(astronaut, "jpeg")
    middle = len(jpeg) // 2
    with pytest.raises(ImageError, match="the JPEG is damaged"):
        decode(jpeg[:middle] + bytes([0xFF, marker]) + jpeg[middle + 2 :])


def test_jpeg_that_a_camera_has_padded(astronaut: Pixels) -> None:
    jpeg = encode(astronaut, "jpeg")
    assert np.array_equal(decode(jpeg[:-2] + bytes(64) + jpeg[-2:]), decode(jpeg))


def test_jpeg_with_coarse_colours(astronaut: Pixels) -> None:
    """A colour for every 4 x 2 pixels: grey JPEGs of its three planes, put together as scans."""
    planes = cv2.split(cv2.cvtColor(astronaut, cv2.COLOR_BGR2YCrCb))
    height, width = astronaut.shape[:2]
    parts, head = b"", b""
    for number, plane in ((1, 0), (2, 2), (3, 1)):  # Y, Cb, Cr
        side = (width, height) if number == 1 else (width // 4, height // 2)
        small = cv2.resize(planes[plane], side, interpolation=cv2.INTER_AREA)
        Image.fromarray(small).save(data := BytesIO(), "jpeg", quality=95)
        grey = data.getvalue()
        scan = grey.index(b"\xff\xda")
        head = head or grey[:scan]
        parts += bytes([0xFF, 0xDA, 0, 8, 1, number, 0, 0, 63, 0]) + grey[scan + 10 : -2]
    frame = head.index(b"\xff\xc0")
    colours = bytes([3, 1, 0x42, 0, 2, 0x11, 0, 3, 0x11, 0])
    head = (
        head[:frame]
        + b"\xff\xc0\0\x11"
        + head[frame + 4 : frame + 9]
        + colours
        + head[frame + 13 :]
    )
    jpeg = head + parts + b"\xff\xd9"
    assert cv2.PSNR(decode(jpeg), astronaut) > 25
    with pytest.raises(ImageError, match="damaged"):
        decode(jpeg[: len(jpeg) // 2])


def test_jpeg_with_endless_scans() -> None:
    """Each of ten bytes, and each costs as much as the whole picture."""
    grey = Image.new("L", (3000, 3000), 128)
    grey.save(data := BytesIO(), "jpeg", progressive=True)
    jpeg, scan = data.getvalue(), bytes.fromhex("FFDA0008010100013F10")
    assert decode(jpeg).shape == (3000, 3000, 3)
    with pytest.raises(ImageError, match="more than 100 scans: save it anew"):
        decode(jpeg[:-2] + 5000 * scan + jpeg[-2:])


def test_what_looks_like_scans_and_is_none(astronaut: Pixels) -> None:
    """In a picture's notes, and in the video that a phone puts behind it."""
    jpeg, other = encode(astronaut, "jpeg"), 1000 * bytes.fromhex("FFDA0008010100013F10")
    notes = b"\xff\xe4" + struct.pack(">H", len(other) + 2) + other
    assert np.array_equal(decode(jpeg[:2] + notes + jpeg[2:] + other), decode(jpeg))


def test_a_side_that_is_too_long() -> None:
    strip = np.zeros((1, 40000, 3), np.uint8)
    for picture in (strip, encode(strip, "png")):
        with pytest.raises(ImageError, match="40000 x 1 pixels, and a side can have 32,766"):
            load(picture)


@pytest.mark.parametrize("path", ["a\0.jpg", "\ud800.jpg"])
def test_what_can_be_no_path(path: str) -> None:
    with pytest.raises(ImageError, match="cannot read"):
        load(path)


def test_bmp_header_that_lies(astronaut: Pixels) -> None:
    bmp = encode(astronaut, "bmp")
    with pytest.raises(ImageError, match="damaged"):
        decode(bmp[:22] + struct.pack("<i", 1000) + bmp[26:])


@pytest.mark.parametrize("info_size", [40, 108])
@pytest.mark.parametrize("shifts", [(16, 8, 0), (0, 8, 16), (24, 16, 8)])
def test_bmp_masks(astronaut: Pixels, info_size: int, shifts: tuple[int, int, int]) -> None:
    """Red, green and blue anywhere in 32 bits: read right, or refused."""
    height, width = astronaut.shape[:2]
    blue, green, red = np.moveaxis(astronaut.astype(np.uint32), 2, 0)
    rows = sum(plane << shift for plane, shift in zip((red, green, blue), shifts, strict=True))
    masks = struct.pack("<III", *(0xFF << shift for shift in shifts)).ljust(info_size - 40, b"\0")
    begin = 14 + 40 + len(masks)
    head = struct.pack("<2sIIIIiiHHII16x", b"BM", begin + rows.nbytes, 0, begin, info_size, width,
                       -height, 1, 32, 3, rows.nbytes)  # fmt: skip
    bmp = head + masks + rows.astype("<u4").tobytes()
    if info_size == 40 and shifts != (16, 8, 0):
        with pytest.raises(ImageError, match="colours in an unusual order: save it as PNG"):
            decode(bmp)
    else:
        assert np.array_equal(decode(bmp), astronaut)


@pytest.mark.parametrize("format", ["png", "jpeg", "bmp"])
@pytest.mark.parametrize("kept", [9, 20, 40, 0.5, 0.98])
def test_truncated_files_are_refused(astronaut: Pixels, format: str, kept: float) -> None:
    data = encode(astronaut, format)
    with pytest.raises(ImageError):
        decode(data[: int(kept if kept > 1 else kept * len(data))])


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


def test_missing_path_and_wrong_type(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cannot read .*missing\.png: No such file"):
        load(tmp_path / "missing.png")
    with pytest.raises(ImageError, match="not int"):
        load(7)  # type: ignore[arg-type]
