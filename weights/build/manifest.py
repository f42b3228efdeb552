"""Rewrites one section of a pack's manifest and leaves the rest as it is, comments and all."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import WeightsError
from engine.evaluation.replacing import replacing
from engine.manifests import MANIFEST
from engine.zoo_folder import implied_manifest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HEADER = re.compile(r"\s*\[{1,2}\s*([A-Za-z_][\w-]*)\s*(?:\.[^\]]*)?\]{1,2}\s*(?:#|$)")
"""The line that a section or sub-section begins with; group 1 is the section's name."""


def replace(folder: Path, name: str, section: Mapping[str, Any]) -> None:
    """Put a section in the place of the one of that name, or at the end.

    A model folder without a manifest gets one, with what the engine takes its files for. Raises
    WeightsError, which holds the section, where the manifest has it in a form unknown here.
    """
    path = folder / MANIFEST
    if path.exists():
        text = path.read_text("utf-8-sig")
    else:
        implied = implied_manifest(folder).items()
        text = "\n".join(dump(role, settings) for role, settings in implied)
    written = dump(name, section)
    text = put(text, name, written)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:  # it may be there in another form, as name = {...}
        raise WeightsError(
            f"{path}: [{name}] cannot be put in its place ({error}). Do so by hand:\n{written}"
        ) from error
    with replacing(path) as new:
        new.write_text(text, "utf-8")


def put(text: str, name: str, section: str) -> str:
    """The manifest's text with the section, which ends in a line break, in its place.

    What is replaced are the section, with or without a remark behind its name, and its
    sub-sections, such as [[similarity.matched]]; remarks right above the next one are that one's.
    """
    before: list[str] = []
    after: list[str] = []
    remarks: list[str] = []
    inside = found = False
    for line in text.splitlines(keepends=True):
        if header := HEADER.match(line):
            if inside and header[1] != name:
                after += remarks
            inside = header[1] == name
            found = found or inside
        remarks = [*remarks, line] if line.startswith("#") else []
        if not inside:
            (after if found else before).append(line)
    gap = "" if not before or before[-1].isspace() else "\n"
    return "".join(before) + gap + section + ("\n" if after else "") + "".join(after)


def dump(name: str, section: Mapping[str, Any]) -> str:
    """A section as TOML; a list of mappings becomes a table with a row per line."""
    return f"[{name}]\n" + "".join(f"{key} = {_value(value)}\n" for key, value in section.items())


def _value(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "[\n" + "".join(f"    {_row(row)},\n" for row in value) + "]"
    # TOML writes strings, numbers, booleans and plain lists as JSON does.
    text = json.dumps(value, ensure_ascii=False)
    # Names of files may hold bytes that are not UTF-8, which Python reads as half characters.
    return re.sub("[\ud800-\udfff]", lambda half: rf"\\u{ord(half[0]):04x}", text)


def _row(row: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{key} = {_value(value)}" for key, value in row.items()) + " }"
