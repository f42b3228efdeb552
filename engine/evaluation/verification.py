"""False match and false non-match rates over pairs of photos.

verification photos/ --out report/                   person/photo, all pairs
verification photos/ --folds --out report/           the same in ten folds, as LFW's protocol
verification lfw/ --pairs pairs.txt --out report/    LFW's own protocol
verification . --pairs pairs.csv --out report/       columns a, b, same, perhaps cohort
"""

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.evaluation import plots
from engine.evaluation.pairs import Pairs, all_pairs, folded_pairs, read_lfw, read_table
from engine.evaluation.photos import SampleError, leave_out, read_folder
from engine.evaluation.report import Report
from engine.evaluation.statistics import ErrorRates, Rate, folded_accuracy
from engine.evaluation.systems import (
    Scored,
    add_system_arguments,
    endpoints,
    sample_pairs,
    score_with_endpoint,
    score_with_library,
    uses_library,
)
from engine.similarity import pairs_needed

FMRS = (1e-2, 1e-3, 1e-4, 1e-5)
WORST = 10
Systems = Mapping[str, tuple[Scored, ErrorRates]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", type=Path, help="folder of photos")
    parser.add_argument("--pairs", type=Path, help="LFW's pairs.txt, or a CSV with a, b, same")
    parser.add_argument("--folds", action="store_true", help="draw ten folds of 600 pairs")
    parser.add_argument("--cohort", help="regular expression: the cohort in a person's name")
    parser.add_argument("--leave-out", type=Path, help="file of photo names to ignore")
    parser.add_argument("--impostors", type=int, default=3_000_000, help="impostor pairs at most")
    parser.add_argument("--calls", type=int, default=2000, help="pairs at most, with --endpoint")
    parser.add_argument("--fmr", type=float, help="another threshold of the pack's table")
    parser.add_argument("--cache", type=Path, help="file of embeddings; by default inside --out")
    parser.add_argument("--ray", metavar="ADDRESS", help="embed on a Ray cluster; local starts one")
    add_system_arguments(parser)


def run(args: argparse.Namespace) -> int:
    pairs = read_pairs(args)
    services = endpoints(args)
    if services:
        pairs = sample_pairs(pairs, args.calls, args.seed)
    scored = [score_with_library(pairs, args)] if uses_library(args) else []
    scored += [score_with_endpoint(pairs, service) for service in services]
    systems = {one.name: (one, ErrorRates(pairs, one.scores, args.replicates)) for one in scored}
    report = Report(f"Verification: {args.photos}")
    metrics = _figures(report, pairs, systems)
    for name, (one, rates) in systems.items():
        groups = {"same person": rates.genuine, "different people": rates.impostor}
        caption = f"{name}: similarity"
        report.figure(caption, plots.histogram(caption, "similarity", groups, one.threshold))
        if not args.no_thumbnails:
            _worst(report, pairs, one)
    report.write(args.out, metrics)
    return 0


def read_pairs(args: argparse.Namespace) -> Pairs:
    """Raises SampleError when there are no pairs to compare."""
    if args.pairs and args.pairs.suffix == ".csv":
        pairs = read_table(args.pairs)
    elif args.pairs:
        pairs = read_lfw(args.photos, args.pairs)
    else:
        photos = read_folder(args.photos, args.cohort)
        photos = leave_out(photos, args.leave_out) if args.leave_out else photos
        pairs = folded_pairs(photos) if args.folds else all_pairs(photos, args.impostors, args.seed)
    if not len(pairs):
        raise SampleError(f"{args.photos} holds fewer than two photos: there is nothing to compare")
    return pairs


def _figures(report: Report, pairs: Pairs, systems: Systems) -> dict[str, Any]:
    people = len({pairs.photos[i].person for i in np.union1d(pairs.a, pairs.b)})
    genuine = int(pairs.same.sum())
    report.text(
        f"{len(pairs.photos)} photos of {people} people; {genuine:,} genuine and "
        f"{len(pairs) - genuine:,} impostor pairs. Intervals: 95 %, bootstrap over people. Pairs "
        "with a photo in which no face was found are counted below and are in no rate."
    )
    rows = []
    metrics: dict[str, Any] = {"people": people, "systems": {}}
    for name, (one, rates) in systems.items():
        fmr, fnmr = rates.fmr(one.threshold), rates.fnmr(one.threshold)
        unusable = int(np.isnan(one.scores).sum())
        eer = rates.equal_error_rate() if fmr.trials and fnmr.trials else math.nan
        shown = "" if math.isnan(eer) else f"{100 * eer:.2f} %"
        accuracy = _accuracy(pairs, one)
        row = [name, f"{one.threshold:.3f}", fmr, fnmr, shown, len(one.failed), unusable]
        rows.append([*row, accuracy and f"{100 * accuracy[0]:.2f} ± {100 * accuracy[1]:.2f} %"])
        metrics["systems"][name] = {
            "threshold": one.threshold,
            "fmr": _plain(fmr),
            "fnmr": _plain(fnmr),
            "eer": None if math.isnan(eer) else eer,
            "failure_to_enrol": {"photos": [str(p) for p in one.failed], "pairs": unusable},
            "folded_accuracy": accuracy,
        }
    header = ["system", "threshold", "FMR", "FNMR", "EER", "photos without face", "pairs with them"]
    report.table("At the threshold", [*header, "accuracy, ten folds"], rows)
    for name, (one, rates) in systems.items():
        figures = metrics["systems"][name]
        if len(rates.impostor) and len(rates.genuine):
            figures["fnmr_at_fmr"] = _fnmr_at_fmr(report, name, rates)
        figures["cohorts"] = _cohorts(report, pairs, one)
    curves = {n: (r, o.threshold) for n, (o, r) in systems.items() if r.genuine.size}
    if curves and all(len(rates.impostor) for rates, _ in curves.values()):
        report.figure("Detection error trade-off", plots.det(curves))
        report.figure("Receiver operating characteristic", plots.roc(curves))
    return metrics


def _accuracy(pairs: Pairs, one: Scored) -> tuple[float, float] | None:
    return None if pairs.fold is None else folded_accuracy(one.scores, pairs.same, pairs.fold)


def _fnmr_at_fmr(report: Report, name: str, rates: ErrorRates) -> list[dict[str, Any]]:
    rows, figures = [], []
    for fmr in FMRS:
        if not rates.supports(fmr):
            rows.append([f"{fmr:g}", "", f"takes {pairs_needed(fmr):,} impostor pairs"])
            continue
        rate, threshold = rates.fnmr_at(fmr), rates.threshold_at(fmr)
        rows.append([f"{fmr:g}", f"{threshold:.4f}", str(rate)])
        figures.append({"fmr": fmr, "threshold": threshold, "fnmr": _plain(rate)})
    heading = f"{name}: FNMR where this sample's FMR is"
    report.table(heading, ["FMR", "threshold", "FNMR"], rows)
    return figures


def _cohorts(report: Report, pairs: Pairs, one: Scored) -> dict[str, Any]:
    rows, figures = [], {}
    for name, inside in pairs.cohorts.items():
        if not inside.any():
            continue
        rates = ErrorRates(pairs.take(inside), one.scores[inside])
        fmr, fnmr = rates.fmr(one.threshold), rates.fnmr(one.threshold)
        own = rates.threshold_at(1e-3) if rates.supports(1e-3) else None
        shown = f"{own:.3f}" if own else f"takes {pairs_needed(1e-3):,} pairs"
        rows.append([name, rates.people, f"{fmr.trials:,}", fmr, shown, f"{fnmr.trials:,}", fnmr])
        figures[name] = {
            "people": rates.people,
            "fmr": _plain(fmr),
            "fnmr": _plain(fnmr),
            "threshold_at_fmr_1e-3": own,
        }
    if rows:
        header = ["cohort", "people", "impostor pairs", "FMR", "threshold for FMR 1e-3"]
        heading = f"{one.name}: pairs inside a cohort, at the threshold"
        report.table(heading, [*header, "genuine pairs", "FNMR"], rows)
    return figures


def _worst(report: Report, pairs: Pairs, one: Scored) -> None:
    order, same = np.argsort(one.scores), pairs.same
    order = order[~np.isnan(one.scores[order])]
    for title, chosen in (
        ("highest of different people", order[~same[order]][::-1][:WORST]),
        ("lowest of one person", order[same[order]][:WORST]),
    ):
        cases = [
            (f"{one.scores[i]:.3f}", [pairs.photos[pairs.a[i]].path, pairs.photos[pairs.b[i]].path])
            for i in chosen
        ]
        if cases:
            report.thumbnails(f"{one.name}: {title}", cases)


def _plain(rate: Rate) -> dict[str, float | int | None]:
    if not rate.trials:
        return {"value": None, "low": None, "high": None, "trials": 0}
    return {"value": rate.value, "low": rate.low, "high": rate.high, "trials": rate.trials}
