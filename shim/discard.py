"""Bodies of refused requests, which are read and thrown away."""

import time
from io import BytesIO
from typing import Any

MAX_DISCARD = 64 * 1024 * 1024  # bytes of a refused body that are read and thrown away
DISCARD_S = 30
_END_OF_CHUNKS = b"0\r\n\r\n"


def discard(environ: dict[str, Any]) -> None:
    """Read a refused body: most clients look for the reply only once they have sent it all."""
    length = environ.get("CONTENT_LENGTH") or ""
    left = min(int(length), MAX_DISCARD) if length.isdecimal() and len(length) < 19 else 0
    deadline = time.monotonic() + DISCARD_S
    while left > 0 and time.monotonic() < deadline:
        piece = environ["wsgi.input"].read(min(left, 1 << 16))
        if not piece:
            return
        left -= len(piece)


class Discard:
    """Takes the place of waitress' body receivers: counts what arrives and keeps nothing.

    length: bytes to expect; None for a chunked body, whose end is recognised by its last bytes.
    """

    error = None
    completed = False

    def __init__(self, length: int | None) -> None:
        self._left = MAX_DISCARD if length is None else min(length, MAX_DISCARD)
        self._tail: bytes | None = b"" if length is None else None

    def received(self, data: bytes) -> int:
        taken = min(len(data), self._left)
        self._left -= taken
        if self._tail is not None:
            self._tail = (self._tail + data[-5:])[-5:]
        self.completed = self._left == 0 or self._tail == _END_OF_CHUNKS
        # The connection closes after a chunked body, so nothing that follows matters.
        return taken if self._tail is None else len(data)

    def __len__(self) -> int:
        return 0

    def getfile(self) -> BytesIO:
        return BytesIO()

    getbuf = getfile
