"""PNGs with chunks that the decoder must not see, or that are missing, broken or too many."""

import struct
import zlib

import numpy as np
import pytest

from engine import ImageError
from engine.chunks import essential
from engine.images import Pixels, decode, encode


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    crc = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + crc


HEAD, END = 33, -12
"""Where a PNG's first chunk ends and its last one begins."""

FORGED = b'\n{"level":"info","event":"request","status":200}\n'


@pytest.mark.parametrize("kind", [b"IDAT", b"IEND"])
def test_png_chunk_that_announces_more_than_the_file(astronaut: Pixels, kind: bytes) -> None:
    """Found by fuzzing: OpenCV set 2 GB aside for it."""
    png = encode(astronaut, "png")
    data = png.rindex(kind) - 4
    with pytest.raises(ImageError, match="a part of it is longer than the file"):
        decode(png[:data] + struct.pack(">I", 0x7FFFFFFF) + png[data + 4 :])


@pytest.mark.parametrize(
    "notes",
    [
        100 * chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(1_000_000))),
        chunk(b"iCCP", FORGED + b"\0\0" + zlib.compress(bytes(1_000))),
        1000 * chunk(b"sPLT"),
        chunk(b"acTL", struct.pack(">II", 1, 0)) + chunk(b"fcTL", bytes(26)),
        chunk(b"gAMA", struct.pack(">I", 100_000)) + chunk(b"bKGD", bytes(6)),
    ],
    ids=["notes", "profile", "broken", "animation", "colours"],
)
@pytest.mark.parametrize("place", [HEAD, END])
def test_png_of_which_the_decoder_sees_the_pixels_alone(
    astronaut: Pixels, notes: bytes, place: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """It would inflate the others, and print what they say."""
    png = encode(astronaut, "png")
    assert essential(png) is png
    noted = png[:place] + notes + png[place:]
    assert essential(noted) == png
    assert np.array_equal(decode(noted), astronaut)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("place", [HEAD, END])
@pytest.mark.parametrize("kind", [b"tRNS", b"eXIf", b"PLTE", b"IDAT"])
def test_png_with_a_part_too_often(
    astronaut: Pixels, place: int, kind: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of which each would be a line of the log."""
    png = encode(astronaut, "png")
    often = png[:place] + 1000 * (chunk(kind, b"abc") + chunk(b"tEXt", b"a\0b")) + png[place:]
    if place == HEAD and kind == b"IDAT":
        with pytest.raises(ImageError, match="damaged"):
            decode(often)
    else:
        assert np.array_equal(decode(often), astronaut)
    assert capfd.readouterr().err.count("\n") <= 2


@pytest.mark.parametrize("place", [HEAD, END])
def test_png_whose_orientation_stays(astronaut: Pixels, place: int) -> None:
    turn = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHHI", 0x0112, 3, 1, 6, 0, 0)
    png = encode(np.ascontiguousarray(np.rot90(astronaut[:400])), "png")
    turned = png[:place] + chunk(b"tEXt", b"a\0b") + chunk(b"eXIf", turn) + png[place:]
    assert np.array_equal(decode(turned), astronaut[:400])


@pytest.mark.parametrize(
    ("between", "told"),
    [
        (b"", ""),
        (chunk(b"tEXt", b"a\0b"), "damaged, or of a rare kind"),
        (chunk(b"ABCD"), "a part that no program knows"),
    ],
)
def test_png_whose_pixels_are_in_parts(astronaut: Pixels, between: bytes, told: str) -> None:
    """Nothing may be between them; the decoder sees as it did before where something was."""
    png = encode(astronaut, "png")
    packed = zlib.compress(
        b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(astronaut[..., ::-1]))
    )
    parts = [chunk(b"IDAT", packed[at : at + 1000]) for at in range(0, len(packed), 1000)]
    data = png[:HEAD] + chunk(b"tIME", bytes(7)) + between.join(parts) + png[END:]
    if between:
        with pytest.raises(ImageError, match=told):
            decode(data)
    else:
        assert np.array_equal(decode(data), astronaut)


def test_png_with_a_critical_chunk_that_nobody_knows(astronaut: Pixels) -> None:
    png = encode(astronaut, "png")
    for kind in (b"ABCD", b"\n{}\n"):  # the decoder would print it
        with pytest.raises(ImageError, match="a part that no program knows: save it anew as PNG"):
            decode(png[:HEAD] + chunk(kind) + png[HEAD:])
