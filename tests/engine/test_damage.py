"""Files that are damaged, cut off, or not what their headers say."""

import struct
import zlib
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from engine import ImageError, markers
from engine.headers import Header, sniff
from engine.images import Pixels, decode, encode


def with_png_size(png: bytes, width: int, height: int) -> bytes:
    header = png[12:16] + struct.pack(">II", width, height) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def with_jpeg_height(jpeg: bytes, height: int) -> bytes:
    frame = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:frame] + struct.pack(">H", height) + jpeg[frame + 2 :]


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


def test_jpeg_header_that_lies(astronaut: Pixels) -> None:
    with pytest.raises(ImageError, match="shorter than its header says"):
        decode(with_jpeg_height(encode(astronaut, "jpeg"), 1000))


@pytest.mark.parametrize("marker", [0x00, 0x01, 0xD0, 0xD7])
def test_jpeg_whose_size_is_not_the_one_in_its_notes(astronaut: Pixels, marker: int) -> None:
    """Markers that have no length are passed over: who took what follows for one would look for the
    size somewhere else than the decoder, and let a picture of any size pass."""
    jpeg = encode(astronaut, "jpeg")
    tables = 4 + int.from_bytes(jpeg[4:6], "big")  # behind the first segment
    odd = jpeg[:2] + bytes([0xFF, marker]) + jpeg[2:tables]
    landing = 4 + int.from_bytes(odd[4:6], "big")
    notes = bytearray(b"\xff\xfe\xff\xfd" + bytes(0xFFFB))
    small = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 16, 16, 3) + jpeg[-20:]
    notes[landing - len(odd) : landing - len(odd) + len(small)] = small
    odd += bytes(notes) + jpeg[tables:]
    if marker == 0:
        with pytest.raises(ImageError, match="the JPEG is damaged: a marker is missing"):
            decode(odd)
        return
    assert sniff(odd) == Header("jpeg", 512, 512)
    assert np.array_equal(decode(odd), decode(jpeg))


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


def test_jpeg_of_another_revision(astronaut: Pixels) -> None:
    """Only the last of the decoder's warnings is told, here a harmless one: whole or cut off?"""
    jpeg = encode(astronaut, "jpeg")
    version = jpeg.index(b"JFIF\0") + 5
    other = jpeg[:version] + b"\x02" + jpeg[version + 1 :]
    assert np.array_equal(decode(other), decode(jpeg))
    with pytest.raises(ImageError, match="the JPEG is damaged: it has no end"):
        decode(other[: len(other) // 2])


def test_jpeg_of_a_samsung_phone(astronaut: Pixels) -> None:
    """It says wrong things of its only scan, which decoders overlook."""
    jpeg = encode(astronaut, "jpeg")
    last = jpeg.index(b"\xff\xda") + 11  # begin and end of the spectrum, and the bits
    assert jpeg[last : last + 3] == b"\0\x3f\0"
    phone = jpeg[:last] + b"\0\0\0" + jpeg[last + 3 :]
    assert np.array_equal(decode(phone), decode(jpeg))
    for lost in (3, len(phone) // 2):
        with pytest.raises(ImageError, match="the JPEG is damaged"):
            decode(phone[:-lost])


@pytest.mark.parametrize("trailer", [b"", b"\xff", bytes(100)])
def test_jpeg_without_the_marker_of_its_end(astronaut: Pixels, trailer: bytes) -> None:
    """All of the picture is there; and is it not, the marker would not help."""
    jpeg = encode(astronaut, "jpeg")
    assert np.array_equal(decode(jpeg[:-2] + trailer), decode(jpeg))
    for lost in (3, 500, len(jpeg) // 2):
        with pytest.raises(ImageError, match="the JPEG is damaged"):
            decode(jpeg[:-lost])


def test_jpeg_of_several_scans_without_its_end(astronaut: Pixels) -> None:
    """Nobody can tell whether a scan is missing."""
    progressive = cv2.imencode(".jpg", astronaut, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    with pytest.raises(ImageError, match="the JPEG is damaged: it has no end"):
        decode(progressive[:-2])


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


def test_jpeg_with_as_many_scans_as_may_be() -> None:
    Image.new("L", (64, 64), 128).save(data := BytesIO(), "jpeg", progressive=True)
    jpeg, scan = data.getvalue(), bytes.fromhex("FFDA0008010100013F10")
    more = markers.MAX_SCANS - jpeg.count(b"\xff\xda")
    with pytest.raises(ImageError, match="damaged"):  # by the decoder, as they repeat each other
        decode(jpeg[:-2] + more * scan + jpeg[-2:])
    with pytest.raises(ImageError, match="more than 100 scans: save it anew"):
        decode(jpeg[:-2] + (more + 1) * scan + jpeg[-2:])


def test_what_looks_like_scans_and_is_none(astronaut: Pixels) -> None:
    """In a picture's notes, and in the video that a phone puts behind it."""
    jpeg, other = encode(astronaut, "jpeg"), 1000 * bytes.fromhex("FFDA0008010100013F10")
    notes = b"\xff\xe4" + struct.pack(">H", len(other) + 2) + other
    assert np.array_equal(decode(jpeg[:2] + notes + jpeg[2:] + other), decode(jpeg))


def test_bmp_header_that_lies(astronaut: Pixels) -> None:
    bmp = encode(astronaut, "bmp")
    with pytest.raises(ImageError, match="damaged"):
        decode(bmp[:22] + struct.pack("<i", 1000) + bmp[26:])


@pytest.mark.parametrize("info_size", [40, 52, 108])
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
    if info_size < 56 and shifts != (16, 8, 0):
        with pytest.raises(ImageError, match="colours in an unusual order: save it as PNG"):
            decode(bmp)
    else:
        assert np.array_equal(decode(bmp), astronaut)


@pytest.mark.parametrize("format", ["png", "jpeg", "bmp"])
@pytest.mark.parametrize("kept", [9, 20, 40, 0.5, 0.98])
def test_truncated_files_are_refused(astronaut: Pixels, format: str, kept: float) -> None:
    data = encode(astronaut, format)
    with pytest.raises(ImageError, match=r"is not a PNG, JPEG or BMP|is cut off|is damaged"):
        decode(data[: int(kept if kept > 1 else kept * len(data))])
