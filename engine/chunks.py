"""The chunks of a PNG: those that decide its pixels, without the others."""

import struct
from collections import Counter

from engine.errors import ImageError

_CUT_OFF = "the PNG is cut off, or a part of it is longer than the file"

_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")

_ANCILLARY = 0x20
"""The bit of a type's first letter by which decoders go on without a chunk they do not know."""


def essential(data: bytes) -> bytes:
    """A PNG without the chunks that change nothing about its pixels or which way is up.

    The decoder would inflate every note (1.4 GB from 1.5 MB), hold an animation's frames, and print
    a line for each broken chunk, with a colour profile's name as it is given: lines of a log,
    forged. What stays, stays as it is and in its order: the critical chunks, which the decoder
    refuses where they are damaged, tRNS and eXIf. Where nothing else is there, the same bytes come
    back.

    Raises ImageError for a critical chunk that is in no specification, whose type the decoder would
    print, and for one that is not as long as it says: the decoder sets aside whatever a chunk
    announces, up to 2 GB for a file of 50 bytes.
    Source: PNG specification (ISO/IEC 15948), 5.3 and 5.4.
    """
    kept, position, kind, seen = [slice(0, 8)], 8, b"", Counter[bytes]()
    while kind != b"IEND":
        if position + 12 > len(data):
            raise ImageError(_CUT_OFF)
        before, start = kind, position
        length, kind = struct.unpack_from(">I4s", data, position)
        position += 12 + length
        if not kind[0] & _ANCILLARY and kind not in _CRITICAL:
            raise ImageError("the PNG has a part that no program knows: save it anew as PNG")
        seen[kind] += kind != b"IDAT" or before != b"IDAT"
        if _decides(kind, seen[kind]):
            if kept[-1].stop == start:
                start = kept.pop().start
            kept.append(slice(start, position))
    if position > len(data):
        raise ImageError(_CUT_OFF)
    if len(kept) == 1:
        return data
    view = memoryview(data)
    return b"".join(view[part] for part in kept)


def _decides(kind: bytes, times: int) -> bool:
    """Whether the decoder needs the chunk, when so many of its kind have come.

    Pixels in two places are one too many already. The second of another kind it refuses or, with
    one warning, passes over; more would only be more warnings.
    """
    if kind == b"IDAT":
        return times == 1
    return times <= 2 and (not kind[0] & _ANCILLARY or kind in (b"tRNS", b"eXIf"))
