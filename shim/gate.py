"""Rows 1 to 4 of the check table: everything that is judged before a request's body is read."""

import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shim import contract, signing
from shim.contract import Endpoint, Refusal
from shim.keys import KeyStore

_DIGITS = re.compile(r"[0-9]+")
_BLANK = " \t"  # around a header's value (RFC 9110, section 5.6.3)
# An app id that nobody has is checked against this: the same work as for one that exists.
_NOBODY = signing.secret(secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Caller:
    """A request whose head passed: who calls what, and how many bytes of body follow."""

    endpoint: Endpoint
    app_id: str
    key: bytes
    length: int


class Gate:
    """Judges heads. One instance per server; safe to use from many threads."""

    def __init__(
        self, keys: KeyStore, max_skew_s: float = 0, is_full: Callable[[], bool] = lambda: False
    ) -> None:
        self._keys = keys
        self._is_full = is_full
        self._seen = _Freshness(max_skew_s) if max_skew_s else None
        self.draining = False

    def judge(self, environ: Mapping[str, str]) -> Caller:
        """Take the method, path and headers of a request in CGI spelling.

        Raises Refusal for the first row that fails: 404, "1", "7" or "5"; and "503", to those who
        may ask, while the server shuts down or has no room.
        """
        endpoint = contract.ENDPOINTS.get(environ.get("PATH_INFO", ""))
        if endpoint is None or environ.get("REQUEST_METHOD") != "POST":
            raise Refusal(contract.NOT_FOUND)
        length = _content_length(environ)
        app_id = environ["HTTP_X_MX_APPID"]
        timestamp = environ["HTTP_X_MX_TIMESTAMP"]
        known = self._keys.get(app_id)
        signed = signing.matches(
            known or _NOBODY,
            timestamp.encode("latin-1"),
            environ["HTTP_AUTHORIZATION"].strip(_BLANK),
        )
        if known is None or not signed:
            raise Refusal(contract.BAD_SIGNATURE)
        if self.draining or self._is_full():  # before the timestamp is used up: they may try again
            raise Refusal(contract.BUSY, app_id=app_id)
        if self._seen is not None and not self._seen.accept(app_id, timestamp):
            raise Refusal(contract.BAD_SIGNATURE, app_id=app_id)
        return Caller(endpoint, app_id, known, length)


def _content_length(environ: Mapping[str, str]) -> int:
    """Rows 2 and 3, section 1.6: all six headers, then the size that one of them announces."""
    if any(not environ.get(name, "").strip(_BLANK) for name in contract.HEADERS):
        raise Refusal(contract.MISSING_HEADER)
    announced = environ["CONTENT_LENGTH"].strip(_BLANK)
    # With Transfer-Encoding a Content-Length means nothing (RFC 9112, section 6.3).
    if "HTTP_TRANSFER_ENCODING" in environ or not _DIGITS.fullmatch(announced):
        raise Refusal(contract.MISSING_HEADER)
    digits = announced.lstrip("0") or "0"
    # Python refuses to convert numbers of thousands of digits, so their count is judged first.
    if len(digits) > len(str(contract.MAX_BODY)) or int(digits) > contract.MAX_BODY:
        raise Refusal(contract.BODY_TOO_LARGE)
    return int(digits)


class _Freshness:
    """Accepts a timestamp in decimal milliseconds once per app id, within a window of now."""

    def __init__(self, window_s: float) -> None:
        self._window = window_s
        self._used: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def accept(self, app_id: str, timestamp: str) -> bool:
        if not _DIGITS.fullmatch(timestamp) or len(timestamp) > 16:
            return False
        now = time.time()
        sent = int(timestamp) / 1000
        if abs(now - sent) > self._window:
            return False
        with self._lock:
            # By a clock that is never set: one that goes back would make old ones new again.
            self._forget(time.monotonic())
            if (app_id, timestamp) in self._used:
                return False
            self._used[app_id, timestamp] = time.monotonic() + 2 * self._window
        return True

    def _forget(self, now: float) -> None:
        # Insertion order is the order of expiry, so looking at the oldest is enough.
        while self._used:
            oldest = next(iter(self._used))
            if self._used[oldest] > now:
                return
            del self._used[oldest]
