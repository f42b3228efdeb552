"""Other thresholds of liveness than a system's own, found on a sample."""

from typing import Any

import numpy as np

from engine.evaluation.answers import Answers
from engine.evaluation.captures import LIVE
from engine.evaluation.report import Report
from engine.evaluation.statistics import DECIMALS, rounded_up
from engine.operating import trials_needed

APCERS = (0.01, 0.05, 0.1)
BPCERS = (0.01, 0.02, 0.05, 0.1, 0.2)


def by_attacks(report: Report, name: str, answers: Answers) -> dict[str, Any]:
    """BPCER where the worst APCER is at most a given one (BPCER10, BPCER20, BPCER100), of species
    with attacks enough for such a rate."""
    grid, apcer, _ = answers.curve()
    judged = [answers.error(kind).trials for kind in answers.attacks()]
    fewest = min((trials for trials in judged if trials), default=0)
    rows: list[list[object]] = []
    figures: dict[str, Any] = {}
    for limit in APCERS:
        if not (apcer <= limit).any():
            continue
        if fewest < (needed := trials_needed(limit)):
            rows.append([f"{100 * limit:g} %", "", f"takes {needed:,} attacks of each kind"])
            continue
        threshold = rounded_up(float(grid[np.argmax(apcer <= limit)]))
        rate = answers.error(LIVE, threshold)
        rows.append([f"{100 * limit:g} %", f"{threshold:.{DECIMALS}f}", rate])
        figures[f"{limit:g}"] = {"threshold": threshold, **rate.plain()}
    header = ["worst APCER at most", "threshold", "BPCER"]
    report.table(f"{name}: other thresholds, found on this sample", header, rows)
    return figures


def by_live(report: Report, name: str, answers: Answers) -> list[dict[str, Any]]:
    """Thresholds that refuse at most a share of this sample's live captures, for which no attack is
    needed, with the share that they do refuse and what passes there; none where scores are equal,
    so that it cannot be told apart."""
    live = np.sort(answers.scores[answers.judged & (answers.species == LIVE)])
    rows, figures = [], []
    for share in BPCERS:
        refused = int(share * len(live) + 1e-9)
        if not refused or live[refused - 1] == live[refused]:
            continue
        threshold = float(live[refused - 1 : refused + 1].mean())
        if live[refused - 1] <= round(threshold, 3) < live[refused]:
            threshold = round(threshold, 3)
        bpcer = answers.error(LIVE, threshold)
        passed = {one: answers.error(one, threshold) for one in answers.attacks()}
        rows.append([f"{100 * share:g} %", f"{threshold:.10g}", bpcer, *passed.values()])
        plain = {one: rate.plain() for one, rate in passed.items()}
        figures.append(
            {"share": share, "threshold": threshold, "bpcer": bpcer.plain(), "apcer": plain}
        )
    if rows:
        header = ["live refused at most", "threshold", "BPCER"]
        header += [f"APCER {one}" for one in answers.attacks()]
        report.text(
            f"Of {len(live)} judged live captures; few, or few people, place a threshold roughly."
        )
        report.table(f"{name}: thresholds by the live captures of this sample", header, rows)
    return figures
