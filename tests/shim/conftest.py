"""One real server per test run; pictures as a client would send them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from shim_client import Client
from shim_server import Served, launch

from engine import images
from engine.images import Pixels

Start = Callable[..., Served]


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts servers: start("--demo", queue=0). All are gone at the end of the run."""
    running: list[Served] = []

    def go(*arguments: str, **settings: Any) -> Served:
        running.append(launch(tmp_path_factory.mktemp("shim"), *arguments, **settings))
        return running[-1]

    yield go
    for served in running:
        served.process.kill()
        served.process.wait()


@pytest.fixture(scope="session")
def served(start: Start) -> Served:
    return start("--demo")


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    made = served.client()
    yield made
    made.close()


@pytest.fixture(scope="session")
def selfie(astronaut: Pixels) -> bytes:
    """One large face, 512 x 512, as JPEG."""
    return images.encode(astronaut, "jpeg")


@pytest.fixture(scope="session")
def party(group: Pixels) -> bytes:
    """Six faces, 1280 x 886, as JPEG."""
    return images.encode(group, "jpeg")
