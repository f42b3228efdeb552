"""Waitress, taught to judge a request by its head and to stop without losing one.

Waitress reads from all clients in one thread and hands a request to a worker only once it is
complete, so clients that trickle cost no worker. What it lacks for this contract is added here, in
channel.py and in incoming.py: a request that the gate refuses has its body thrown away as it
arrives instead of stored; a chunked body counts as one without Content-Length; and every reply, to
a malformed request too, is the contract's JSON.
"""

import resource
import sys
import time

from flask import Flask
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from shim.address import numeric
from shim.app import Service
from shim.channel import Channel

FILES = 160  # that may be open, at least
_SPARE_THREADS = 8  # beyond those that run or wait: they turn the rest away
_EXPECTED_S = 0.5  # for heads on their way when the server stops
_LAST_S = 2  # before its end, in which refused requests are answered without their bodies


class Server(TcpWSGIServer):
    """Serves one application of create_app.

    Raises OSError when the address cannot be bound or is none, and one without a number when there
    are too few files or threads. `port` is the one really bound.
    """

    channel_class = Channel

    def __init__(self, app: Flask) -> None:
        service: Service = app.extensions["shim"]
        self.gate = service.gate
        self.journal = service.journal
        self.aliases = service.settings.aliases
        self.draining = False
        self._drain_s = service.settings.drain_s
        self._stop_asked = False
        adjustments = _adjustments(service)
        dispatcher = ThreadedTaskDispatcher()
        try:
            dispatcher.set_thread_count(adjustments.threads)
        except RuntimeError as error:
            raise OSError(
                f"{error}: allow {adjustments.threads} more and their memory (ulimit -u and -v, "
                "TasksMax, a container's limits)"
            ) from error
        super().__init__(
            app, dispatcher=dispatcher, adj=adjustments, sockinfo=adjustments.listen[0]
        )
        self.port = int(self.effective_port)
        most = adjustments.connection_limit
        self.journal.gauge(
            "bioauth_connections",
            f"Open connections; at {most} no more are accepted.",
            lambda: len(self.active_channels),
        )

    def stop(self) -> None:
        """Ask run() to return; fit for a signal handler. Once is enough, and more do no harm."""
        if not self._stop_asked:
            self._stop_asked = True
            self.pull_trigger()

    def run(self) -> bool:
        """Serve until stop(), then finish what was accepted.

        Returns False when at the end of Settings.drain_s something of that was left: requests that
        still ran or arrived, or replies that their clients had not read.
        """
        due = 0.0
        while not self._stop_asked:
            wasyncore.poll2(1, self._map)
            if time.monotonic() >= due:
                self._look_after_channels()
                due = time.monotonic() + 1
        deadline = time.monotonic() + self._drain_s
        self._close_door(min(time.monotonic() + _EXPECTED_S, deadline))
        while self.active_channels and (left := deadline - time.monotonic()) > 0:
            self._look_after_channels(last=left < _LAST_S)
            wasyncore.poll2(0.1, self._map)
        finished = [channel.finished() for channel in list(self.active_channels.values())]
        wasyncore.close_all(self._map)
        return all(finished)

    def _close_door(self, deadline: float) -> None:
        """Accept the connections waiting in the kernel and no more, and read what they sent or are
        about to send: a proxy that has sent a request to this server asks no other one.

        deadline: for heads that new connections are expected to send, or the rest of one."""
        self._accept_waiting()
        wasyncore.dispatcher.close(self)
        wasyncore.poll2(0, self._map)
        while time.monotonic() < deadline and any(
            channel.expects() for channel in list(self.active_channels.values())
        ):
            wasyncore.poll2(0.05, self._map)
        self.gate.draining = self.draining = True

    def _accept_waiting(self) -> None:
        known = -1
        while known != len(self.active_channels):
            known = len(self.active_channels)
            self.handle_accept()

    def _look_after_channels(self, last: bool = False) -> None:
        for channel in list(self.active_channels.values()):
            channel.look_after(time.monotonic(), self.draining, last)

    def maintenance(self, now: float) -> None:
        """Nothing: waitress goes by the time of day, which may be set while it runs."""


def _adjustments(service: Service) -> Adjustments:
    return Adjustments(
        host=numeric(service.settings.host),
        port=service.settings.port,
        threads=service.admission.places + _SPARE_THREADS,
        connection_limit=_connections(),
        asyncore_use_poll=True,
        recv_bytes=1 << 18,
        inbuf_overflow=16 << 20,  # bodies stay in memory
        outbuf_overflow=sys.maxsize,  # and so do replies: there may be no disk to write to
        outbuf_high_watermark=sys.maxsize,  # a channel waits for its client, not a worker
        max_request_header_size=32 << 10,
        max_request_body_size=sys.maxsize,  # the gate judges lengths
        log_socket_errors=False,
        clear_untrusted_proxy_headers=False,
        ident=None,
    )


def _connections() -> int:
    """As many as there are file descriptors for, less what the rest of the process needs.

    Raises OSError when that leaves hardly any: a server without one for the next client spins.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < FILES:
        raise OSError(f"only {files} files may be open: allow {FILES} or more (ulimit -n)")
    return min(1000, files - 128)
