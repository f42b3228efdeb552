"""A server in this process, whose limits can be changed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine import Engine
from shim import Settings, create_app
from shim.keys import DEMO, KeyStore
from shim.server import Server


@contextmanager
def running(engine: Engine, **settings: Any) -> Iterator[Server]:
    server = Server(create_app(engine, Settings(port=0, **settings), KeyStore(DEMO)))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
