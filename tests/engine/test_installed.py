"""The wheel works in another project's environment and brings the packs along."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from engine import Engine
import engine
with Engine() as loaded:
    print(engine.__file__, *sorted(loaded.info()["networks"]))
with Engine("fast") as fast:
    print(fast.info()["networks"]["embedding"]["folder"])
assert not any(name.split(".")[0] in ("flask", "insightface", "shim") for name in sys.modules)
"""


def test_wheel_holds_the_packs(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    # Built from a copy: setuptools writes into the tree it builds.
    unneeded = shutil.ignore_patterns(".*", "build", "dist", "tests", "*.egg-info", "__pycache__")
    source = shutil.copytree(ROOT, tmp_path / "source", ignore=unneeded)
    subprocess.run([*build, "--wheel-dir", str(tmp_path), str(source)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    place = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        assert not any(name.startswith(("tests", "weights/build")) for name in archive.namelist())
        archive.extractall(place)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
        check=True,
    )
    where, *networks, fast = done.stdout.split()
    assert Path(where).is_relative_to(place) and Path(fast).is_relative_to(place)
    assert networks == ["descreen", "detector", "embedding", "liveness", "liveness_context"]
