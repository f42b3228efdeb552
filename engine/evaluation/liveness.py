"""Errors on attacks and on live captures, after ISO/IEC 30107-3.

liveness captures/ --out report/       folders live and SPECIES, or SUBJECT_live, SUBJECT_SPECIES,
                                       or a labels.csv with path, label, subject
"""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from engine import Engine, FaceNotFound, ImageError
from engine.evaluation import captures, plots
from engine.evaluation.answers import Answers
from engine.evaluation.captures import LIVE, Capture
from engine.evaluation.report import Report
from engine.evaluation.systems import (
    LIBRARY,
    add_system_arguments,
    endpoints,
    providers,
    uses_library,
)

APCERS = (0.01, 0.05, 0.1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("captures", type=Path, nargs="+", help="folders, or CSV with path, label")
    add_system_arguments(parser)


def run(args: argparse.Namespace) -> int:
    sample = [capture for source in args.captures for capture in captures.read(source)]
    systems: dict[str, Answers] = {}
    if uses_library(args):
        with Engine(args.pack, providers(args)) as engine:
            judge = partial(_with_library, engine)
            systems[LIBRARY] = Answers(sample, judge, args.replicates)
    for service in endpoints(args):
        systems[service.url] = Answers(sample, service.liveness, args.replicates)
    report = Report(f"Liveness: {', '.join(str(source) for source in args.captures)}")
    metrics = _figures(report, sample, systems)
    for name, answers in systems.items():
        _show(report, name, answers, sample if not args.no_thumbnails else [])
    report.write(args.out, metrics)
    return 0


def _with_library(engine: Engine, path: Path) -> tuple[float, bool] | None:
    try:
        result = engine.liveness(path)
    except (FaceNotFound, ImageError):
        return None
    return result.score, result.is_alive


def _figures(
    report: Report, sample: Sequence[Capture], systems: Mapping[str, Answers]
) -> dict[str, Any]:
    subjects = len({capture.subject for capture in sample if capture.subject})
    report.text(
        f"{len(sample)} captures of {subjects or 'unknown'} subjects. APCER: attacks taken for "
        "live; BPCER: live captures refused; both of the captures that were answered. "
        "Intervals: 95 %, bootstrap over subjects where they are known, otherwise Wilson."
    )
    metrics: dict[str, Any] = {"captures": len(sample), "subjects": subjects, "systems": {}}
    for name, answers in systems.items():
        kinds = [*answers.attacks(), LIVE]
        rates = {kind: answers.error(kind) for kind in kinds}
        silent = {kind: answers.non_response(kind) for kind in kinds}
        label = {kind: f"APCER {kind}" if kind != LIVE else "BPCER" for kind in kinds}
        rows = [[label[kind], rates[kind].trials, rates[kind], silent[kind]] for kind in kinds]
        header = ["", "answered", "error", "non-response"]
        report.table(f"{name}: at the threshold", header, rows)
        worst = max(answers.attacks(), key=lambda kind: rates[kind].value, default=None)
        if worst is not None:
            report.text(f"Worst APCER: {rates[worst]} ({worst}).")
        metrics["systems"][name] = {
            "threshold": answers.threshold,
            "worst_apcer": None if worst is None else rates[worst].value,
            "errors": {k: [r.value, r.low, r.high, r.trials] for k, r in rates.items()},
            "non_response": {k: [r.value, r.low, r.high, r.trials] for k, r in silent.items()},
            "bpcer_at_apcer": _operating_points(report, name, answers) if worst else {},
        }
    return metrics


def _operating_points(report: Report, name: str, answers: Answers) -> dict[str, float]:
    """BPCER where the worst APCER is at most a given one (BPCER10, BPCER20, BPCER100)."""
    grid, apcer, _ = answers.curve()
    rows, figures = [], {}
    for limit in APCERS:
        threshold = float(grid[np.argmax(apcer <= limit)])
        rate = answers.error(LIVE, threshold)
        rows.append([f"{100 * limit:g} %", f"{threshold:.3f}", rate])
        figures[f"{limit:g}"] = rate.value
    header = ["worst APCER at most", "threshold", "BPCER"]
    report.table(f"{name}: other thresholds, found on this sample", header, rows)
    return figures


def _show(report: Report, name: str, answers: Answers, sample: Sequence[Capture]) -> None:
    kinds = [LIVE, *answers.attacks()]
    groups = {kind: answers.scores[answers.answered & (answers.species == kind)] for kind in kinds}
    report.figure(name, plots.histogram(name, "score", groups, answers.threshold))
    if answers.attacks():
        grid, apcer, bpcer = answers.curve()
        curves = {"worst APCER": (grid, apcer), "BPCER": (grid, bpcer)}
        report.figure("Errors by threshold", plots.lines(name, "threshold", "error", curves))
    if not sample:
        return
    order = np.argsort(np.nan_to_num(answers.scores, nan=0))
    live = [i for i in order if answers.answered[i] and answers.species[i] == LIVE]
    attack = [i for i in order[::-1] if answers.answered[i] and answers.species[i] != LIVE]
    for heading, chosen in (("lowest live captures", live), ("highest attacks", attack)):
        cases = [(f"{answers.scores[i]:.2f}", [sample[i].path]) for i in chosen[:10]]
        report.thumbnails(f"{name}: {heading}", cases)
