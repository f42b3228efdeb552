"""Pictures: encoded bytes to BGR uint8 and back, with every limit applied before decoding."""

from os import PathLike
from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from engine import exif
from engine.chunks import essential
from engine.errors import ImageError
from engine.files import read
from engine.headers import Header, sniff
from engine.markers import check_scans, has_end, with_end

Pixels = NDArray[np.uint8]
Image = NDArray[Any] | bytes | bytearray | memoryview | str | PathLike[str]
"""What a picture may be given as; an array is a (H, W, 3) uint8 one, which OpenCV's types do not
tell."""

MAX_PIXELS = 50_000_000
"""More than any phone's default photo; decoded, 150 MB."""

MAX_SIDE = 32_766
"""What OpenCV's remap takes; a JPEG's sides end at 65,535."""

JPEG_QUALITY = 95

_BROKEN = "the picture does not decode: it is damaged, or of a rare kind; save it as PNG"

HARMLESS = (
    *("extraneous bytes before marker", "JFIF revision", "Adobe color transform"),
    *("Invalid SOS parameters for sequential JPEG", "bad ICC marker"),
    "Could not determine subsampling",
)
"""Warnings of libjpeg about files that some cameras and programs write (Samsung's phones say wrong
things of a scan), and what its faster interface says of colours stored more coarsely than it knows,
which OpenCV reads."""


def load(image: Image) -> Pixels:
    """Any accepted form of a picture as a contiguous (H, W, 3) uint8 BGR array.

    It may be the array that was given: copy it before writing.
    Raises ImageError for a wrong array or one with a side over MAX_SIDE, a path that is unreadable
    or of a file over files.MAX_BYTES, and what decode() refuses.
    """
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ImageError(
                f"an image array must be uint8 of shape (height, width, 3) in BGR order, "
                f"not {image.dtype} of shape {image.shape}"
            )
        _check_sides(image.shape[1], image.shape[0])
        return np.ascontiguousarray(image)
    if isinstance(image, bytes | bytearray | memoryview):
        try:
            data = bytes(image)
        except ValueError as error:  # of a memoryview that was released
            raise ImageError(f"the image's bytes cannot be read: {error}") from error
        return decode(data)
    if isinstance(image, str | PathLike):
        data = read(image)
        try:
            return decode(data)
        except ImageError as error:
            raise ImageError(f"{image}: {error}") from error
    raise ImageError(f"an image is an array, encoded bytes or a path, not {type(image).__name__}")


def decode(data: bytes) -> Pixels:
    """Encoded PNG, JPEG or BMP bytes as (H, W, 3) uint8 BGR, turned upright by its EXIF tag.

    Raises ImageError for another format, more than MAX_PIXELS, a side over MAX_SIDE, a JPEG of more
    than markers.MAX_SCANS, damage, or a header that promises another size than the data holds.
    """
    header = sniff(data)
    if header.width * header.height > MAX_PIXELS:
        raise ImageError(
            f"the picture has {header.width} x {header.height} pixels, over the limit of "
            f"{MAX_PIXELS // 1_000_000} megapixels: send a smaller one"
        )
    _check_sides(header.width, header.height)
    if header.format == "png":
        data = essential(data)
    if header.format == "jpeg":
        check_scans(data)
    pixels = _decode_jpeg(data, header) if header.format == "jpeg" else _decode_any(data)
    size = (header.height, header.width)
    if pixels.shape[:2] not in (size, size[::-1]):
        raise ImageError("the picture's header and its data disagree about its size")
    return pixels


def _check_sides(width: int, height: int) -> None:
    if max(width, height) > MAX_SIDE:
        raise ImageError(
            f"the picture is {width} x {height} pixels, and a side can have {MAX_SIDE:,}: "
            "send a smaller one"
        )


def _decode_jpeg(data: bytes, header: Header) -> Pixels:
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(data, "BGR", strict=True)
    except ValueError as error:
        if "Insufficient memory" in str(error):  # the machine's fault, and not the picture's
            raise MemoryError(str(error)) from error
        # libjpeg fills what is missing with grey and goes on: that would be a face half lost.
        harmless = any(words in str(error) for words in HARMLESS)
        if not has_end(data):
            if harmless:  # of several warnings one is told
                raise ImageError("the JPEG is damaged: it has no end") from error
            return _decode_jpeg(with_end(data), header)
        if not harmless:
            raise ImageError(
                f"the JPEG is damaged or shorter than its header says: {error}"
            ) from error
        pixels = _decode_any(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return np.ascontiguousarray(exif.shown(pixels, header.orientation))


def _decode_any(data: bytes, how: int = cv2.IMREAD_COLOR) -> Pixels:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(str(error)) from error
        raise ImageError(_BROKEN) from error
    if pixels is None:
        raise ImageError(_BROKEN)
    return np.asarray(pixels, np.uint8)


def is_grey(image: Pixels) -> bool:
    """Whether all of a (H, W, 3) picture is in shades of grey."""
    first = image[:, :, 0]
    return all(np.array_equal(first, image[:, :, channel]) for channel in (1, 2))


def encode(image: Pixels, format: str, orientation: int = 1) -> bytes:
    """(H, W, 3) uint8 BGR as "png", "bmp" (both lossless) or "jpeg" (quality 95, 4:4:4); in one
    channel where it is grey.

    orientation: of a JPEG alone: EXIF 1..8, by which viewers turn what is stored; `image` is what
    they are to show. No side longer than MAX_SIDE. Raises ImageError for another format, and for a
    picture that the format does not take.
    """
    if format not in ("png", "bmp", "jpeg"):
        raise ImageError(f"a picture is written as png, bmp or jpeg, not {format!r}")
    grey = is_grey(image)
    if format == "jpeg":
        image = exif.stored(image, orientation)
    pixels = np.ascontiguousarray(image[:, :, :1] if grey else image)
    if format == "jpeg":
        colours, kept = ("GRAY", "Gray") if grey else ("BGR", "444")
        encoded: bytes = simplejpeg.encode_jpeg(pixels, JPEG_QUALITY, colours, kept)
        return encoded if orientation == 1 else exif.tagged(encoded, orientation)
    done, buffer = cv2.imencode(f".{format}", pixels)
    if not done:
        raise ImageError(f"the picture cannot be written as {format}")
    return buffer.tobytes()
