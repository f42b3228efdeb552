"""Signature and image token: HMAC-SHA256 in hex, section 1.7."""

import hmac
from typing import Final

PREFIX: Final = "bioauth"


def secret(app_key: str) -> bytes:
    """The HMAC key that belongs to an app key."""
    return (PREFIX + app_key).encode()


def sign(key: bytes, content: bytes) -> str:
    """HMAC-SHA256 in upper-case hex, as the document's clients send it."""
    return hmac.digest(key, content, "sha256").hex().upper()


def matches(key: bytes, content: bytes, given: str) -> bool:
    """Whether `given` is the HMAC of `content`, in constant time and without regard to case."""
    # compare_digest refuses text outside ASCII, so bytes on both sides.
    return hmac.compare_digest(sign(key, content).encode(), given.upper().encode())
