"""Rows 5 to 10 of the check table: from a request's body to a typed request."""

from dataclasses import dataclass
from typing import Any

import orjson
import pybase64

from shim import contract, signing
from shim.contract import Refusal
from shim.gate import Caller

ID_PHOTO = 2  # ImageInfo.category, section 2.2

MAX_MARKS = 5000
"""Of each character that opens a list or an object, or goes before a next member. A request has
some twenty, and base64 none; a body of nothing else takes a second and a gigabyte to parse."""

_TERMINAL = ("type", "system", "sdk")
_IMAGE = ("content_type", "data", "token")


@dataclass(frozen=True, slots=True)
class Image:
    """One picture of a request. data: the encoded picture, not yet looked into."""

    data: bytes
    category: int


@dataclass(frozen=True, slots=True)
class Order:
    """A request that passed every check on its form."""

    images: tuple[Image, ...]
    many_faces: bool


def read(caller: Caller, body: bytes) -> Order:
    """Check a body against sections 2.2 to 5.2.

    Raises Refusal for the first row that fails: "3", "2", "4", "9", "8", "6", or "10" for what
    is not base64.
    """
    request = _parse(body)
    if caller.endpoint is not contract.DETECT:  # to the others it is a member like any unknown one
        request.pop("mutipleFace", None)
    names = caller.endpoint.images
    _require(request, names)
    _check_types(request, names)
    if request["app_id"] != caller.app_id:
        raise Refusal(contract.BAD_DATA)
    images = [request[name] for name in names]
    texts = [image["data"] for image in images]
    if not all(texts):
        raise Refusal(contract.EMPTY_IMAGE)
    if any(len(text) > contract.MAX_IMAGE for text in texts):
        raise Refusal(contract.IMAGE_TOO_LARGE)
    # The token covers the string as sent, line breaks and all.
    encoded = [text.encode() for text in texts]
    for image, data in zip(images, encoded, strict=True):
        if not signing.matches(caller.key, data, image["token"]):
            raise Refusal(contract.BAD_TOKEN)
    return Order(
        tuple(
            Image(_decode(data), _or_default(image, "category", 1))
            for image, data in zip(images, encoded, strict=True)
        ),
        _or_default(request, "mutipleFace", False),
    )


def _parse(body: bytes) -> dict[str, Any]:
    try:
        request = None if _is_crowded(body) else orjson.loads(body)
    except orjson.JSONDecodeError:
        request = None
    if not isinstance(request, dict):
        raise Refusal(contract.NOT_JSON)
    return request


def _is_crowded(body: bytes) -> bool:
    """By find, which skips a picture many times faster than count does."""
    for mark in b"[{,":
        at = -1
        for _ in range(MAX_MARKS + 1):
            at = body.find(mark, at + 1)
            if at < 0:
                break
        else:
            return True
    return False


def _require(request: dict[str, Any], images: tuple[str, ...]) -> None:
    """Row 6: a member that is absent, null, an empty string or an empty object."""
    _present(request, ("app_id", "person_id", "terminal", *images))
    _present(request["terminal"], _TERMINAL)
    for name in images:
        _present(request[name], _IMAGE)


def _present(members: object, names: tuple[str, ...]) -> None:
    if not isinstance(members, dict):
        return  # a wrong type is row 7
    for name in names:
        value = members.get(name)
        if value is None or value == {} or (value == "" and name != "data"):  # "" there is row 8
            raise Refusal(contract.EMPTY_FIELD)


def _check_types(request: dict[str, Any], images: tuple[str, ...]) -> None:
    """Row 7. Members that the document does not name are ignored."""
    right = (
        all(isinstance(request[name], str) for name in ("app_id", "person_id"))
        and _strings(request["terminal"], _TERMINAL)
        and all(_strings(request[name], _IMAGE) for name in images)
        and isinstance(_or_default(request, "mutipleFace", False), bool)
        and all(_is_category(_or_default(request[name], "category", 1)) for name in images)
    )
    if not right:
        raise Refusal(contract.BAD_DATA)


def _strings(value: object, names: tuple[str, ...]) -> bool:
    return isinstance(value, dict) and all(isinstance(value[name], str) for name in names)


def _is_category(value: object) -> bool:
    # True is an int in Python, and 1.0 equals 1.
    return type(value) is int and value in (1, 2, 3)


def _or_default(members: dict[str, Any], name: str, default: Any) -> Any:
    value = members.get(name)
    return default if value is None else value


def _decode(data: bytes) -> bytes:
    """Strict base64 with line breaks: the document's Java client sends one every 76 characters."""
    if b"\n" in data or b"\r" in data:
        data = data.translate(None, b"\r\n")
    try:
        return pybase64.b64decode(data, validate=True)
    except ValueError:
        raise Refusal(contract.BAD_IMAGE) from None
