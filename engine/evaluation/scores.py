"""A system's verdict on each capture, as a table from which the figures can be computed again."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.evaluation.answers import Verdict
from engine.evaluation.captures import Capture
from engine.evaluation.replacing import replacing

HEADER = ("system", "path", "label", "subject", "score", "live", "assessable")


def write_scores(
    file: Path, sample: Sequence[Capture], verdicts: Mapping[str, Sequence[Verdict | None]]
) -> None:
    """A row per system and capture. live, assessable: 1 or 0; score and both are empty where no
    face was found, and assessable is where the system does not tell."""
    # A file's name may be of another encoding than the system's: its odd bytes are shown.
    with (
        replacing(file) as new,
        new.open("w", newline="", encoding="utf-8", errors="backslashreplace") as opened,
    ):
        table = csv.writer(opened)
        table.writerow(HEADER)
        for name, answers in verdicts.items():
            for capture, one in zip(sample, answers, strict=True):
                said = ("", "", "")
                if one is not None:
                    assessable = "" if one.assessable is None else str(int(one.assessable))
                    said = (repr(float(one.score)), str(int(one.alive)), assessable)
                table.writerow([name, capture.path, capture.species, capture.subject, *said])
    print(f"written: {file}")
