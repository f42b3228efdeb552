"""A client as a customer would write it from the document: no code shared with the shim."""

import base64
import hashlib
import hmac
import http.client
import json
import time
from typing import Any, BinaryIO
from urllib.parse import urlsplit

APP_ID = "6222980101038034"
APP_KEY = "1234567890ABCDEFGH"


def sign(content: bytes, app_key: str = APP_KEY) -> str:
    key = ("bioauth" + app_key).encode()
    return hmac.new(key, content, hashlib.sha256).hexdigest().upper()


def image(data: bytes, **changes: Any) -> dict[str, Any]:
    text = base64.b64encode(data).decode()
    made = {"content_type": "jpg", "data": text, "token": sign(text.encode()), "category": 1}
    return {**made, **changes}


def body(**members: Any) -> dict[str, Any]:
    return {
        "app_id": APP_ID,
        "person_id": "1234567890",
        "terminal": {"type": "iphone7", "system": "ios10", "sdk": "o236"},
        **members,
    }


def headers(length: int, app_id: str = APP_ID, app_key: str = APP_KEY) -> dict[str, str]:
    timestamp = str(int(time.time() * 1000))
    return {
        "Content-Type": "application/json",
        "Content-Length": str(length),
        "Authorization": sign(timestamp.encode(), app_key),
        "x-mx-timestamp": timestamp,
        "x-mx-appid": app_id,
    }


def head(call: str, length: int, **changes: str) -> bytes:
    """A signed request's head as bytes, for raw sockets."""
    fields = {"Host": "localhost", **headers(length)}
    fields |= {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"POST /openapi/face/v2/{call} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Client:
    """Keeps one connection; returns (status, headers, members of the reply). more: headers."""

    def __init__(self, url: str, app_id: str = APP_ID, app_key: str = APP_KEY) -> None:
        self.url, self.more = url, dict[str, str]()
        parts = urlsplit(url)
        self.address = (parts.hostname or "", parts.port or 80)
        self.pair = (app_id, app_key)
        self.connection = http.client.HTTPConnection(*self.address, timeout=60)

    def post(self, call: str, **members: Any) -> tuple[int, dict[str, str], dict[str, Any]]:
        data = json.dumps(body(**{"app_id": self.pair[0], **members})).encode()
        path = f"/openapi/face/v2/{call}"
        self.connection.request("POST", path, data, headers(len(data), *self.pair) | self.more)
        reply = self.connection.getresponse()
        return reply.status, dict(reply.getheaders()), json.loads(reply.read())

    def ask(self, call: str, **members: Any) -> dict[str, Any]:
        """The reply of a call that must succeed."""
        status, _, reply = self.post(call, **members)
        assert status == 200, reply
        return reply

    def close(self) -> None:
        self.connection.close()


def read_reply(stream: BinaryIO) -> tuple[int, dict[str, str], dict[str, Any]] | None:
    """The next reply of a raw socket's file; None when the server has closed."""
    first = stream.readline()
    if not first:
        return None
    status = int(first.split()[1])
    fields = {}
    while line := stream.readline().strip().decode("latin-1"):
        name, _, value = line.partition(": ")
        fields[name] = value
    if status == 100:
        return read_reply(stream)
    text = stream.read(int(fields["Content-Length"]))
    assert b"Traceback" not in text
    return status, fields, json.loads(text)
