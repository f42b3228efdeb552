"""The operator's port: /healthz, /readyz and /metrics, apart from the document's surface."""

import logging
import threading

from flask import Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from waitress.server import create_server

from shim.address import numeric

IDLE_S = 10  # of silence, after which a connection ends: there is room for a hundred

_log = logging.getLogger(__name__)


class Readiness:
    """Why the server should get no traffic now; empty when it should."""

    def __init__(self) -> None:
        self.reason = "starting"


def create_ops_app(readiness: Readiness, registry: CollectorRegistry) -> Flask:
    """The three pages as a WSGI application."""
    app = Flask("shim.ops", static_folder=None)

    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    def readyz() -> Response:
        reason = readiness.reason
        return Response(f"{reason or 'ok'}\n", 503 if reason else 200, mimetype="text/plain")

    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    for page in (healthz, readyz, metrics):
        app.add_url_rule(f"/{page.__name__}", view_func=page)
    return app


def serve(app: Flask, host: str, port: int) -> int:
    """Serve in a thread of its own until the process ends; returns the port.

    Raises OSError when the address cannot be bound or is none.
    """
    server = create_server(
        app,
        host=numeric(host),
        port=port,
        threads=2,
        channel_timeout=IDLE_S,
        cleanup_interval=1,
        asyncore_use_poll=True,  # select, the default, ends at the first file number past 1023
        ident=None,
    )

    def run() -> None:
        try:
            server.run()
        finally:  # who watches this port sees it fail, and reads here why
            _log.critical("the operations port is served no more", exc_info=True)

    threading.Thread(target=run, name="ops", daemon=True).start()
    return int(server.effective_port)
