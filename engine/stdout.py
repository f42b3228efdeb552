"""stdout: kept free of what other packages print."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO

_log = logging.getLogger(__name__)


@contextmanager
def stdout_to_log() -> Iterator[None]:
    """What other packages print meanwhile becomes warnings: stdout is not theirs, nor ours."""
    said = StringIO()
    try:
        with redirect_stdout(said):
            yield
    finally:
        for line in said.getvalue().splitlines():
            _log.warning(line)
