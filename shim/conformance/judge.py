"""Whether a reply is what a case asks for.

A member of the expected reply is a literal, a nested object or list, or a rule:

    {"$match": REGEX}               a string that matches in full
    {"$match": ..., "$floor": NAME} and is a number not below the reply's member NAME
    {"$integer": LOWEST}            an integer, not a boolean, at least this large
    {"$list": RULE, "from": N, "to": M}     N to M elements that each follow the rule
    {"$picture": [FORMAT, WIDTH, HEIGHT]}   base64 of such a picture
"""

import base64
import re
from collections.abc import Iterator
from typing import Any

import orjson

from engine import ImageError, headers
from shim.conformance.cases import Case
from shim.conformance.transport import Reply


def differences(case: Case, reply: Reply) -> list[str]:
    """What is wrong with a reply, in short phrases; nothing when it is right."""
    wrong = []
    if reply.status != case.status:
        wrong.append(f"status {reply.status}, not {case.status}")
    if not reply.headers.get("content-type", "").startswith("application/json"):
        wrong.append("Content-Type is not application/json")
    try:
        body = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return [*wrong, "the body is not JSON"]
    return [*wrong, *_compare("", case.reply, body, body)]


def _compare(path: str, rule: Any, value: Any, whole: Any) -> Iterator[str]:
    at = path or "the reply"
    match rule:
        case {"$match": pattern, **more}:
            if not isinstance(value, str) or not re.fullmatch(pattern, value):
                yield f"{at} is {value!r}"
            elif "$floor" in more and not _reaches(value, floor := whole.get(more["$floor"])):
                yield f"{at} {value} is not at least {more['$floor']} {floor!r}"
        case {"$integer": lowest}:
            if type(value) is not int or value < lowest:
                yield f"{at} is {value!r}"
        case {"$list": element, "from": least, "to": most}:
            if not isinstance(value, list) or not least <= len(value) <= most:
                yield f"{at} is not a list of {least} to {most}"
            else:
                for index, item in enumerate(value):
                    yield from _compare(f"{path}[{index}]", element, item, whole)
        case {"$picture": wanted}:
            if (found := shape(value)) != tuple(wanted):
                yield f"{at} is {found}, not {wanted}"
        case dict():
            yield from _members(path, rule, value, whole)
        case _ if type(rule) is not type(value) or rule != value:
            yield f"{at} is {value!r}, not {rule!r}"


def _members(path: str, rule: dict[str, Any], value: Any, whole: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path or 'the reply'} is not an object"
        return
    if rule.keys() != value.keys():
        missing, extra = rule.keys() - value.keys(), value.keys() - rule.keys()
        yield f"{path or 'the reply'} lacks {sorted(missing)} and has {sorted(extra)} too many"
    for name in rule.keys() & value.keys():
        yield from _compare(f"{path}.{name}".lstrip("."), rule[name], value[name], whole)


def _reaches(value: str, floor: Any) -> bool:
    try:
        return float(value) >= float(floor)
    except (TypeError, ValueError):
        return False


def shape(data: Any) -> tuple[str, int, int] | None:
    """Format, width and height of a picture in base64; None when it is none."""
    try:
        header = headers.sniff(base64.b64decode(data, validate=True))
    except (TypeError, ValueError, ImageError):
        return None
    return header.format, header.width, header.height
