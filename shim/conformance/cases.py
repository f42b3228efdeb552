"""A case: a good request, how to spoil it, and what must come back.

Vectors are JSON lists of entries under vectors/. An entry has

    name      what is tried
    basis     the section of the document, the row of the check table or the [A] it rests on
    calls     the calls that it is tried on, one case each
    set       members of the body to put, by dotted path; see builder.py for values like $picture
    remove    members of the body to leave out
    head      changes of the head: method, path, headers (null leaves one out), signature
    body      the body itself, when it is not made from the members
    status    of the reply
    reply     the reply's exact members; MESSAGE stands for the call's name of it, see judge.py
"""

import json
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from shim.contract import ENDPOINTS, Endpoint

CALLS = {endpoint.name: endpoint for endpoint in ENDPOINTS.values()}


@dataclass(frozen=True, slots=True)
class Case:
    """One request and what it must be answered with."""

    name: str
    basis: str
    endpoint: Endpoint
    status: int
    reply: dict[str, Any]
    set: dict[str, Any] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    head: dict[str, Any] = field(default_factory=dict)
    body: Any = None


def load() -> list[Case]:
    """Every case of every vector file, in a fixed order."""
    folder = files(__package__).joinpath("vectors")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".json"))
    return [
        _case(entry, CALLS[call])
        for name in names
        for entry in json.loads(folder.joinpath(name).read_text("utf-8"))
        for call in entry["calls"]
    ]


def _case(entry: dict[str, Any], endpoint: Endpoint) -> Case:
    # A path that begins with "image" means the first picture, whatever the call names it.
    first = endpoint.images[0]
    rest = {key: entry[key] for key in ("head", "body") if key in entry}
    return Case(
        name=f"{endpoint.name}: {entry['name']}",
        basis=entry["basis"],
        endpoint=endpoint,
        status=entry["status"],
        reply={
            (endpoint.message if key == "MESSAGE" else key): value
            for key, value in entry["reply"].items()
        },
        set={_in(first, path): value for path, value in entry.get("set", {}).items()},
        remove=tuple(_in(first, path) for path in entry.get("remove", ())),
        **rest,
    )


def _in(first: str, path: str) -> str:
    head, dot, tail = path.partition(".")
    return f"{first}{dot}{tail}" if head == "image" else path
