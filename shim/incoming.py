"""A request as it arrives: waitress' parser, with the gate asked as soon as the head is there."""

import re
import time

from waitress.adjustments import Adjustments
from waitress.parser import (
    HTTPRequestParser,
    ParsingError,
    TransferEncodingNotImplemented,
    first_line_re,
    unquote_bytes_to_wsgi,
)

from shim import contract
from shim.contract import Endpoint, Problem, Refusal
from shim.discard import DISCARD_S, MAX_DISCARD, Discard
from shim.gate import Caller, Gate

HEAD_S = 15  # for a request's head to arrive, in seconds
BODY_S = 120  # for a whole request to arrive, or longer where its body is large:
SLOWEST = 4096  # bytes a second, on a weak line
STALL_S = 3  # of silence, before a refused request is answered without the rest of its body
_UNKNOWN = -1
_TLS = b"\x16"  # of a handshake, whose client takes this for a server of https
_ORIGIN = re.compile(rb"^[^/?#]+://[^/?#]*")


class Parser(HTTPRequestParser):
    """Asks the gate as soon as a request's head is complete.

    begun: when its first byte came, in seconds of time.monotonic; 0 before. Blank lines ahead of it
    are none of it (RFC 9112, section 2.2).
    request_line: kept for heads that cannot be read, see row_1; empty while it is not whole.
    """

    begun = 0.0
    request_line = b""
    verdict: Caller | Refusal | None = None  # of a head that can be read
    hang_up = False  # the rest of the connection cannot be read as a next request

    def __init__(self, adj: Adjustments, gate: Gate) -> None:
        super().__init__(adj)
        self._gate = gate

    def received(self, data: bytes) -> int:
        if not self.begun:
            if blank := len(data) - len(data.lstrip()):
                return blank
            self.begun = time.monotonic()
            if data.startswith(_TLS):
                super().received(b"TLS\r\n\r\n")  # answered as a head that cannot be read
                return len(data)
        if not self.request_line:
            line, end, _ = (self.header_plus + data).partition(b"\r\n")
            self.request_line = line.rstrip() if end else b""
        return int(super().received(data))

    def parse_header(self, head: bytes) -> None:
        self.path = ""
        line = first_line_re.fullmatch(self.request_line)
        try:
            if line:  # waitress tidies a path up, and refuses characters that matter to nobody here
                begin, end = line.span("uri")
                plain = self.request_line[:begin] + b"/" + self.request_line[end:]
                head = head.replace(self.request_line, plain, 1)
            super().parse_header(head)
        except (ParsingError, ValueError) as error:
            if not self.path:
                raise ParsingError("Malformed request") from error
            self.content_length = _UNKNOWN  # it is no number, or one of thousands of digits
        except TransferEncodingNotImplemented:
            self.chunked, self.content_length = True, _UNKNOWN
        if line:
            self.path = _path(line["uri"])
        if self.content_length == 0 and not self.chunked:
            self.expect_continue = False  # nothing to continue with
        try:
            self.verdict = self._gate.judge(self._environ())
            if self.content_length == _UNKNOWN:  # it begins with thousands of zeros
                raise Refusal(contract.MISSING_HEADER, app_id=self.app_id)
        except Refusal as refusal:
            self.verdict = refusal
            self._discard()

    def _environ(self) -> dict[str, str]:
        environ = {f"HTTP_{name}": value for name, value in self.headers.items()}
        for name in ("CONTENT_LENGTH", "CONTENT_TYPE"):
            environ[name] = self.headers.get(name, "")
        if self.chunked:
            environ["HTTP_TRANSFER_ENCODING"] = "chunked"  # waitress takes it out
        return {**environ, "PATH_INFO": self.path, "REQUEST_METHOD": self.command}

    def _discard(self) -> None:
        length = None if self.chunked else self.content_length
        unframed = self.content_length == _UNKNOWN or "TRANSFER_ENCODING" in self.headers
        if self.command == "POST" and not self.chunked:
            # A body may follow all the same, and would be taken for the next request.
            unframed |= "CONTENT_LENGTH" not in self.headers
        self.hang_up = unframed or length is None or length > MAX_DISCARD or self.expect_continue
        # A client that expects "100 Continue" has sent no body yet: the refusal is what it gets.
        nothing = unframed or self.expect_continue or length == 0
        self.body_rcv = None if nothing else Discard(length)
        self.expect_continue = self.chunked = False
        self.content_length = 0

    @property
    def app_id(self) -> str | None:
        """Whose request it is, where its signature held."""
        return self.verdict.app_id if self.verdict else None

    def late(self, now: float, since: float, last_byte: float) -> bool:
        """Whether the request takes too long to arrive.

        since: when the client could first send it. Times in seconds of time.monotonic.
        """
        if isinstance(self.body_rcv, Discard):
            return now - last_byte > STALL_S or now - since > DISCARD_S
        if not self.headers_finished:
            return now - since > HEAD_S
        return now - since > max(BODY_S, self.content_length / SLOWEST)


def row_1(line: bytes) -> tuple[Endpoint | None, Problem]:
    """The call that a request line names, and what is wrong with a request whose head cannot be
    read: row 1 when there is no such call, else row 2."""
    parts = first_line_re.fullmatch(line)
    if parts is None:  # not HTTP
        return None, contract.MISSING_HEADER
    endpoint = contract.ENDPOINTS.get(_path(parts["uri"]))
    exists = endpoint is not None and parts["method"] == b"POST"
    return endpoint, contract.MISSING_HEADER if exists else contract.NOT_FOUND


def _path(uri: bytes) -> str:
    """The path of a request's target, in the spelling of WSGI."""
    path = re.split(rb"[?#]", _ORIGIN.sub(b"", uri), maxsplit=1)[0]
    return str(unquote_bytes_to_wsgi(path))
