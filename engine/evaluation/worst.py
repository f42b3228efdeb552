"""The captures that a system gets most wrong, to be looked at."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.evaluation.answers import Answers
from engine.evaluation.captures import LIVE, Capture
from engine.evaluation.contact import contact_sheet
from engine.images import Pixels, load

SHOWN, COLUMNS = 20, 5

Case = tuple[str, Path]
"""The score as text, and the picture."""


def worst(answers: Answers, sample: Sequence[Capture]) -> dict[str, list[Case]]:
    """The lowest scored "live" captures and the highest scored "attacks", worst first."""
    order = [int(i) for i in np.argsort(answers.scores) if answers.answered[i]]
    live = [i for i in order if answers.species[i] == LIVE]
    attacks = [i for i in order[::-1] if answers.species[i] != LIVE]
    return {
        kind: [(_label(answers, i), sample[i].path) for i in chosen[:SHOWN]]
        for kind, chosen in (("live", live), ("attacks", attacks))
        if chosen
    }


def sheet(cases: Sequence[Case]) -> Pixels:
    """All of them in one picture, each with its score and the name of its file."""
    tiles = [(f"{label}  {path.parent.name}/{path.name}", [load(path)]) for label, path in cases]
    return contact_sheet(tiles, COLUMNS)


def _label(answers: Answers, index: int) -> str:
    score = f"{answers.scores[index]:.2f}"
    return score if answers.judged[index] else f"({score})"
