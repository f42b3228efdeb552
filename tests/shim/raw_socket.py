"""Requests as bytes, over a socket of their own."""

import json
import socket
from typing import Any

from shim_client import body, head, image, read_reply
from shim_server import Served

HANG_S = 20
MIB = 1024 * 1024


def connect(served: Served) -> socket.socket:
    return socket.create_connection(served.client().address, timeout=HANG_S)


def read(connection: socket.socket) -> tuple[int, dict[str, str], dict[str, Any]]:
    with connection.makefile("rb") as stream:
        reply = read_reply(stream)
    assert reply
    return reply


def errorcode(served: Served, data: bytes) -> str:
    with connect(served) as connection:
        connection.sendall(data)
        code: str = read(connection)[2]["errorcode"]
        return code


def good(call: str, selfie: bytes) -> bytes:
    data = json.dumps(body(image=image(selfie))).encode()
    return head(call, len(data)) + data


def without(name: str, request: bytes) -> bytes:
    lines = request.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.startswith(name.encode() + b":"))
