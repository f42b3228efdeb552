"""From a case to the bytes of a request, signed.

Values in a case's `set` and `body` may be recipes:

    {"$picture": NAME}              a file of pictures/, as base64
    {"$picture": NAME, "wrap": 76, "with": "\\r\\n"}    the same with line breaks
    {"$fill": N}                    N characters of base64 that are no picture
    {"$exactly": N}                 N characters of base64 that are a picture
    {"$base64": TEXT}               in `body`: these bytes
    {"$pad": N}                     in `body`: the good body, with spaces up to N bytes
"""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from shim import signing
from shim.conformance.cases import Case


@dataclass(frozen=True, slots=True)
class Request:
    """What goes over the wire. chunked: send the body in chunks."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    chunked: bool


def _increasing() -> Iterator[int]:
    """The time in milliseconds, never the same twice: a server may take each only once."""
    last = 0
    while True:
        last = max(last + 1, int(time.time() * 1000))
        yield last


_timestamps = _increasing()


def build(case: Case, app_id: str, app_key: str) -> Request:
    """Make the request of a case for the owner of a key pair."""
    key = signing.secret(app_key)
    body = _body(case, app_id, key)
    head = case.head
    timestamp = str(head.get("timestamp", next(_timestamps)))
    signature = signing.sign(
        signing.secret("wrong") if head.get("signature") == "wrong" else key, timestamp.encode()
    )
    headers = {
        "Host": "localhost",
        "Authorization": signature.lower() if head.get("signature") == "lower" else signature,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "x-mx-timestamp": timestamp,
        "x-mx-appid": app_id,
    }
    for name, value in head.get("headers", {}).items():
        if value is None:
            headers.pop(name)
        else:
            headers[name] = value
    spell = {"upper": str.upper, "lower": str.lower}.get(head.get("case", ""), str)
    chunked = headers.get("Transfer-Encoding") == "chunked"
    return Request(
        method=head.get("method", "POST"),
        path=head.get("path", "PATH").replace("PATH", case.endpoint.path),
        headers=[(spell(name), value) for name, value in headers.items()],
        body=body if chunked or "Content-Length" in headers else b"",
        chunked=chunked,
    )


def _body(case: Case, app_id: str, key: bytes) -> bytes:
    if isinstance(case.body, str):
        return case.body.encode()
    if isinstance(case.body, dict) and "$base64" in case.body:
        return base64.b64decode(case.body["$base64"])
    body = json.dumps(_members(case, app_id, key), ensure_ascii=False).encode()
    if isinstance(case.body, dict) and "$pad" in case.body:
        body = body.ljust(case.body["$pad"])
    return body


def _members(case: Case, app_id: str, key: bytes) -> dict[str, Any]:
    """The document's sample request, changed, and every picture signed unless the case did."""
    members: dict[str, Any] = {
        "app_id": app_id,
        "person_id": "1234567890",
        "terminal": {"type": "iphone7", "system": "ios10", "sdk": "o236"},
    }
    for name in case.endpoint.images:
        data = _value({"$picture": "face.jpg"})
        members[name] = {"content_type": "jpg", "data": data, "category": 1}
    for path, value in case.set.items():
        inside, last = _find(members, path)
        inside[last] = _value(value)
    for name in case.endpoint.images:
        image = members[name]
        if isinstance(image, dict) and isinstance(image.get("data"), str):
            image.setdefault("token", signing.sign(key, image["data"].encode()))
        elif isinstance(image, dict) and image:
            image.setdefault("token", "0" * 64)
    for path in case.remove:
        inside, last = _find(members, path)
        del inside[last]
    return members


def _find(members: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *parents, last = path.split(".")
    for parent in parents:
        members = members[parent]
    return members, last


def _value(recipe: Any) -> Any:
    match recipe:
        case {"$picture": name, "wrap": width, "with": line_end}:
            text = _value({"$picture": name})
            return line_end.join(text[at : at + width] for at in range(0, len(text), width))
        case {"$picture": name}:
            return base64.b64encode(picture(name)).decode()
        case {"$fill": length}:
            return "A" * length
        case {"$exactly": length}:  # a real picture whose base64 is this long: bytes after its end
            data = picture("face.jpg")
            return base64.b64encode(data + bytes(length // 4 * 3 - len(data))).decode()
    return recipe


def picture(name: str) -> bytes:
    """One of the kit's own pictures."""
    return (files(__package__) / "pictures" / name).read_bytes()
