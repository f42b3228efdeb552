"""Engines in processes that are forked off, and engines that nobody can copy."""

import copy
import os
import pickle
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from engine import Engine, EngineError
from engine.images import Pixels, encode

ENDED = """
import os, sys
from engine import Engine
engine = Engine({pack!r}, providers="cpu", threads=2)
expected = engine.embed({picture!r})
if child := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
assert (engine.embed({picture!r}) == expected).all()
{end}
print("ended", flush=True)
"""

STEADY = """
import os, sys
from pathlib import Path
from engine import Engine
from engine.images import load
engine, picture = Engine(providers="cpu", threads=2), load({picture!r})
def megabytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
if child := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
for number in range(60):
    engine.compare(picture.copy(), picture.copy())
    if number == 10:
        before = megabytes()
print(megabytes() - before, flush=True)
"""


def run(program: str) -> str:
    """What it prints. The one forked off ends with it, however long it would wait."""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            printed, _ = process.communicate(timeout=60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0
    return printed


@pytest.fixture
def picture(astronaut: Pixels, tmp_path: Path) -> str:
    path = tmp_path / "astronaut.png"
    path.write_bytes(encode(astronaut, "png"))
    return str(path)


LATE = "import contextvars; contextvars.ContextVar('held').set(engine); del engine"
"""Held by what Python lets go of last."""


@pytest.mark.parametrize(
    "end", ["engine.close()", "del engine", "print('ended'); sys.exit(0)", LATE, "sys.x = engine"]
)
def test_an_engine_ends_in_a_process_forked_off(picture: str, end: str) -> None:
    """Its sessions' threads are in the other one, and nobody waits for them here."""
    assert run(ENDED.format(pack=None, picture=picture, end=end)) == "ended\n"


def test_insightface_s_networks_end_there_too(picture: str, shared: Path, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    for name in ("scrfd_500m_bnkps.onnx", "arcface_mobilefacenet_128d.onnx"):
        shutil.copy(shared / "models" / name, pack)
    program = ENDED.format(pack=str(pack), picture=picture, end="engine.close(); del engine")
    assert run(program) == "ended\n"


def test_calls_in_a_process_forked_off_keep_no_picture(picture: str) -> None:
    """A compare of two takes 1.5 MB."""
    assert float(run(STEADY.format(picture=picture))) < 20


def test_an_engine_is_not_copied(engine: Engine) -> None:
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(EngineError, match="not copied or sent to another process: make one"):
            attempt(engine)
