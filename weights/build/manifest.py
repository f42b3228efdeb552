"""Rewrites one section of a pack's manifest and leaves the rest as it is, comments and all."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import zoo
from engine.packs import MANIFEST


def replace(folder: Path, name: str, section: Mapping[str, Any]) -> None:
    """Put a section in the place of the one of that name, or at the end.

    A model folder without a manifest gets one, with what the engine takes its files for.
    """
    path = folder / MANIFEST
    if path.exists():
        text = path.read_text("utf-8")
    else:
        implied = zoo.implied_manifest(folder).items()
        text = "\n".join(dump(role, settings) for role, settings in implied)
    path.write_text(put(text, name, dump(name, section)), "utf-8")


def put(text: str, name: str, section: str) -> str:
    """The manifest's text with the section, which ends in a line break, in its place."""
    header = re.compile(rf"^\[\[?{re.escape(name)}(\.[^\]]+)?\]\]?\s*$")
    before: list[str] = []
    after: list[str] = []
    inside = found = False
    for line in text.splitlines(keepends=True):
        if line.startswith("["):
            inside = bool(header.match(line))
            found = found or inside
        if not inside:
            (after if found else before).append(line)
    gap = "" if not before or before[-1].isspace() else "\n"
    return "".join(before) + gap + section + ("\n" if after else "") + "".join(after)


def dump(name: str, section: Mapping[str, Any]) -> str:
    """A section as TOML; a list of mappings becomes an array of tables below it."""
    plain = {k: v for k, v in section.items() if not _is_tables(v)}
    parts = [f"[{name}]\n" + _lines(plain)]
    for key, tables in section.items():
        if _is_tables(tables):
            parts += [f"[[{name}.{key}]]\n" + _lines(table) for table in tables]
    return "\n".join(parts)


def _lines(settings: Mapping[str, Any]) -> str:
    # Strings, lists and booleans are written in TOML as in JSON, and so are numbers.
    return "".join(f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in settings.items())


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)
