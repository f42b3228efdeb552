"""OpenVINO, where it is installed: the same answers, and an error where it would never answer."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from engine import Engine
from engine.images import Pixels, encode
from engine.packs import DEFAULT_PACK
from engine.providers import CPU, OPENVINO

pytestmark = pytest.mark.skipif(
    OPENVINO not in onnxruntime.get_available_providers(),
    reason="this onnxruntime has no OpenVINO",
)


def test_openvino_gives_the_same_answers(engine: Engine, astronaut: Pixels, group: Pixels) -> None:
    """From many threads at once, and in bfloat16 to three digits."""
    with Engine() as fast, Engine(providers=["openvino"], threads=1) as named:
        for unlike in (fast, named):
            assert unlike.info()["providers"] == [OPENVINO, CPU]
            found, expected = ([f.box for f in each.detect(group)] for each in (unlike, engine))
            assert np.allclose(found, expected, atol=1e-3)
            assert unlike.embed(astronaut) @ engine.embed(astronaut) > 0.999
            live, same = unlike.liveness(astronaut), engine.liveness(astronaut)
            assert abs(live.score - same.score) < 0.01 and live.is_alive == same.is_alive
        alone = fast.embed(astronaut)
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda _: fast.embed(astronaut), range(16)))
        assert all(np.array_equal(alone, vector) for vector in together)


FORKED = """
import os, sys
from engine import Engine, EngineError
engine = Engine(sys.argv[1])
engine.embed(sys.argv[2])
if child := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
try:
    engine.embed(sys.argv[2])
except EngineError as error:
    print(error, flush=True)
engine.close()
"""


def test_openvino_in_a_process_forked_off_is_an_error(astronaut: Pixels, tmp_path: Path) -> None:
    """There it would never answer."""
    picture = tmp_path / "astronaut.png"
    picture.write_bytes(encode(astronaut, "png"))
    result = subprocess.run(
        [sys.executable, "-c", FORKED, str(DEFAULT_PACK), str(picture)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "loaded before this process was forked off" in result.stdout
