"""A server in this process, whose limits can be changed."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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


@contextmanager
def occupied(server: Server) -> Iterator[threading.Event]:
    """One slot of that server is worked in until the event is set."""
    done = threading.Event()
    admission = server.application.extensions["shim"].admission
    with ThreadPoolExecutor(1) as pool:
        pool.submit(admission.run, done.wait)
        while not admission.running:
            time.sleep(0.001)
        try:
            yield done
        finally:
            done.set()
