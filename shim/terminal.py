"""What is told on standard output."""

import os
import sys
from contextlib import suppress


def say(line: str) -> None:
    """Print a line at once. Raises OSError when nobody can read it."""
    if sys.stdout is None:  # closed before Python began
        raise OSError("it is closed")
    try:
        print(line, flush=True)
    except OSError:
        # What is left in the buffer would fail again at the end, and change the exit status.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
