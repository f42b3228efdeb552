"""stdout: kept free of what other packages print."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO

_log = logging.getLogger(__name__)
_alone = threading.Lock()


@contextmanager
def stdout_to_log() -> Iterator[None]:
    """What other packages print meanwhile becomes warnings: stdout is not theirs, nor ours.

    One thread at a time: two that overlap would put each other's text back for stdout.
    """
    said = StringIO()
    try:
        with _alone, redirect_stdout(said):
            yield
    finally:
        for line in said.getvalue().splitlines():
            _log.warning(line)
