"""What the figures were taken on, and when."""

import os
import platform
import re
import sys
from datetime import datetime, timezone
from pathlib import Path

from engine.cores import usable_cores


def about() -> dict[str, object]:
    """load: processes that wanted a core in the minute before; 0 on a quiet machine."""
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": usable_cores(),
        "load": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "command": " ".join(["python -m engine.evaluation", *sys.argv[1:]]),
    }


def _processor() -> str:
    try:
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor()
