"""Errors on attacks and on live captures, after ISO/IEC 30107-3.

liveness captures/ --out report/       folders live and SPECIES, or SUBJECT_live, SUBJECT_SPECIES,
                                       or a labels.csv with path, label, subject
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.evaluation import captures, plots
from engine.evaluation.alterations import ALTERATIONS
from engine.evaluation.answers import Answers, Verdict
from engine.evaluation.antispoof import SPECIFICATION, Bench
from engine.evaluation.attacks import areas, at_the_threshold, robustness, wrong_verdicts
from engine.evaluation.captures import LIVE, Capture
from engine.evaluation.copies import tell_copies
from engine.evaluation.endpoint import Endpoint
from engine.evaluation.intervals import FEW_SAID
from engine.evaluation.provenance import provenance
from engine.evaluation.report import Report
from engine.evaluation.scores import write_scores
from engine.evaluation.systems import (
    LIBRARY,
    add_sample_arguments,
    add_system_arguments,
    endpoints,
    only_of_library,
    progress,
    uses_library,
)
from engine.evaluation.thresholds import by_attacks, by_live
from engine.evaluation.worst import sheet, worst


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("captures", type=Path, nargs="+", help="folders, or CSV with path, label")
    add_system_arguments(parser)
    add_sample_arguments(parser)
    parser.add_argument("--bpcer", type=float, help="the operating point, one of the pack's table")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="FILE:OPTIONS",
        help=f"another ONNX network on the same faces, as {SPECIFICATION}; may be repeated",
    )
    parser.add_argument(
        "--robustness", action="store_true", help=f"again with {', '.join(ALTERATIONS)}"
    )


def run(args: argparse.Namespace) -> int:
    sample = captures.read_all(args.captures)
    services = endpoints(args)
    only_of_library(args, "bpcer")
    if not args.peer:
        only_of_library(args, "robustness", "pack", "providers")
    bench = None
    if uses_library(args) or args.peer:
        bench = Bench(args.pack, args.providers, args.bpcer, args.peer, uses_library(args))

    def answers(verdicts: Mapping[str, list[Verdict | None]]) -> dict[str, Answers]:
        known = bench.thresholds if bench else {}
        return {
            name: Answers(sample, one, args.replicates, known.get(name), args.seed)
            for name, one in verdicts.items()
        }

    verdicts = bench.judge(sample) if bench else {}
    verdicts |= {service.url: _served(service, sample) for service in services}
    systems = answers(verdicts)
    report = Report(f"Liveness: {', '.join(str(source) for source in args.captures)}")
    labels = [f"{one.species}, {one.subject}".strip(", ") for one in sample]
    tell_copies(report, [one.path for one in sample], labels)
    metrics = _figures(report, sample, systems)
    if bench and args.robustness:
        altered = {name: answers(bench.judge(sample, alter)) for name, alter in ALTERATIONS.items()}
        metrics["robustness"] = robustness(report, systems, altered)
    for name, one in systems.items():
        _draw(report, name, one)
        if not args.no_thumbnails:
            _show(report, name, one, sample)
    report.write(args.out, metrics, provenance(args, bench is not None))
    write_scores(args.out / "scores.csv", sample, verdicts)
    shown = LIBRARY in systems and not args.no_thumbnails
    cases = worst(systems[LIBRARY], sample) if shown else {}
    kinds = ("live", "attacks")
    report.sheets(args.out, {f"worst_{k}": sheet(cases[k]) if k in cases else None for k in kinds})
    return 0


def _served(service: Endpoint, sample: Sequence[Capture]) -> list[Verdict | None]:
    """What a service says; that a picture is not assessable is not on its wire."""
    verdicts = [service.liveness(capture.path) for capture in progress(sample, "liveness")]
    return [None if one is None else Verdict(*one, assessable=None) for one in verdicts]


def _figures(
    report: Report, sample: Sequence[Capture], systems: Mapping[str, Answers]
) -> dict[str, Any]:
    subjects = len({capture.subject for capture in sample if capture.subject})
    report.text(
        f"{len(sample)} captures of {subjects or 'unknown'} subjects. APCER: attacks taken for "
        "live; BPCER: live captures refused for their score; both of the captures that were "
        "judged. Captures that were not: those with a score that does not count (not assessable, "
        "never taken for live), and those without a face. ACER: the mean of a species' APCER and "
        "the BPCER of its own set. AUC: over all scores, counting or not, against the live "
        f"captures of the same set. Intervals: 95 %, {_grouping(sample)}."
    )
    areas(report, systems)
    if set(systems) != {LIBRARY}:
        wrong_verdicts(report, systems)
    return {
        "captures": len(sample),
        "subjects": subjects,
        "systems": {
            name: {
                **at_the_threshold(report, name, one),
                "bpcer_at_apcer": by_attacks(report, name, one) if one.attacks() else {},
                "by_live": by_live(report, name, one),
            }
            for name, one in systems.items()
        },
    }


def _grouping(sample: Sequence[Capture]) -> str:
    """What the intervals know of captures of one person."""
    unknown = sum(not capture.subject for capture in sample)
    if unknown == len(sample):
        return "over captures, as nothing says who is on them: too narrow where several show one"
    alone = f"; {unknown} captures of nobody known count as a subject each" if unknown else ""
    return f"bootstrap over subjects, {FEW_SAID}{alone}"


def _draw(report: Report, name: str, answers: Answers) -> None:
    if not answers.answered.any():
        return
    kinds = [LIVE, *answers.attacks()]
    groups = {kind: answers.scores[answers.answered & (answers.species == kind)] for kind in kinds}
    report.figure(name, plots.histogram(name, "score", groups, answers.threshold))
    if answers.attacks():
        grid, apcer, bpcer = answers.curve()
        curves = {"worst APCER": (grid, apcer), "BPCER": (grid, bpcer)}
        report.figure("Errors by threshold", plots.lines(name, "threshold", "error", curves))


def _show(report: Report, name: str, answers: Answers, sample: Sequence[Capture]) -> None:
    headings = {"live": "lowest live captures", "attacks": "highest attacks"}
    for kind, cases in worst(answers, sample).items():
        shown = [(label, [path]) for label, path in cases]
        report.thumbnails(f"{name}: {headings[kind]}", shown)
