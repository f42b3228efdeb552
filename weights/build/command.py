"""Scripts that say what is wrong with the files they are given."""

import subprocess
import sys
from collections.abc import Callable

from engine.errors import EngineError


def run(main: Callable[[], None]) -> None:
    """Ends with exit status 1 and one readable line where a file is missing or of no use, or a
    registry gives no package."""
    try:
        main()
    except (EngineError, OSError) as error:
        sys.exit(f"error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(map(str, error.cmd))} failed: is the registry reached?")
