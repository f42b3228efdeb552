"""Sessions of onnxruntime in processes that are forked off."""

import ctypes
import os
import weakref

from engine.errors import EngineError


class Home:
    """The process that networks were loaded in.

    forks: whether they also run in one that is forked off.
    """

    def __init__(self, forks: bool) -> None:
        self._process = None if forks else os.getpid()

    def check(self) -> None:
        """Raises EngineError elsewhere, where their provider would never answer."""
        if self._process not in (None, os.getpid()):
            raise EngineError(
                "this engine was loaded before this process was forked off, and runs in the other "
                "one only: load an engine in each, or start processes by spawn"
            )


class Keeper:
    """Holds what owns sessions, so that in a process forked off nothing ends them.

    The end of a session waits for its threads. In a process forked off these do not exist, and the
    wait would never end: there what is held stays until the process ends.
    """

    def __init__(self, held: object) -> None:
        self._held = held
        _keepers.add(self)

    def keep(self) -> None:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._held))


def _keep_all() -> None:
    for keeper in list(_keepers):
        keeper.keep()


_keepers: "weakref.WeakSet[Keeper]" = weakref.WeakSet()
"""Of the whole process, as a fork is."""

if hasattr(os, "register_at_fork"):  # elsewhere nothing is forked
    os.register_at_fork(after_in_child=_keep_all)
