"""How many cores this process may use."""

import math
import os
import sys
from pathlib import Path

GROUPS, MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


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
    """The lowest quota of this process's cgroup and of all above it: systemd sets one on a service.

    Raises OSError or ValueError where there is none to read.
    """
    own = next((line for line in MEMBERSHIP.read_text().splitlines() if line[:3] == "0::"), "0::/")
    folder = GROUPS / own[4:]
    files = [above / "cpu.max" for above in (folder, *folder.parents)]
    return min(_cores_of(*file.read_text().split()) for file in files if file.exists())


def _cores_of(quota: str, period: str) -> int:
    return sys.maxsize if quota == "max" else math.ceil(int(quota) / int(period))


def _quota_v1() -> int:
    folder = GROUPS / "cpu"
    quota = int((folder / "cpu.cfs_quota_us").read_text())
    period = int((folder / "cpu.cfs_period_us").read_text())
    return sys.maxsize if quota < 0 else math.ceil(quota / period)
