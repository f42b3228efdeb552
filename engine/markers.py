"""The markers of a JPEG: how many scans it has, and whether it has an end."""

import re
from collections.abc import Iterator

import numpy as np

from engine.errors import ImageError

MAX_SCANS = 100
"""Encoders make some ten; 100 that go over 49 megapixels in three colours take 2 s of a core, and
0.5 GB as three do."""

MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
"""Of a segment or the end: not a byte of data, a fill byte or a restart, which have no length."""
_START_OF_SCAN, _END_OF_IMAGE = b"\xda", b"\xd9"

_PART = 1 << 18
"""Bytes that are looked at together: what is made of them stays in the cache."""


def check_scans(data: bytes) -> None:
    """A JPEG must have no more scans than a sane encoder makes.

    The decoder goes over the whole picture for each, even one of ten bytes: a file of 1 MB can keep
    it busy for a quarter of an hour.
    """
    if _marked(data, _START_OF_SCAN[0]) <= MAX_SCANS:
        return
    scans = 0
    for code in _markers(data):
        scans += code == _START_OF_SCAN
        if scans > MAX_SCANS:
            raise ImageError(f"the JPEG has more than {MAX_SCANS} scans: save it anew")


def _marked(data: bytes, code: int) -> int:
    """How often 0xFF comes before this byte; eight times as fast as bytes.count."""
    values = np.frombuffer(data, np.uint8)
    parts = (values[start : start + _PART + 1] for start in range(0, len(values), _PART))
    return sum(int(np.count_nonzero((p[:-1] == 0xFF) & (p[1:] == code))) for p in parts)


def has_end(data: bytes) -> bool:
    """Whether a JPEG has the marker of its end."""
    return _END_OF_IMAGE in _markers(data)


def with_end(data: bytes) -> bytes:
    """A JPEG that lacks the marker of its end, with it: some phones leave it out, and with it the
    decoder tells whether anything else is missing too. That it cannot tell of several scans, of
    which each adds to the picture: for those this raises ImageError.
    """
    ended = data.removesuffix(b"\xff") + b"\xff" + _END_OF_IMAGE
    scans = sum(code == _START_OF_SCAN for code in _markers(data))
    if scans != 1 or not has_end(ended):
        raise ImageError("the JPEG is damaged: it has no end")
    return ended


def _markers(data: bytes) -> Iterator[bytes]:
    """The codes of a JPEG's markers up to its end, looked for as the decoder does (ITU-T T.81,
    B.1.1): not in the segments, which may hold thumbnails, nor behind the end, where phones put a
    video."""
    position, code = 2, b""
    while code != _END_OF_IMAGE and (marker := MARKER.search(data, position)):
        code, position = marker[1], marker.end()
        yield code
        position += int.from_bytes(data[position : position + 2], "big")
