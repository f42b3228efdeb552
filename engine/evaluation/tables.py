"""The tables and curves of a verification report."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.evaluation import plots
from engine.evaluation.intervals import FEW_SAID
from engine.evaluation.lfw import folded_accuracy
from engine.evaluation.pairs import Pairs
from engine.evaluation.report import Report
from engine.evaluation.statistics import DECIMALS, ErrorRates, rounded_up
from engine.evaluation.systems import Scored
from engine.operating import ERRORS_NEEDED, trials_needed

FMRS = (1e-2, 1e-3, 1e-4, 1e-5)
Systems = Mapping[str, tuple[Scored, ErrorRates]]


def tabulate(report: Report, pairs: Pairs, systems: Systems) -> dict[str, Any]:
    """Adds the tables to a report; returns the figures in them."""
    people = len({pairs.photos[i].person for i in {*pairs.a.tolist(), *pairs.b.tolist()}})
    genuine = int(pairs.same.sum())
    report.text(
        f"{len(pairs.photos)} photos of {people} people; {genuine:,} genuine and "
        f"{len(pairs) - genuine:,} impostor pairs. Intervals: 95 %, bootstrap over people, "
        f"{FEW_SAID}. Pairs with a photo in which no face was found are counted below and are in "
        "no rate."
    )
    rows = []
    metrics: dict[str, Any] = {
        "people": people,
        "pairs": {"genuine": genuine, "impostor": len(pairs) - genuine},
        "systems": {},
    }
    for name, (one, rates) in systems.items():
        fmr, fnmr = rates.fmr(one.threshold), rates.fnmr(one.threshold)
        unscored = np.isnan(one.scores)
        unusable = int(unscored.sum())
        eer = rates.equal_error_rate() if fmr.trials and fnmr.trials else math.nan
        shown = "" if math.isnan(eer) else f"{100 * eer:.2f} %"
        accuracy = _accuracy(pairs, one)
        row = [name, f"{one.threshold:.3f}", fmr, fnmr, shown, len(one.failed), unusable]
        folded = [f"{100 * accuracy[0]:.2f} ± {100 * accuracy[1]:.2f} %"] if accuracy else []
        rows.append([*row, *folded])
        metrics["systems"][name] = {
            "threshold": one.threshold,
            "fmr": fmr.plain(),
            "fnmr": fnmr.plain(),
            "eer": None if math.isnan(eer) else eer,
            "failure_to_enrol": {
                "photos": [str(p) for p in one.failed],
                "pairs": unusable,
                "genuine_pairs": int((unscored & pairs.same).sum()),
            },
            "folded_accuracy": accuracy
            and dict(zip(("value", "standard_error"), accuracy, strict=True)),
        }
    header = ["system", "threshold", "FMR", "FNMR", "EER"]
    header += ["photos without face, or refused", "pairs with them"]
    folds = [] if pairs.fold is None else ["accuracy ± standard error, by fold"]
    report.table("At the threshold", [*header, *folds], rows)
    for name, (one, rates) in systems.items():
        figures = metrics["systems"][name]
        if len(rates.impostor) and len(rates.genuine):
            figures["fnmr_at_fmr"] = _fnmr_at_fmr(report, name, rates)
        figures["cohorts"] = _cohorts(report, pairs, one, rates)
    return metrics


def _accuracy(pairs: Pairs, one: Scored) -> tuple[float, float] | None:
    if pairs.fold is None:
        return None
    parts = [pairs.same[pairs.fold == number] for number in range(int(pairs.fold.max()) + 1)]
    if len(parts) < 2 or not all(part.any() and not part.all() for part in parts):
        return None  # of a few pairs drawn from the folds
    return folded_accuracy(one.scores, pairs.same, pairs.fold)


def _fnmr_at_fmr(report: Report, name: str, rates: ErrorRates) -> list[dict[str, Any]]:
    rows, figures = [], []
    for fmr in FMRS:
        if not rates.supports(fmr):
            rows.append([f"{fmr:g}", "", f"takes {trials_needed(fmr):,} impostor pairs"])
            continue
        rate, threshold = rates.fnmr_at(fmr), rounded_up(rates.threshold_at(fmr))
        rows.append([f"{fmr:g}", f"{threshold:.{DECIMALS}f}", str(rate)])
        figures.append({"fmr": fmr, "threshold": threshold, "fnmr": rate.plain()})
    heading = f"{name}: FNMR where this sample's FMR is"
    report.table(heading, ["FMR", "threshold", "FNMR"], rows)
    return figures


def _cohorts(report: Report, pairs: Pairs, one: Scored, whole: ErrorRates) -> dict[str, Any]:
    rows, figures = [], {}
    for name, inside in pairs.cohorts.items():
        if not inside.any():
            continue
        rates = whole.of(pairs.take(inside), one.scores[inside])
        fmr, fnmr = rates.fmr(one.threshold), rates.fnmr(one.threshold)
        own = rounded_up(rates.threshold_at(1e-3)) if rates.supports(1e-3) else None
        shown = f"{own:.{DECIMALS}f}" if own is not None else f"takes {trials_needed(1e-3):,} pairs"
        rows.append([name, rates.people, f"{fmr.trials:,}", fmr, shown, f"{fnmr.trials:,}", fnmr])
        figures[name] = {
            "people": rates.people,
            "fmr": fmr.plain(),
            "fnmr": fnmr.plain(),
            "threshold_at_fmr_1e-3": own,
        }
    if rows:
        header = ["cohort", "people", "impostor pairs", "FMR", "threshold for FMR 1e-3"]
        heading = f"{one.name}: pairs inside a cohort, at the threshold"
        report.table(heading, [*header, "genuine pairs", "FNMR"], rows)
    return figures


def draw(report: Report, systems: Systems) -> None:
    """Adds the curves, of systems with pairs enough for one."""
    curves = {
        name: (rates, one.threshold)
        for name, (one, rates) in systems.items()
        if min(len(rates.genuine), len(rates.impostor)) >= ERRORS_NEEDED
    }
    if curves:
        report.figure("Detection error trade-off", plots.det(curves))
        report.figure("Receiver operating characteristic", plots.roc(curves))
