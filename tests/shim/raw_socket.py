"""Requests as bytes, over a socket of their own."""

import json
import socket
from typing import Any

from shim_client import body, head, image, read_reply
from shim_server import Served

HANG_S = 20
MIB = 1024 * 1024
REPLIES = {
    "0": (200, "ok"),
    "1": (400, "request loss header field"),
    "2": (400, "request body has empty field"),
    "3": (400, "request body to json failed"),
    "4": (400, "request data exception"),
    "5": (401, "signature verification failed"),
    "6": (401, "token verification failed"),
    "7": (413, "request entity too large"),
    "8": (413, "image size greater than 2M"),
    "9": (415, "image data is empty"),
    "10": (415, "image parse exception"),
    "11": (417, "face not found"),
    "404": (404, "not found"),
    "500": (500, "internal server error"),
    "503": (503, "server busy"),
}
"""The status and the message that belong to an errorcode."""


def connect(served: Served) -> socket.socket:
    return socket.create_connection(served.client().address, timeout=HANG_S)


def read(connection: socket.socket) -> tuple[int, dict[str, str], dict[str, Any]]:
    with connection.makefile("rb") as stream:
        reply = read_reply(stream)
    assert reply
    return reply


def errorcode(served: Served, data: bytes) -> str:
    """Of the reply, which has the status and the message that belong to it."""
    with connect(served) as connection:
        connection.sendall(data)
        status, _, members = read(connection)
    code: str = members["errorcode"]
    message = members.get("errormsg", members.get("errmsg"))
    assert (status, message) == REPLIES[code]
    return code


def good(call: str, selfie: bytes) -> bytes:
    data = json.dumps(body(image=image(selfie))).encode()
    return head(call, len(data)) + data


def without(name: str, request: bytes) -> bytes:
    lines = request.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.startswith(name.encode() + b":"))
