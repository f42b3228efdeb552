"""Bodies over raw sockets: refused, cut off, chunked, without a length, or a parser's bomb."""

import json
import time

import pytest
from raw_socket import MIB, connect, errorcode, good, read, without
from shim_client import body, head, image, read_reply
from shim_server import Served


def chunked(data: bytes, size: int = 1000) -> bytes:
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


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


def assert_refused_for_its_head(served: Served, request: bytes) -> None:
    """With one reply, and what comes behind the head is no request."""
    with connect(served) as connection, connection.makefile("rb") as stream:
        connection.sendall(request)
        reply = read_reply(stream)
        assert reply is not None
        status, fields, members = reply
        assert (status, fields["Connection"]) == (400, "close")
        assert members == {"errorcode": "1", "errormsg": "request loss header field"}
        assert read_reply(stream) is None


def test_a_body_without_a_length_is_not_taken_for_a_request(served: Served, selfie: bytes) -> None:
    assert_refused_for_its_head(
        served, without("Content-Length", head("detect", 2)) + good("detect", selfie)
    )


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
        ("0" * 20 + "2", "2"),
    ],
)
def test_lengths_that_are_none(served: Served, length: str, code: str) -> None:
    assert errorcode(served, head("detect", 0, Content_Length=length) + b"{}") == code


def test_a_length_behind_thousands_of_zeros(served: Served, selfie: bytes) -> None:
    """No body is taken for the next request because Python does not read such a number."""
    request = good("detect", selfie).replace(b"Content-Length: ", b"Content-Length: " + b"0" * 5000)
    assert_refused_for_its_head(served, request)


def test_never_more_than_the_length_is_read(served: Served) -> None:
    assert errorcode(served, head("detect", 1) + b"{}") == "3"


BOMB = 10 * MIB - 100


NESTED = [
    b"[" * 1010 + b"]" * 1010 + b",",
    b'{"":' * 1010 + b"0" + b"}" * 1010 + b",",
]
"""With fewer commas than a body may have."""


@pytest.mark.parametrize("piece", [b'{"":0},', b"[],", b"0,", *NESTED])
def test_a_body_of_nothing_but_members(served: Served, piece: bytes) -> None:
    """Each of these makes a parser fill hundreds of megabytes, while nothing else runs."""
    pieces = min(BOMB // len(piece), 4990) if piece in NESTED else BOMB // len(piece)
    data = b'{"a":[' + pieces * piece + b"0]}"
    before = served.resident()
    with connect(served) as connection:
        connection.sendall(head("compare", len(data)) + data)
        status, _, members = read(connection)
    assert (status, members["errorcode"]) == (400, "3")
    assert members["errmsg"] == "request body to json failed"
    assert served.resident() < before + 5 * BOMB


@pytest.mark.parametrize(("count", "answer"), [(4000, (200, "0")), (5001, (400, "3"))])
def test_more_members_than_anybody_needs(
    served: Served, selfie: bytes, count: int, answer: tuple[int, str]
) -> None:
    more = [{"": number} for number in range(count)]
    status, _, members = served.client().post("detect", image=image(selfie), more=more)
    assert (status, members["errorcode"]) == answer


def test_how_deep_a_body_may_be(served: Served, selfie: bytes) -> None:
    members = json.dumps(body(image=image(selfie)))[:-1]
    for depth, code in ((1023, "0"), (1024, "3")):
        data = f'{members}, "more": {depth * "["}{depth * "]"}}}'.encode()
        assert errorcode(served, head("detect", len(data)) + data) == code
