"""Files with the same bytes, which count as several pictures."""

import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import ImageError
from engine.evaluation.embeddings import file_checksum
from engine.evaluation.report import Report


def tell_copies(report: Report, files: Sequence[Path], labels: Sequence[str] = ()) -> None:
    """A line in the report and on stderr where there are copies, with the first pair of them, if
    possible of two labels, where there are any: those contradict each other."""
    first: dict[str, int] = {}
    pairs = []
    for index, path in enumerate(files):
        try:
            before = first.setdefault(file_checksum(path), index)
        except ImageError:  # told elsewhere
            continue
        if before != index:
            pairs.append((before, index))
    if not pairs:
        return
    unlike = [(a, b) for a, b in pairs if labels and labels[a] != labels[b]]
    example = (unlike or pairs)[0]
    shown = " and ".join(f"{files[i]} ({labels[i]})" if labels else str(files[i]) for i in example)
    otherwise = f", {len(unlike)} of them labelled otherwise" if labels else ""
    line = f"{len(pairs)} files are copies of others{otherwise}, such as {shown}; each is counted"
    report.text(f"Warning: {line}.")
    print(f"warning: {line}", file=sys.stderr)
