"""Sessions of onnxruntime in processes that are forked off."""

import ctypes
import os


class Keeper:
    """Holds what owns sessions, and lets go of it only in the process that made it.

    The end of a session waits for its threads. In a process forked off these do not exist, and the
    wait would never end: there what is held stays until the process ends.
    """

    def __init__(self, held: object) -> None:
        self._held = held
        self._process = os.getpid()

    def __del__(self) -> None:
        if os.getpid() != self._process:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._held))
