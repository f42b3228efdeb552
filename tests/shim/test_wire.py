"""Over raw sockets: what no HTTP library would send, and when a reply comes."""

import http.client
import json
import socket
import time

import pytest
from conftest import Start
from raw_socket import HANG_S, connect, errorcode, good, read
from shim_client import Client, body, head, image, read_reply
from shim_server import Served

MIB = 1024 * 1024


def chunked(data: bytes, size: int = 1000) -> bytes:
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def without(name: str, request: bytes) -> bytes:
    lines = request.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.startswith(name.encode() + b":"))


@pytest.mark.parametrize("size", [100, 3 * MIB])
def test_a_chunked_body_lacks_its_length(served: Served, size: int) -> None:
    start = without("Content-Length", head("detect", 0, Transfer_Encoding="chunked"))
    assert errorcode(served, start + chunked(b"x" * size)) == "1"
    assert (
        errorcode(served, head("detect", size, Transfer_Encoding="chunked") + chunked(b"{}")) == "1"
    )


def test_a_refused_body_is_read_to_its_end(served: Served) -> None:
    # 20 MiB, written whole before the reply is looked for, as most clients do.
    for start, code in (
        (head("detect", 20 * MIB), "7"),
        (head("detect", 20 * MIB, Authorization=""), "1"),
        (head("nothing", 20 * MIB), "404"),
        (head("detect", MIB, Authorization="0" * 64), "5"),
    ):
        assert errorcode(served, start + bytes(20 * MIB if b"20971520" in start else MIB)) == code


def test_a_refused_body_leaves_the_connection_usable(served: Served, selfie: bytes) -> None:
    with connect(served) as connection:
        connection.sendall(head("detect", MIB, Authorization="0" * 64) + bytes(MIB))
        assert read(connection)[2]["errorcode"] == "5"
        connection.sendall(good("detect", selfie))
        assert read(connection)[2]["errorcode"] == "0"


def test_a_body_without_a_length_is_not_taken_for_a_request(served: Served, selfie: bytes) -> None:
    with connect(served) as connection, connection.makefile("rb") as stream:
        connection.sendall(without("Content-Length", head("detect", 2)) + good("detect", selfie))
        reply = read_reply(stream)
        assert reply is not None
        status, fields, members = reply
        assert (status, fields["Connection"]) == (400, "close")
        assert members == {"errorcode": "1", "errormsg": "request loss header field"}
        assert read_reply(stream) is None


def test_who_pauses_while_a_body_is_refused_still_gets_the_reply(served: Served) -> None:
    with connect(served) as connection:
        connection.sendall(head("detect", 3 * MIB, Authorization="0" * 64) + bytes(MIB))
        time.sleep(6)  # longer than anybody waits for the rest
        connection.sendall(bytes(MIB))
        time.sleep(0.2)
        connection.sendall(bytes(MIB))
        status, _, members = read(connection)
    assert (status, members["errorcode"]) == (401, "5")
    assert members["errormsg"] == "signature verification failed"


def test_the_length_is_judged_before_the_body_is_there(served: Served) -> None:
    with connect(served) as connection:
        connection.sendall(head("detect", 11 * MIB))
        assert read(connection)[2]["errorcode"] == "7"


def test_a_body_without_end_gets_its_answer(served: Served) -> None:
    with connect(served) as connection:
        connection.sendall(head("detect", 1 << 40) + bytes(65 * MIB))
        assert read(connection)[2]["errorcode"] == "7"


@pytest.mark.parametrize(
    ("length", "code"),
    [
        ("abc", "1"),
        ("-1", "1"),
        ("+5", "1"),
        ("5, 5", "1"),
        ("1e3", "1"),
        ("", "1"),
        ("9" * 5000, "7"),
    ],
)
def test_lengths_that_are_none(served: Served, length: str, code: str) -> None:
    assert errorcode(served, head("detect", 0, Content_Length=length) + b"{}") == code


def test_never_more_than_the_length_is_read(served: Served) -> None:
    assert errorcode(served, head("detect", 1) + b"{}") == "3"


BOMB = 10 * MIB - 100


@pytest.mark.parametrize("piece", [b'{"":0},', b"[],", b"[" * 900 + b"]" * 900 + b",", b"0,"])
def test_a_body_of_nothing_but_members(served: Served, piece: bytes) -> None:
    """Each of these makes a parser fill a gigabyte, while nothing else runs."""
    data = b'{"a":[' + BOMB // len(piece) * piece + b"0]}"
    before = served.resident()
    with connect(served) as connection:
        connection.sendall(head("compare", len(data)) + data)
        status, _, members = read(connection)
    assert (status, members["errorcode"]) == (400, "3")
    assert members["errmsg"] == "request body to json failed"
    assert served.resident() < before + 5 * BOMB


def test_more_members_than_anybody_needs(served: Served, selfie: bytes) -> None:
    more = [{"": number} for number in range(4000)]
    assert served.client().post("detect", image=image(selfie), more=more)[0] == 200


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
    assert fields["Connection"] == "close" and fields["X-Request-Id"]


def test_a_bad_head_is_told_in_both_spellings(start: Start) -> None:
    with connect(start("--demo", aliases=1)) as connection:
        connection.sendall(BAD_HEADS[0])
        reply = read(connection)[2]
    message = "request loss header field"
    assert reply == {"errorcode": "1", "errmsg": message, "errormsg": message}


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
