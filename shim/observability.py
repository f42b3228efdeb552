"""What an operator sees: one structured line per request, and figures for Prometheus.

Nothing personal: no key, signature, token, person_id, picture, embedding, score or address of a
client goes through here. An app id is written only once its signature held.
"""

import json
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from shim.admission import Admission
from shim.contract import Endpoint

_SECONDS = (0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.25, 0.5, 1, 2.5, 5, 10)
_log = logging.getLogger("shim.request")


class Record:
    """What is known of one request so far."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self.app_id: str | None = None
        self.bytes_in = 0
        self.code = "0"
        self.stages: dict[str, float] = {}
        self._stage = "head"
        self._since = time.perf_counter()

    def enter(self, stage: str) -> None:
        """A stage begins: note the seconds of the one before it."""
        now = time.perf_counter()
        self.stages[self._stage] = now - self._since
        self._stage, self._since = stage, now


class Journal:
    """Takes finished records: writes the line, counts the figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "bioauth_requests",
            "Requests answered.",
            ["endpoint", "errorcode"],
            registry=self.registry,
        )
        self._latency = Histogram(
            "bioauth_request_seconds",
            "From a request's last byte to the reply's first.",
            ["endpoint"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._stages = Histogram(
            "bioauth_stage_seconds",
            "Parts of a request: head, queue, validate, engine, as far as it came, and encode.",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )

    def watch(self, admission: Admission, info: Callable[[], Mapping[str, Any]]) -> None:
        """Figures that are asked for when somebody looks. info: what Engine.info answers."""
        self.gauge(
            "bioauth_waiting", "Requests that wait for the engine.", lambda: admission.waiting
        )
        self.gauge("bioauth_running", "Requests that use the engine.", lambda: admission.running)
        self.registry.register(_EngineFigures(info))

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        Gauge(name, text, registry=self.registry).set_function(read)

    def cut_off(self, endpoint: Endpoint | None, seconds: float) -> None:
        """Note a request that took too long to arrive: there is no reply."""
        fields = {"endpoint": _name(endpoint), "seconds": round(seconds, 1)}
        _log.warning("request did not arrive in time", extra={"fields": fields})

    def unread(self, size: int) -> None:
        """Note a connection that was closed as its client did not read. size: bytes left."""
        _log.warning("replies were not read in time", extra={"fields": {"bytes_unread": size}})

    def lost(self, endpoint: Endpoint | None, app_id: str | None, seconds: float) -> None:
        """Note a request that the server did not wait for when it stopped. seconds: its age."""
        fields = {"endpoint": _name(endpoint), "app_id": app_id, "seconds": round(seconds, 1)}
        _log.warning("request lost", extra={"fields": fields})

    def write(self, record: Record, endpoint: Endpoint | None, status: int, bytes_out: int) -> None:
        """Note a finished request."""
        record.enter("log")  # which ends the last of them
        seconds, call = sum(record.stages.values()), _name(endpoint)
        self._requests.labels(call, record.code).inc()
        self._latency.labels(call).observe(seconds)
        for name, taken in record.stages.items():
            self._stages.labels(name).observe(taken)
        stages = {name: round(taken * 1000, 2) for name, taken in record.stages.items()}
        fields = {
            "request_id": record.id,
            "endpoint": call,
            "app_id": record.app_id,
            "status": status,
            "errorcode": record.code,
            "ms": {**stages, "total": round(seconds * 1000, 2)},
            "bytes_in": record.bytes_in,
            "bytes_out": bytes_out,
        }
        _log.info("request", extra={"fields": fields})


def _name(endpoint: Endpoint | None) -> str:
    return endpoint.name if endpoint else "-"


class _EngineFigures(Collector):
    """What is loaded, and the time spent in each network."""

    def __init__(self, info: Callable[[], Mapping[str, Any]]) -> None:
        self._info = info

    def collect(self) -> Iterator[Metric]:
        info = self._info()
        loaded = InfoMetricFamily("bioauth_engine", "What is loaded.")
        pack, providers = info["pack"]["name"], ",".join(info["providers"])
        loaded.add_metric([], {"pack": pack, "providers": providers})
        runs = CounterMetricFamily("bioauth_network_runs", "Runs.", labels=["network"])
        seconds = CounterMetricFamily("bioauth_network_seconds", "Time in it.", labels=["network"])
        for role, network in info["networks"].items():
            if "runs" in network:  # another package's networks are not counted
                runs.add_metric([role], network["runs"])
                seconds.add_metric([role], network["seconds"])
        yield from (loaded, runs, seconds)


class JsonLines(logging.Formatter):
    """One JSON object per line: time (UTC), level, event, and the fields given as extra."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["fault"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_to_stderr() -> None:
    """Send every log line of the process to stderr in this form."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("waitress").setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it counts what is no queue here
