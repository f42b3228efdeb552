"""Hostile input over the socket: whatever comes, the answer is a row of the error table.

`make test` runs few cases, the same every time. FUZZ=20000 runs that many, FUZZ_SEED others;
with -s every kind prints how often which errorcode came. Hypothesis makes the choices, so a case
that fails is made smaller before it is shown.
"""

import os
import random
import socket
import struct
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from hostile import CALLS, KINDS, Case, lying, members, png, signed
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from shim_client import read_reply
from shim_server import Served

from engine import images
from engine.images import Pixels
from shim import contract
from shim.contract import Problem

CASES = int(os.environ.get("FUZZ", "600"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
HANG_S = 5
PROBLEMS = [value for value in vars(contract).values() if isinstance(value, Problem)]
ALLOWED = {(problem.status, problem.code) for problem in PROBLEMS if problem.status < 500}
ADAM7 = ((1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4))  # an 8 x 8 picture's seven passes


@pytest.fixture(scope="module")
def seeds(astronaut: Pixels) -> list[bytes]:
    """Small files of every kind that the formats know."""
    from PIL import Image

    face = np.asarray(cv2.resize(astronaut[0:256, 100:356], (96, 96)), np.uint8)
    deep = cv2.imencode(".png", face.astype(np.uint16) * 257)[1].tobytes()
    grey = cv2.imencode(".png", face[..., 0])[1].tobytes()
    clear = cv2.imencode(".png", cv2.cvtColor(face, cv2.COLOR_BGR2BGRA))[1].tobytes()
    gradual = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    whole = Image.fromarray(np.ascontiguousarray(face[..., ::-1]))
    made = []
    for kind, name in (("CMYK", "jpeg"), ("P", "png"), ("1", "png"), ("P", "bmp"), ("L", "jpeg")):
        target = BytesIO()
        whole.convert(kind).save(target, name)
        made.append(target.getvalue())
    passes = b"".join(b"\0" + bytes(width) for width, count in ADAM7 for _ in range(count))
    plain = [images.encode(face, name) for name in ("png", "jpeg", "bmp")]
    return [*plain, deep, grey, clear, gradual, *made, png(8, 0, passes, 8, interlace=1)]


def replies(connection: socket.socket) -> Iterator[tuple[int, str]]:
    """Status and errorcode of every reply on a connection until the server closes it."""
    with connection.makefile("rb") as stream, suppress(ConnectionResetError):
        while reply := read_reply(stream):
            yield reply[0], reply[2]["errorcode"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_hostile_input(
    served: Served, seeds: list[bytes], kind: Callable[[random.Random, bytes], Case]
) -> None:
    codes: Counter[str] = Counter()
    slowest = 0.0
    address = served.client().address

    @seed(SEED)
    @settings(
        max_examples=CASES // len(KINDS),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False), st.sampled_from(seeds))
    def attack(chance: random.Random, picture: bytes) -> None:
        nonlocal slowest
        start, data = kind(chance, picture)
        started = time.monotonic()
        with socket.create_connection(address, timeout=HANG_S) as connection:
            with suppress(OSError):  # refused while it is still being sent
                connection.sendall(start + data)
                connection.shutdown(socket.SHUT_WR)
            got = list(replies(connection))
        slowest = max(slowest, time.monotonic() - started)
        assert slowest < HANG_S
        assert {answer for answer in got if answer != (200, "0")} <= ALLOWED
        codes.update([code for _, code in got] or ["none"])

    attack()
    peak = peak_bytes(served) / 1e6
    print(f"\n{kind.__name__}: slowest {slowest:.2f} s, {peak:.0f} MB, {dict(codes.most_common())}")
    reply = served.client().ask("detect", **members("detect", seeds[1]))
    assert reply["errorcode"] == "0"
    assert served.process.poll() is None


@pytest.mark.parametrize("call", CALLS)
def test_bombs_cost_no_more_than_their_header(served: Served, call: str) -> None:
    rows = zlib.compress(bytes(60_001) * 1000) * 20
    huge = lying(png(8, 0, b"", 1), 60_000, 60_000)[:-12] + bytes(1_500_000)
    text = zlib.compress(bytes(300_000_000))  # 300 KB that become 300 MB
    comment = b"zTXt" + b"x\0\0" + text
    chunk = struct.pack(">I", len(comment) - 4) + comment + struct.pack(">I", zlib.crc32(comment))
    bombs = {
        "pixels": huge,
        "rows": lying(png(8, 0, rows, 1), 60_000, 60_000),
        "comment": png(8, 0, b"\0\0", 1, more=chunk),
        "bmp": b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 60_000, 60_000, 1, 24, 0) + bytes(20),
        "jpeg": bytes.fromhex("ffd8ffc0000b08fffffffff0011100") + bytes(100),
    }
    before = peak_bytes(served)
    for name, bomb in bombs.items():
        start, data = signed(call, members(call, bomb))
        with socket.create_connection(served.client().address, timeout=HANG_S) as connection:
            connection.sendall(start + data)
            answer = next(replies(connection))
        if name != "comment":  # that one holds one pixel, and may be looked at
            assert answer == (415, "10"), name
        assert answer[0] < 500
    assert peak_bytes(served) - before < 60_000_000


def peak_bytes(served: Served) -> int:
    """The most memory the server ever held."""
    lines = Path(f"/proc/{served.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def test_the_fuzz_knows_a_good_request(served: Served, seeds: list[bytes]) -> None:
    for picture in seeds[:-1]:
        assert served.client().post("erasemark", **members("erasemark", picture))[0] == 200
