"""Bodies that are refused: what brings the reply, and what becomes of the connection."""

import json

import pytest
from raw_socket import connect, good
from shim_client import head
from shim_server import Served

CHUNKS = head("detect", 5, Transfer_Encoding="chunked", Connection="keep-alive") + b"0\r\n\r\n"
"""In HTTP/1.0 there are none, and where such a body ends nobody knows (RFC 9112, section 6.1)."""

NO_FIELD = head("detect", 0, Connection="keep-alive").removesuffix(b"\r\n") + b"no colon\r\n\r\n"


@pytest.mark.parametrize("request_", [CHUNKS, NO_FIELD], ids=["chunks", "no field"])
def test_http_1_0_is_not_promised_a_connection_that_ends(
    served: Served, selfie: bytes, request_: bytes
) -> None:
    with connect(served) as connection, connection.makefile("rb") as stream:
        connection.sendall(request_.replace(b"HTTP/1.1", b"HTTP/1.0", 1) + good("detect", selfie))
        start = b"".join(iter(stream.readline, b"\r\n")).decode()
        assert start.startswith("HTTP/1.0 400 ")
        assert [line for line in start.split("\r\n") if line.startswith("Connection:")] == [
            "Connection: close"
        ]
        members = {"errorcode": "1", "errormsg": "request loss header field"}
        assert json.loads(stream.read()) == members  # and nothing else
