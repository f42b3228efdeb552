"""Six kinds of hostile requests, each made from a source of choices and a small sound picture."""

import base64
import json
import random
import struct
import zlib
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from shim_client import body, head, image, sign

CALLS = ("detect", "compare", "biodetect", "erasemark")
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 3, 10**30, 1.5, -0.0, "", " ", "x", "\0", "é", "𝄞"),
    *([], {}, [[]], [{}], {"": ""}, {"data": "x"}, "__proto__", "%s%n", "1" * 400, "A" * 70_000),
]  # fmt: skip
Case = tuple[bytes, bytes]  # head, body


def members(call: str, picture: bytes) -> dict[str, Any]:
    names = ("image1", "image2") if call == "compare" else ("image",)
    return body(**{name: image(picture) for name in names}, mutipleFace=True)


def signed(call: str, members: dict[str, Any]) -> Case:
    data = json.dumps(members, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return head(call, len(data)), data


def mutated(chance: random.Random, data: bytes) -> bytes:
    """One to five changes: a byte or a run of bytes flipped, cut, doubled, moved or put in."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(changed) + 1)
        to = min(len(changed), at + chance.choice((1, 1, 2, 8, 64, 1000)))
        piece = bytes(changed[at:to])
        match chance.randrange(6):
            case 0:
                changed[at:to] = bytes(byte ^ (1 << chance.randrange(8)) for byte in piece)
            case 1:
                del changed[at:to]
            case 2:
                changed[at:at] = piece * chance.randint(1, 3)
            case 3:
                changed[at:to] = chance.randbytes(len(piece))
            case 4:
                del changed[at:]
            case _:
                extreme = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
                changed[at:to] = bytes([extreme]) * len(piece)
    return bytes(changed)


def json_members(chance: random.Random, picture: bytes) -> Case:
    """A member, or several, left out, doubled or of another type; pictures signed anew."""
    call = chance.choice(CALLS)
    made = members(call, picture)
    for _ in range(chance.randint(1, 3)):
        inside = made
        name = chance.choice(list(inside))
        while isinstance(inside[name], dict) and inside[name] and chance.random() < 0.7:
            inside = inside[name]
            name = chance.choice(list(inside))
        value = deepcopy(chance.choice(ODD))  # it may be changed in a later round
        if chance.random() < 0.2:
            del inside[name]
            inside[name + chance.choice(("", "x", "\0"))] = value
        else:
            inside[name] = value
    for value in made.values():
        if isinstance(value, dict) and isinstance(value.get("data"), str) and chance.random() < 0.7:
            value["token"] = sign(value["data"].encode("utf-8", "replace"))
    return signed(call, made)


def json_text(chance: random.Random, picture: bytes) -> Case:
    """The text of a good body damaged, or what is not JSON though it looks like it."""
    call = chance.choice(CALLS)
    text = signed(call, members(call, picture))[1]
    match chance.randrange(8):
        case 0:
            text = chance.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b" \t\r\n", b"//x\n")) + text
        case 1:
            depth = chance.choice((10, 1000, 1030, 50_000))
            text = b'{"a":' * depth + b"1" + b"}" * depth
        case 2:
            text = text.replace(b"{", b'{"app_id": 1, "image": {}, ', 1)
        case 3:
            odd = (
                b"NaN",
                b"Infinity",
                b"1e999",
                b"9" * 5000,
                b"01",
                b'"\\ud800"',
                b'"\xff"',
                b"'x'",
            )
            text = text.replace(b'"iphone7"', chance.choice(odd))
        case 4:
            text = text.decode().encode(chance.choice(("utf-16", "utf-32", "utf-16-be")))
        case _:
            text = mutated(chance, text)
    return head(call, len(text)), text


def heads(chance: random.Random, picture: bytes) -> Case:
    """Header lines damaged, doubled, left out, of strange values; the body stays whole."""
    call = chance.choice(CALLS)
    start, data = signed(call, members(call, picture))
    if chance.random() < 0.3:
        return mutated(chance, start), data
    lines = start.split(b"\r\n")[:-2]
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(1, len(lines))
        name, _, value = lines[at].partition(b":")
        odd = (
            b"",
            b" ",
            b"\xff" * 64,
            b"0",
            b"-1",
            b"9" * 30,
            b"a, b",
            value + b"," + value,
            b"\t",
            b"%00",
        )
        match chance.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines.append(lines[at])
            case 2:
                lines[at] = mutated(chance, name) + b":" + value
            case 3:
                lines.append(
                    chance.choice(
                        (
                            b"Expect: 100-continue",
                            b"Transfer-Encoding: chunked",
                            b"Connection: close",
                            b"Upgrade: h2c",
                            b" folded",
                        )
                    )
                )
            case _:
                lines[at] = name + b": " + chance.choice(odd)
        if len(lines) < 2:
            break
    if chance.random() < 0.2:
        lines[0] = mutated(chance, lines[0])
    return b"\r\n".join(lines) + b"\r\n\r\n", data


def base64_text(chance: random.Random, picture: bytes) -> Case:
    """The text of a picture damaged, and signed as it is."""
    call = chance.choice(CALLS)
    made = members(call, picture)
    text = base64.b64encode(picture)
    damaged = mutated(chance, text) if chance.random() < 0.8 else chance.randbytes(50)
    for value in made.values():
        if isinstance(value, dict) and "data" in value:
            value["data"] = damaged.decode("latin-1")
            value["token"] = sign(value["data"].encode())
    return signed(call, made)


def picture_files(chance: random.Random, picture: bytes) -> Case:
    """A picture file damaged, or one whose header lies about its size."""
    call = chance.choice(CALLS)
    if chance.random() < 0.3:
        picture = lying(
            picture, *(chance.choice((0, 1, 7, 255, 60_000, 65_535, 2**31)) for _ in "wh")
        )
    if chance.random() < 0.8:
        picture = mutated(chance, picture)
    return signed(call, members(call, picture))


def raw_bytes(chance: random.Random, picture: bytes) -> Case:
    """What no client would send."""
    call = chance.choice(CALLS)
    start, data = signed(call, members(call, picture))
    chunked = start.replace(b"Content-Length", b"Transfer-Encoding: chunked\r\nX", 1)
    match chance.randrange(6):
        case 0:
            return b"", chance.randbytes(chance.choice((1, 100, 5000)))
        case 1:
            return mutated(chance, start), mutated(chance, data)
        case 2:
            return start[: chance.randrange(len(start))], b""
        case 3:
            return chunked, mutated(chance, b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data))
        case 4:
            return start + data + start, data[: chance.randrange(len(data))]
        case _:
            return start, data[: chance.randrange(len(data))]


def lying(picture: bytes, width: int, height: int) -> bytes:
    """The same file with another size in its header, checksum and all."""
    if picture[:4] == b"\x89PNG":
        header = b"IHDR" + struct.pack(">II", width, height) + picture[24:29]
        return picture[:12] + header + struct.pack(">I", zlib.crc32(header)) + picture[33:]
    if picture[:2] == b"BM":
        return picture[:18] + struct.pack("<II", width, height) + picture[26:]
    for frame in (b"\xff\xc0", b"\xff\xc2"):
        at = picture.find(frame)
        if at > 0:
            return (
                picture[: at + 5]
                + struct.pack(">HH", height % 65536, width % 65536)
                + picture[at + 9 :]
            )
    return picture


def png(
    bits: int, colour: int, rows: bytes, size: int, interlace: int = 0, more: bytes = b""
) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", size, size, bits, colour, 0, 0, interlace)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more
    return start + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


KINDS: tuple[Callable[[random.Random, bytes], Case], ...] = (
    *(json_members, json_text, heads, base64_text, picture_files, raw_bytes),
)
