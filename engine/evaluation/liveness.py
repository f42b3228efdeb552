"""Errors on attacks and on live captures, after ISO/IEC 30107-3.

liveness captures/ --out report/       folders live and SPECIES, or SUBJECT_live, SUBJECT_SPECIES,
                                       or a labels.csv with path, label, subject
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import Engine, FaceNotFound, ImageError
from engine.evaluation import captures, plots
from engine.evaluation.captures import LIVE, Capture
from engine.evaluation.report import Report
from engine.evaluation.statistics import Rate, wilson
from engine.evaluation.systems import (
    LIBRARY,
    add_system_arguments,
    endpoints,
    progress,
    providers,
    uses_library,
)

APCERS = (0.01, 0.05, 0.1)
Floats = NDArray[np.float64]
Judge = Callable[[Path], tuple[float, bool] | None]


class Answers:
    """A system's scores and verdicts over captures; NaN where it gave none (non-response).

    Rates are over the captures that were answered (ISO/IEC 30107-3, 13.2); their 95 % intervals
    come from a bootstrap over subjects, or are Wilson's where subjects are not known.
    """

    def __init__(self, sample: Sequence[Capture], judge: Judge, replicates: int) -> None:
        answers = [judge(capture.path) for capture in progress(sample, "liveness")]
        self.scores = np.array([np.nan if a is None else a[0] for a in answers])
        self.alive = np.array([a is not None and a[1] for a in answers], bool)
        self.answered = ~np.isnan(self.scores)
        self.species = np.array([capture.species for capture in sample])
        self._subject = np.array([capture.subject for capture in sample])
        self._replicates = replicates
        self.threshold = self._boundary()

    def _boundary(self) -> float:
        """Between the lowest score called live and the highest that is not."""
        called = self.scores[self.answered & self.alive]
        refused = self.scores[self.answered & ~self.alive]
        edges = [*np.sort(called)[:1], *np.sort(refused)[-1:]]
        return float(np.mean(edges)) if edges else 0.0

    def error(self, species: str, threshold: float | None = None) -> Rate:
        """APCER of an attack species, or BPCER of LIVE; None is the system's own verdict."""
        chosen = self.answered & (self.species == species)
        called = self.alive if threshold is None else self.scores > threshold
        wrong = called[chosen] == (species != LIVE)
        rate = wilson(int(wrong.sum()), len(wrong))
        subjects = self._subject[chosen]
        if len(set(subjects)) < 2 or not wrong.any():
            return rate
        _, code = np.unique(subjects, return_inverse=True)
        total, errors = np.bincount(code), np.bincount(code, wrong)
        drawn = np.random.default_rng(0).integers(0, len(total), (self._replicates, len(total)))
        shares = errors[drawn].sum(1) / total[drawn].sum(1)
        low, high = np.percentile(shares, [2.5, 97.5])
        return Rate(rate.value, float(low), float(high), rate.trials)

    def non_response(self, species: str) -> Rate:
        """APNRR of an attack species, or BPNRR of LIVE."""
        chosen = self.species == species
        return wilson(int((~self.answered[chosen]).sum()), int(chosen.sum()))

    def attacks(self) -> list[str]:
        return sorted(set(self.species.tolist()) - {LIVE})

    def curve(self) -> tuple[Floats, Floats, Floats]:
        """Thresholds, the worst species' APCER and BPCER."""
        grid = np.unique(self.scores[self.answered])
        live = np.sort(self.scores[self.answered & (self.species == LIVE)])
        bpcer = np.searchsorted(live, grid, "right") / max(len(live), 1)
        apcer = np.zeros(len(grid))
        for species in self.attacks():
            attack = np.sort(self.scores[self.answered & (self.species == species)])
            passed = 1 - np.searchsorted(attack, grid, "right") / max(len(attack), 1)
            apcer = np.maximum(apcer, passed)
        return grid, apcer, bpcer


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
