"""The process' memory: what a request used is given back, so that the hours do not add up."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc

ARENAS = 2
"""Heaps that all threads share. glibc's own limit is eight a core, and each keeps its holes."""

LARGE = 4 << 20
"""Bytes from which on an array gets pages of its own, which go back to the system with it; and how
much free memory a heap keeps at its end."""


def keep_steady() -> None:
    """Set glibc's allocator for a server that runs for months; before any thread starts.

    Left to itself it moves the size from which on an array gets its own pages up to 32 MB, and
    pictures then leave holes in any number of heaps. Another C library is left as it is.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)
        mallopt(_M_MMAP_THRESHOLD, LARGE)
        mallopt(_M_TRIM_THRESHOLD, LARGE)
