"""Over raw sockets: what no HTTP library would send, and when a reply comes."""

import http.client
import json
import re
import socket
import ssl
import time

import pytest
from conftest import Start
from raw_socket import HANG_S, MIB, connect, errorcode, good, read, without
from shim_client import Client, body, head, image, read_reply, sign
from shim_server import Served, wait_for
from threaded import running

from engine import Engine
from shim.incoming import HEAD_S

OLD = b"1476414567061"
NOT_HTTP = [
    b"\r\n\r\n\r\n\r\nx\r\n\r\n",
    b"GET\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"POST /" + b"x" * 40_000,
]
BAD_HEADS = [
    b"POST /openapi/face/v2/detect HTTP/1.1\r\nno colon\r\n\r\n",
    b"POST /openapi/face/v2/detect HTTP/1.1\r\n folded: x\r\n\r\n",
    b"POST /openapi/face/v2/detect HTTP/9.9\r\n\r\n",
    b"\r\nPOST /openapi/face/v2/detect HTTP/1.1\r\nA: " + b"x" * 40_000,
]
NO_SUCH_CALL = [
    b"post /openapi/face/v2/detect HTTP/1.1\r\n\r\n",
    b"POST /nothing HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET /openapi/face/v2/detect HTTP/1.1\r\nA: " + b"x" * 40_000,
]


@pytest.mark.parametrize(
    ("data", "status", "code", "message"),
    [
        *((data, 400, "1", "request loss header field") for data in NOT_HTTP + BAD_HEADS),
        *((data, 404, "404", "not found") for data in NO_SUCH_CALL),
    ],
)
def test_what_is_not_http(
    served: Served, data: bytes, status: int, code: str, message: str
) -> None:
    with connect(served) as connection:
        connection.sendall(data)
        answer, fields, reply = read(connection)
    field = "errormsg" if b"/detect " in data else "errmsg"
    assert (answer, reply) == (status, {"errorcode": code, field: message})
    assert fields["Connection"] == "close"
    wait_for(served.log, fields["X-Request-Id"])
    (line,) = [it for it in served.log.read_text().splitlines() if fields["X-Request-Id"] in it]
    logged = json.loads(line)
    assert (logged["status"], logged["errorcode"], logged["app_id"]) == (status, code, None)
    assert logged["endpoint"] == ("detect" if b"/detect " in data else "-")


def test_a_client_that_speaks_tls_is_told_at_once(served: Served) -> None:
    begun = time.monotonic()
    with connect(served) as connection, pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
        ssl.create_default_context().wrap_socket(connection, server_hostname="127.0.0.1")
    assert time.monotonic() - begun < HEAD_S / 2


