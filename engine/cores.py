"""How many cores this process may use."""

import math
import os
import sys
from pathlib import Path


def usable_cores() -> int:
    """Cores this process may use: its affinity mask, and its cgroup's CPU quota (v2, then v1)."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        cores = os.cpu_count() or 1
    for read in (_quota_v2, _quota_v1):
        try:
            return max(1, min(cores, read()))
        except (OSError, ValueError):
            continue
    return cores


def _quota_v2() -> int:
    quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    return sys.maxsize if quota == "max" else math.ceil(int(quota) / int(period))


def _quota_v1() -> int:
    folder = Path("/sys/fs/cgroup/cpu")
    quota = int((folder / "cpu.cfs_quota_us").read_text())
    period = int((folder / "cpu.cfs_period_us").read_text())
    return sys.maxsize if quota < 0 else math.ceil(quota / period)
