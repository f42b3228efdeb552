"""From settings to a running server, and down again."""

import errno
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from engine import Engine
from shim import ops, selftest
from shim.app import create_app
from shim.keys import KeyStore
from shim.observability import Journal
from shim.ops import Readiness
from shim.server import Server
from shim.settings import Settings
from shim.terminal import say

_log = logging.getLogger(__name__)


def run(settings: Settings, keys: KeyStore, demo: bool = False) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status.

    0: everything accepted was finished; 1: not ready, or a request ran longer than
    Settings.drain_s. Raises EngineError, and OSError that names an address that cannot be bound.
    demo is only logged.
    """
    readiness = Readiness()
    journal = Journal()
    if settings.ops:
        app = ops.create_ops_app(readiness, journal.registry)
        with _named(settings.ops_host, settings.effective_ops_port, "BIOAUTH_OPS", _DEFAULT):
            port = ops.serve(app, settings.ops_host, settings.effective_ops_port)
        _tell("operations", url=f"http://{_in_url(settings.ops_host)}:{port}")
    chosen = settings.pack, settings.providers, settings.threads
    with Engine(
        *chosen,
        fmr=settings.fmr,
        bpcer=settings.bpcer,
        liveness_threshold=settings.liveness_threshold,
    ) as engine:
        troubles = selftest.run(engine)
        for trouble in troubles:
            _log.error(trouble)
        if troubles:
            return 1
        app = create_app(engine, settings, keys, journal)
        with _named(settings.host, settings.port, "BIOAUTH"):
            server = Server(app)
        info = engine.info()
        readiness.reason = ""  # before a signal can set it to another
        stopping, told = threading.Event(), threading.Event()
        limit = settings.drain_s + _TOLD_S
        threading.Thread(target=_watch, args=(stopping, told, limit), daemon=True).start()
        _listen_to_signals(server, readiness, stopping)
        loaded = {"pack": info["pack"]["name"], "providers": info["providers"]}
        _tell("serving", **loaded, keys=len(keys), demo=demo)
        with suppress(OSError):  # that nobody reads it is no reason not to serve
            say(f"http://{_in_url(settings.host)}:{server.port}")
        finished = server.run()
        _tell("stopped", finished=finished)
        told.set()
    if not finished:
        os._exit(1)  # a plain return waits for the threads that are still at work
    return 0


_TOLD_S = 3  # after Settings.drain_s, for the last lines of the log
_DEFAULT = ", without it BIOAUTH_PORT + 1000"


@contextmanager
def _named(host: str, port: int, prefix: str, default: str = "") -> Iterator[None]:
    """There are two addresses: an error says which of them it was, and by which setting.

    default: what the port is without one.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:  # of what it takes to serve anywhere
            raise OSError(f"Cannot serve: {error}") from error
        is_host = error.errno not in (errno.EADDRINUSE, errno.EACCES)
        setting = f"{prefix}_HOST" if is_host else f"{prefix}_PORT{default}"
        raise OSError(f"Cannot serve on {_in_url(host)}:{port} ({setting}): {error}") from error


def _watch(stopping: threading.Event, told: threading.Event, limit: float) -> None:
    """End the process where its last lines are not told so many seconds after it was to stop:
    whoever does not read the log would keep it for ever."""
    stopping.wait()
    if not told.wait(limit):
        os._exit(1)


def _listen_to_signals(server: Server, readiness: Readiness, stopping: threading.Event) -> None:
    def stop(*_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):  # the second one does not wait
            signal.signal(number, signal.SIG_DFL)
        readiness.reason = "stopping"
        server.stop()
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _tell(event: str, **fields: object) -> None:
    _log.info(event, extra={"fields": fields})


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