def test_a_head_that_cannot_be_read_is_answered_while_more_comes(served: Served) -> None:
    """Were the connection closed at once, the client would lose the reply."""
    with connect(served) as connection:
        connection.sendall(BAD_HEADS[0])
        for _ in range(5):
            time.sleep(0.1)
            connection.sendall(bytes(MIB // 16))
        status, _, members = read(connection)
    assert (status, members["errorcode"]) == (400, "1")
    assert members["errormsg"] == "request loss header field"


def test_a_fault_that_the_application_does_not_catch(engine: Engine) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    with running(engine) as server, socket.create_connection(("127.0.0.1", server.port)) as asked:
        server.application = fail
        asked.settimeout(HANG_S)
        asked.sendall(head("compare", 0))
        status, fields, members = read(asked)
    assert (status, fields["Connection"]) == (500, "close")
    assert members == {"errorcode": "500", "errmsg": "internal server error"}


def test_a_bad_head_is_told_in_both_spellings(start: Start) -> None:
    with connect(start("--demo", aliases=1)) as connection:
        connection.sendall(BAD_HEADS[0])
        reply = read(connection)[2]
    message = "request loss header field"
    assert reply == {"errorcode": "1", "errmsg": message, "errormsg": message}


def test_how_large_a_head_may_be(served: Served, selfie: bytes) -> None:
    for size, code in ((30_000, "0"), (33_000, "1")):
        padded = good("detect", selfie).replace(b"\r\n", b"\r\nCookie: " + size * b"a" + b"\r\n", 1)
        assert errorcode(served, padded) == code


def test_a_blank_that_is_none_in_http(served: Served, selfie: bytes) -> None:
    """Blanks and tabs around a value are not of it; a no-break space is."""
    plain = good("detect", selfie)
    for blank, code in ((b" \t", "0"), (b"\xa0", "5")):
        padded = plain.replace(b"Authorization: ", b"Authorization: " + blank)
        assert errorcode(served, padded) == code
    lines = without("x-mx-appid", plain).split(b"\r\n", 1)
    for blank, code in ((b" \t", "1"), (b"\xa0", "5")):
        assert errorcode(served, b"\r\n".join([lines[0], b"x-mx-appid:" + blank, lines[1]])) == code


@pytest.mark.parametrize("coding", ["gzip", "gzip, chunked", "identity", "chunked, gzip"])
def test_other_transfer_codings(served: Served, coding: str) -> None:
    assert errorcode(served, head("detect", 2, Transfer_Encoding=coding) + b"{}") == "1"


def test_a_refusal_comes_instead_of_continue(served: Served) -> None:
    with connect(served) as connection:
        connection.sendall(head("detect", 11 * MIB, Expect="100-continue"))
        assert read(connection)[2]["errorcode"] == "7"


def test_continue_and_then_the_body(served: Served, selfie: bytes) -> None:
    data = json.dumps(body(image=image(selfie))).encode()
    with connect(served) as connection:
        connection.sendall(head("detect", len(data), Expect="100-continue"))
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(data)
        assert read(connection)[2]["errorcode"] == "0"
    assert errorcode(served, head("detect", 0, Expect="100-continue")) == "3"


def test_a_request_is_taken_once_where_that_is_asked_for(start: Start, selfie: bytes) -> None:
    served, request = start("--demo", max_skew_s=60), good("detect", selfie)
    assert errorcode(served, request) == "0"
    for refused in (request, old(request)):
        with connect(served) as connection:
            connection.sendall(refused)
            status, _, reply = read(connection)
        assert (status, reply) == (
            401,
            {"errorcode": "5", "errormsg": "signature verification failed"},
        )


def test_a_request_may_be_old_and_be_sent_again(served: Served, selfie: bytes) -> None:
    """As long as nobody asked for more: the document's own sample is of 2016."""
    request = old(good("detect", selfie))
    assert [errorcode(served, request) for _ in range(2)] == ["0", "0"]


def old(request: bytes) -> bytes:
    """The same with the timestamp of section 1.6 and its signature."""
    request = re.sub(rb"x-mx-timestamp: \d+", b"x-mx-timestamp: " + OLD, request)
    return re.sub(rb"Authorization: \w+", b"Authorization: " + sign(OLD).encode(), request)


def test_requests_sent_ahead_are_answered_in_order(served: Served, selfie: bytes) -> None:
    with connect(served) as connection:
        connection.sendall(good("detect", selfie) + head("compare", 1) + b"x" + good("x", b""))
        with connection.makefile("rb") as stream:
            replies = [read_reply(stream) for _ in range(3)]
    assert [reply[2]["errorcode"] for reply in replies if reply] == ["0", "3", "404"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Expect": "100-continue", "Authorization": "0"}, "5"),
        ({"Transfer_Encoding": "gzip, chunked"}, "1"),
        ({"Content_Length": "5, 5"}, "1"),
    ],
)
def test_who_goes_on_sending_after_a_refusal_can_read_it(
    served: Served, changes: dict[str, str], code: str
) -> None:
    with connect(served) as connection:
        connection.sendall(head("detect", MIB, **changes))
        for _ in range(16):
            connection.sendall(bytes(MIB // 16))
            time.sleep(0.25)
        assert read(connection)[2]["errorcode"] == code


def test_http_1_0(served: Served, selfie: bytes) -> None:
    request = good("detect", selfie)
    assert errorcode(served, request.replace(b"HTTP/1.1", b"HTTP/1.0", 1)) == "0"
    assert errorcode(served, without("Host", request).replace(b"HTTP/1.1", b"HTTP/1.0", 1)) == "1"


def test_a_client_that_stops_sending_but_listens(served: Served, selfie: bytes) -> None:
    with connect(served) as connection:
        connection.sendall(good("detect", selfie))
        connection.shutdown(socket.SHUT_WR)
        assert read(connection)[2]["errorcode"] == "0"


@pytest.mark.parametrize("option", [b"close", b"TE, Close", b"close,TE"])
def test_a_connection_that_is_not_to_be_kept(served: Served, option: bytes) -> None:
    request = b"GET / HTTP/1.1\r\nConnection: " + option + b"\r\n\r\n"
    with connect(served) as connection:
        connection.sendall(request)
        assert read(connection)[0] == 404
        assert connection.recv(1) == b""


def test_head_requests_get_no_body(served: Served) -> None:
    connection = http.client.HTTPConnection(*served.client().address, timeout=HANG_S)
    connection.request("HEAD", "/openapi/face/v2/detect")
    reply = connection.getresponse()
    assert (reply.status, reply.read()) == (404, b"")


def test_replies_name_no_software(served: Served, client: Client) -> None:
    with connect(served) as connection:
        connection.sendall(head("detect", 0))
        fields = read(connection)[1]
    assert sorted(fields) == ["Content-Length", "Content-Type", "Date", "X-Request-Id"]
    assert fields["Content-Type"] == "application/json"
