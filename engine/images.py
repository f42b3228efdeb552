"""Pictures: encoded bytes to BGR uint8 and back, with every limit applied before decoding."""

import struct
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from engine.errors import ImageError

Pixels = NDArray[np.uint8]
Image = Pixels | bytes | bytearray | memoryview | str | PathLike[str]

MAX_PIXELS = 50_000_000
"""More than any phone's default photo; decoded, 150 MB."""

JPEG_QUALITY = 95


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


def load(image: Image) -> Pixels:
    """Any accepted form of a picture as a contiguous (H, W, 3) uint8 BGR array.

    Raises ImageError for a wrong array, an unreadable path or bytes that do not decode.
    """
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ImageError(
                f"an image array must be uint8 of shape (height, width, 3) in BGR order, "
                f"not {image.dtype} of shape {image.shape}"
            )
        return np.ascontiguousarray(image)
    if isinstance(image, bytes | bytearray | memoryview):
        return decode(bytes(image))
    if isinstance(image, str | PathLike):
        try:
            return decode(Path(image).read_bytes())
        except OSError as error:
            raise ImageError(f"cannot read {image}: {error.strerror}") from error
    raise ImageError(f"an image is an array, encoded bytes or a path, not {type(image).__name__}")


def decode(data: bytes) -> Pixels:
    """Encoded PNG, JPEG or BMP bytes as (H, W, 3) uint8 BGR, turned upright by its EXIF tag.

    Raises ImageError for another format, more than MAX_PIXELS, damage, or a header that promises
    another size than the data holds.
    """
    header = sniff(data)
    if header.width * header.height > MAX_PIXELS:
        raise ImageError(
            f"the picture has {header.width} x {header.height} pixels, over the limit of "
            f"{MAX_PIXELS // 1_000_000} megapixels: send a smaller one"
        )
    if header.format == "png":
        _check_chunks(data)
    pixels = _decode_jpeg(data, header) if header.format == "jpeg" else _decode_any(data)
    size = (header.height, header.width)
    if pixels.shape[:2] not in (size, size[::-1]):
        raise ImageError("the picture's header and its data disagree about its size")
    return pixels


def _decode_jpeg(data: bytes, header: Header) -> Pixels:
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(data, "BGR", strict=True)
    except ValueError as error:
        # libjpeg fills what is missing with grey and only warns: that would be a face half lost.
        if "premature end" in str(error).lower():
            raise ImageError("the JPEG is cut off or shorter than its header says") from error
        return _decode_any(data)  # CMYK, or a warning that harms nothing
    return np.ascontiguousarray(_upright(pixels, header.orientation))


def _check_chunks(data: bytes) -> None:
    """Every chunk of a PNG must be as long as it says (ISO/IEC 15948, 5.3).

    The decoder sets aside whatever a chunk announces, up to 2 GB for a file of 50 bytes.
    """
    position, kind = 8, b""
    while kind != b"IEND":
        if position + 12 > len(data):
            raise ImageError("the PNG is cut off, or a part of it is longer than the file")
        length, kind = struct.unpack_from(">I4s", data, position)
        position += 12 + length
    if position > len(data):
        raise ImageError("the PNG is cut off, or a part of it is longer than the file")


def _decode_any(data: bytes) -> Pixels:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_BGR)
    except cv2.error as error:
        raise ImageError("the picture does not decode: it is damaged") from error
    if pixels is None:
        raise ImageError("the picture does not decode: it is damaged")
    return np.asarray(pixels, np.uint8)


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo a camera's rotation: EXIF 2.32, section 4.6.4, tag Orientation."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def encode(image: Pixels, format: str) -> bytes:
    """(H, W, 3) uint8 BGR as "png", "bmp" (both lossless) or "jpeg" (quality 95, 4:4:4)."""
    if format == "jpeg":
        pixels = np.ascontiguousarray(image)
        encoded: bytes = simplejpeg.encode_jpeg(pixels, JPEG_QUALITY, "BGR", "444")
        return encoded
    done, buffer = cv2.imencode(f".{format}", image)
    if not done:
        raise ImageError(f"the picture cannot be written as {format}")
    return buffer.tobytes()


def sniff(data: bytes) -> Header:
    """Read format and size from the first bytes. Raises ImageError for anything else.

    Sources: PNG specification (ISO/IEC 15948) 11.2.2 IHDR; ITU-T T.81 annex B; BITMAPINFOHEADER.
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
    (info_size,) = struct.unpack_from("<I", data, 14)
    if info_size == 12:  # the OS/2 header, with 16-bit sizes
        return Header("bmp", *struct.unpack_from("<HH", data, 18))
    width, height = struct.unpack_from("<ii", data, 18)
    return Header("bmp", abs(width), abs(height))  # a negative height is stored top-down


def _sniff_jpeg(data: bytes) -> Header:
    position, orientation = 2, 1
    while True:
        marker, code, length = struct.unpack_from(">BBH", data, position)
        if marker != 0xFF:
            raise ImageError("the JPEG is damaged: a marker is missing")
        if code == 0xFF:  # a fill byte before the marker
            position += 1
            continue
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):  # a start of frame
            height, width = struct.unpack_from(">HH", data, position + 5)
            return Header("jpeg", width, height, orientation)
        if code == 0xDA:
            raise ImageError("the JPEG is damaged: it has no frame header")
        if code == 0xE1 and data[position + 4 : position + 10] == b"Exif\0\0":
            orientation = _exif_orientation(data[position + 10 : position + 2 + length])
        if length < 2:
            raise ImageError("the JPEG is damaged: a segment has no length")
        position += 2 + length


def _exif_orientation(tiff: bytes) -> int:
    """Tag 0x0112 of the first directory; 1 (upright) when absent or broken, as viewers do."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, offset)
        for entry in range(offset + 2, offset + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, entry)
            if tag == 0x0112:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
