"""The WSGI application: one request through the check table, one reply."""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from typing import Any, BinaryIO

import orjson
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from engine import Engine, FaceNotFound, ImageError
from engine.cores import usable_cores
from shim import contract, validation
from shim.admission import Admission
from shim.contract import Body, Endpoint, Refusal
from shim.discard import discard
from shim.gate import Caller, Gate
from shim.keys import KeyStore
from shim.keysfile import KeysError
from shim.observability import Journal, Record
from shim.routes import CALLS, Call
from shim.settings import Settings

VERDICT = "shim.verdict"  # in the environ: what the gate said, when the server asked it already
LEFT = "shim.left"  # in the environ: asks whether the client is gone, where the server can tell
_HEAD = "shim.head"  # in the environ: the head as it came
_RETRY_AFTER_S = 1
_log = logging.getLogger(__name__)


def create_app(
    engine: Engine,
    settings: Settings,
    keys: KeyStore | None = None,
    journal: Journal | None = None,
) -> Flask:
    """Make the application for any WSGI server.

    keys: None reads settings.keys. journal: takes in what is to be logged and counted; None makes
    one. Raises KeysError when there is no usable keys file.
    """
    if keys is None:
        if settings.keys is None:
            raise KeysError("No key pairs: name a keys file in BIOAUTH_KEYS.")
        keys = KeyStore.open(settings.keys)
    service = Service(engine, settings, keys, journal or Journal())
    app = Flask("shim", static_folder=None)
    app.extensions["shim"] = service
    for endpoint, call in CALLS.items():
        app.add_url_rule(
            endpoint.path,
            endpoint.name,
            partial(service.serve, call),
            methods=["POST"],
        )
    app.wsgi_app = partial(_routed, app.wsgi_app)  # type: ignore[method-assign]
    app.before_request(service.open)
    app.after_request(service.close)
    app.register_error_handler(Exception, service.refuse)
    return app


class Service:
    """What the requests of one application share; found in app.extensions["shim"]."""

    def __init__(
        self, engine: Engine, settings: Settings, keys: KeyStore, journal: Journal
    ) -> None:
        self.engine = engine
        self.settings = settings
        self.admission = Admission(
            settings.slots or usable_cores(), settings.queue, settings.queue_timeout_s
        )
        self.gate = Gate(keys, settings.max_skew_s, self.admission.is_full)
        self.journal = journal
        self.journal.watch(self.admission, engine.info)

    def open(self) -> None:
        """Rows 1 to 4, from the head alone."""
        g.record = Record()
        verdict = request.environ.get(VERDICT)
        if verdict is None:
            try:
                verdict = self.gate.judge(request.environ[_HEAD])
            except Refusal as refusal:
                discard(request.environ)
                verdict = refusal
        g.record.app_id = verdict.app_id
        if isinstance(verdict, Refusal):
            raise Refusal(verdict.problem)
        g.caller = verdict

    def serve(self, call: Call) -> Response:
        """Rows 5 to 12, and what the engine says."""
        caller: Caller = g.caller
        record: Record = g.record
        record.bytes_in = caller.length
        body: BinaryIO = request.environ["wsgi.input"]
        if VERDICT not in request.environ:  # with another server it may still be on its way
            body = BytesIO(body.read(caller.length))

        def work() -> Body:
            record.enter("validate")
            order = validation.read(caller, body.read(caller.length))
            record.enter("engine")
            return call(self.engine, order)

        record.enter("queue")
        left = request.environ.get(LEFT, lambda: False)
        return self._reply(200, "0", "ok", self.admission.run(work, left))

    def refuse(self, error: Exception) -> Response:
        """The one place where an error becomes a reply."""
        match error:
            case Refusal():
                problem, members = error.problem, error.members
            case ImageError():
                problem, members = contract.BAD_IMAGE, {}
            case FaceNotFound():
                problem, members = contract.NO_FACE, {}
            case HTTPException():  # Flask's own: a body that another server could not read
                problem, members = contract.MISSING_HEADER, {}
            case _:
                problem, members = contract.FAULT, {}
                fields = {"request_id": g.record.id}
                _log.error("fault", exc_info=error, extra={"fields": fields})
        response = self._reply(problem.status, problem.code, problem.message, members)
        if problem is contract.BUSY:
            response.headers["Retry-After"] = str(_RETRY_AFTER_S)
        return response

    def _reply(self, status: int, code: str, message: str, members: Body) -> Response:
        g.record.code = code
        g.record.enter("encode")
        endpoint = _endpoint()
        body = contract.envelope(endpoint, code, message, members, self.settings.aliases)
        return Response(orjson.dumps(body), status, content_type="application/json")

    def close(self, response: Response) -> Response:
        """Name the request in its reply and note it."""
        record: Record = g.record
        response.headers["X-Request-Id"] = record.id
        size = response.content_length or 0
        self.journal.write(record, _endpoint(), response.status_code, size)
        return response


def _routed(
    application: Callable[..., Iterable[bytes]], environ: dict[str, Any], *more: Any
) -> Iterable[bytes]:
    """The gate judges the head. Flask, which would refuse one with an odd Host or an Upgrade after
    the signature held, is shown neither."""
    head = {name: value for name, value in environ.items() if isinstance(value, str)}
    plain = {name: value for name, value in environ.items() if name != "HTTP_UPGRADE"}
    return application({**plain, "HTTP_HOST": "localhost", _HEAD: head}, *more)


def _endpoint() -> Endpoint | None:
    # Not request.path, in which werkzeug has tidied up the slashes.
    return contract.ENDPOINTS.get(request.environ.get("PATH_INFO", ""))
