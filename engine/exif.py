"""EXIF's orientation: which way up a picture is that is stored another way."""

import struct

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_TAG, _SHORT, _LONG = 0x0112, 3, 4
"""EXIF 2.32, section 4.6.4, tag Orientation: a value of 16 bits, which some write with 32."""


def read(tiff: bytes) -> int:
    """The orientation that EXIF's bytes, behind "Exif", tell: of the first directory; 1 (upright)
    when absent or broken, as viewers do."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, offset)
        for entry in range(offset + 2, offset + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(order + "HH", tiff, entry)
            if tag == _TAG:
                size = "I" if kind == _LONG else "H"
                (value,) = struct.unpack_from(order + size, tiff, entry + 8)
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def shown(pixels: Pixels, orientation: int) -> Pixels:
    """(H, W, C) pixels as they are stored, as a viewer shows them; a view of the same memory."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def stored(image: Pixels, orientation: int) -> Pixels:
    """What shown() makes `image` of."""
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (5, 6, 7, 8):
        image = image.transpose(1, 0, 2)
    return image


def tagged(data: bytes, orientation: int) -> bytes:
    """A JPEG without EXIF with one that has this orientation and nothing else."""
    entry = struct.pack(">HHIHH", _TAG, _SHORT, 1, orientation, 0)
    tiff = b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    segment = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
