"""What an encoded picture says of itself, read without decoding anything."""

import re
import struct
from dataclasses import dataclass

from engine import exif
from engine.errors import ImageError
from engine.markers import MARKER

_FILL = re.compile(rb"\xff+")

_BITFIELDS, _BGR_MASKS = 3, (0xFF0000, 0xFF00, 0xFF)


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture says of itself before anything is decoded.

    format: "png", "jpeg" or "bmp". width, height: pixels as stored.
    orientation: EXIF 1..8; 5..8 swap width and height for the viewer.
    """

    format: str
    width: int
    height: int
    orientation: int = 1


def sniff(data: bytes) -> Header:
    """Read format and size from the first bytes. Raises ImageError for anything else.

    Sources: PNG specification (ISO/IEC 15948) 11.2.2 IHDR; ITU-T T.81 annex B; BITMAPINFOHEADER
    with BI_BITFIELDS.
    """
    try:
        if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR":
            header = Header("png", *struct.unpack_from(">II", data, 16))
        elif data[:2] == b"\xff\xd8":
            header = _sniff_jpeg(data)
        elif data[:2] == b"BM":
            header = _sniff_bmp(data)
        else:
            raise ImageError("the picture is not a PNG, JPEG or BMP")
    except struct.error as error:
        raise ImageError("the picture is cut off inside its header") from error
    if header.width == 0 or header.height == 0:
        raise ImageError("the picture has no pixels")
    return header


def _sniff_bmp(data: bytes) -> Header:
    pixels, info_size = struct.unpack_from("<II", data, 10)
    if pixels < 14 + info_size:
        raise ImageError("the BMP is damaged: its pixels begin inside of its header")
    if info_size == 12:  # the OS/2 header, with 16-bit sizes
        return Header("bmp", *struct.unpack_from("<HH", data, 18))
    width, height = struct.unpack_from("<ii", data, 18)
    bits, compression = struct.unpack_from("<HI", data, 28)
    # The decoder does not read masks behind the short headers: red would become blue.
    short = info_size in (40, 52) and (bits, compression) == (32, _BITFIELDS)
    if short and struct.unpack_from("<III", data, 54) != _BGR_MASKS:
        raise ImageError("the BMP has its colours in an unusual order: save it as PNG")
    return Header("bmp", abs(width), abs(height))  # a negative height is stored top-down


def _sniff_jpeg(data: bytes) -> Header:
    position, orientation = 2, 0
    while True:
        marker, code, length = struct.unpack_from(">BBH", data, position)
        if marker != 0xFF or code == 0:
            raise ImageError("the JPEG is damaged: a marker is missing")
        if code == 0xFF:  # fill bytes before the marker
            position += len(_FILL.match(data, position)[0]) - 1  # type: ignore[index]
            continue
        if code == 0x01 or 0xD0 <= code <= 0xD7:  # these have no length, and are passed over
            position += 2
            continue
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):  # a start of frame
            height, width = struct.unpack_from(">HH", data, position + 5)
            orientation = orientation or _behind(data, position + 2 + length)
            return Header("jpeg", width, height, orientation or 1)
        if code == 0xDA:
            raise ImageError("the JPEG is damaged: it has no frame header")
        if not orientation:
            orientation = _told(data[position + 4 : position + 2 + length], code)
        if length < 2:
            raise ImageError("the JPEG is damaged: a segment has no length")
        position += 2 + length


def _behind(data: bytes, position: int) -> int:
    """What segments between the frame header and a scan say, where they may stand, too; 0 for
    nothing. Of what lies between them the decoder is the judge."""
    while found := MARKER.search(data, position):
        start = found.end() + 2
        length = int.from_bytes(data[found.end() : start], "big")
        if found[1] in (b"\xda", b"\xd9") or length < 2:
            return 0
        if orientation := _told(data[start : start + length - 2], found[1][0]):
            return orientation
        position = start + length - 2
    return 0


def _told(segment: bytes, code: int) -> int:
    """The orientation that a segment tells; 0 for one that is no EXIF."""
    is_exif = code == 0xE1 and segment.startswith(b"Exif\0\0")
    return exif.read(segment[6:]) if is_exif else 0
