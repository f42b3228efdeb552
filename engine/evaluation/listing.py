"""Tables that users write: CSV files with a header, whose paths begin at the file's folder."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.evaluation.photos import SampleError, picture_files

READ = frozenset(
    (
        *("path", "person", "subject", "cohort", "label", "a", "b", "same", "clean", "meshed"),
        *("file", "x", "y", "width", "height", "ignore"),
    )
)
"""Columns that mean something here; tables may have others."""


def is_table(path: Path) -> bool:
    """By its suffix, in capitals too; folders may be called like tables."""
    return path.suffix.lower() == ".csv" and not path.is_dir()


def pictures(source: Path) -> list[Path]:
    """Every picture below a folder, or those that a CSV with a column path names, in its order.

    Raises SampleError where there is none, and for a row whose file is missing or in another row.
    """
    if not is_table(source):
        return picture_files(source)
    rows = read_rows(source, ["path"])
    first: dict[Path, int] = {}
    for line, row in rows.items():
        path = named_file(source, line, row["path"])
        if (before := first.setdefault(path, line)) != line:
            raise SampleError(f"{source}, line {line}: {path} is in line {before} already")
    return list(first)


def shuffled(source: Path, seed: int) -> list[Path]:
    """The same in an order drawn from the seed: the first of them are a sample of all, where those
    by name would be of some groups of people alone."""
    paths = pictures(source)
    return [paths[index] for index in np.random.default_rng(seed).permutation(len(paths))]


def named_file(listing: Path, line: int, name: str) -> Path:
    """The file that a row names, in one spelling however the row spells it. Raises SampleError when
    there is none."""
    path = Path(os.path.normpath(listing.parent / name.strip()))
    if not path.is_file():
        raise SampleError(f"{listing}, line {line}: there is no file {path}")
    return path


def read_rows(listing: Path, columns: Sequence[str]) -> dict[int, dict[str, str]]:
    """Every row by its line in the file; a value that is missing is "".

    columns: those that every row must fill; the header may have capitals. Raises SampleError for a
    file that is not UTF-8, lacks a column or has one of READ twice, has a row that leaves one
    empty or has more values than the header, a value of READ of several lines, as a lost quotation
    mark makes them, or no rows.
    """
    try:
        with listing.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            header = [name.strip().lower() for name in reader.fieldnames or ()]
            _check_header(listing, header, columns)
            reader.fieldnames = header
            rows = {}
            for row in reader:
                _check_row(f"{listing}, line {reader.line_num}", row, columns)
                rows[reader.line_num] = row
    except UnicodeDecodeError as error:
        raise SampleError(f"{listing} is not UTF-8: save it as that") from error
    except csv.Error as error:
        raise SampleError(f"{listing} is no CSV: {error}") from error
    if not rows:
        raise SampleError(f"{listing} has no rows below its header")
    return rows


def _check_header(listing: Path, header: Sequence[str], columns: Sequence[str]) -> None:
    if any("\0" in name for name in header):
        raise SampleError(f"{listing} is not UTF-8: save it as that")
    if not set(columns) <= set(header):
        raise SampleError(
            f"{listing} must have a header with {_named(columns)}, commas between, and rows below "
            f"it; its first line is {','.join(header)[:100]!r}"
        )
    if twice := [name for name in header if name in READ and header.count(name) > 1]:
        raise SampleError(f"{listing} has two columns {twice[0]}: take one out")


def _check_row(where: str, row: dict[Any, Any], columns: Sequence[str]) -> None:
    """Takes out what lies beyond the header."""
    if any(value.strip() for value in row.pop(None, ())):
        raise SampleError(
            f"{where} has more values than the header: put one with a comma in quotation marks, "
            '"Smith, Ann"'
        )
    if any("\n" in row[column] for column in READ & row.keys()):
        raise SampleError(f"{where}: a quotation mark is lost above, or one too many")
    if not all(row[column].strip() for column in columns):
        raise SampleError(f"{where}: fill in {_named(columns)}")


def _named(columns: Sequence[str]) -> str:
    return f"{', '.join(columns[:-1])} and {columns[-1]}" if columns[1:] else columns[0]
