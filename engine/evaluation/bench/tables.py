"""The figures as tables for a reader and as plain values for the JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine.evaluation.bench.calls import LIMIT
from engine.evaluation.bench.service import MOST, Load
from engine.evaluation.bench.targets import targets as aimed_at
from engine.evaluation.bench.timing import Spread, Times, milliseconds, ratio, spread
from engine.evaluation.report import Report


def about(report: Report, metrics: Mapping[str, Any]) -> None:
    machine, engine = metrics["machine"], metrics["engine"]
    report.text(
        f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, load "
        f"{machine['load']:.1f} at the start; {', '.join(engine['providers'])}, "
        f"{engine['threads']} threads, onnxruntime {engine['versions']['onnxruntime']}. "
        f"Made by: {machine['command']}"
    )
    for name, reason in metrics["skipped"].items():
        report.text(f"{name} is left out: {reason}")


def calls(report: Report, timed: Mapping[str, Times]) -> dict[str, Any]:
    """Every call in every form: milliseconds, and the ratio to the limit."""
    rows, figures = [], {}
    for call, times in timed.items():
        figures[call] = {
            name: {"ms": milliseconds(seconds), "to_limit": asdict(ratio(times, name, LIMIT))}
            for name, seconds in times.items()
        }
        for name, seconds in times.items():
            to_limit = "" if name == LIMIT else ratio(times, name, LIMIT)
            rows.append([call, name, f"{milliseconds(seconds):.2f}", to_limit])
            call = ""
    header = ["call", "how", "median ms", "to the limit [quartiles]"]
    report.table("Calls, one at a time", header, rows)
    return figures


def http(
    report: Report,
    load: Mapping[str, Load],
    beyond: Spread,
    seconds: list[float],
    idle: list[float],
    memory: Mapping[str, float],
) -> dict[str, Any]:
    limits = {name: one for name, one in load.items() if name.startswith(LIMIT)}
    # The better of the two ways to run nothing but the networks, in every round.
    best = Load(
        [max(rates) for rates in zip(*(one.rates for one in limits.values()), strict=True)], []
    )
    rows, figures = [], {}
    for name, one in load.items():
        share = one.against(best)
        figures[name] = {**one.figures(), "to_limit": asdict(share)}
        values = [f"{value:.1f}" for value in one.figures().values()]
        rows.append([name, *values, share])
    header = ["compare", "per second", "p50 ms", "p95 ms", "p99 ms", "to the limit"]
    report.table("Under load, over HTTP", header, rows)
    start = spread(seconds)
    growth = memory["late_mb"] / memory["early_mb"] - 1
    report.table(
        "Start, memory, HTTP",
        ["what", "value"],
        [
            ["cold start to ready, s", start],
            ["resident when ready, MB", f"{spread(idle).median:.0f}"],
            [f"most resident, {MOST} clients, MB", f"{memory['peak_mb']:.0f}"],
            [
                f"growth from the third to the ninth tenth of {memory['requests']} requests",
                f"{100 * growth:.1f} %",
            ],
            ["HTTP beyond the engine's call, 2 MiB body, ms", beyond],
        ],
    )
    return {
        "load": figures,
        "overhead_ms": asdict(beyond),
        "start_s": asdict(start),
        "idle_mb": spread(idle).median,
        "memory": {**memory, "growth": growth},
    }


def stages(report: Report, timed: Mapping[str, Times]) -> dict[str, Any]:
    figures = {
        picture: {stage: milliseconds(seconds) for stage, seconds in times.items()}
        for picture, times in timed.items()
    }
    names = dict.fromkeys(stage for times in timed.values() for stage in times)
    rows = [
        [name, *(f"{one[name]:.3f}" if name in one else "" for one in figures.values())]
        for name in names
    ]
    report.table("Stages, median milliseconds", ["stage", *timed], rows)
    return figures


def targets(report: Report, metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows, figures = [], []
    verdicts = {True: "met", False: "missed", None: "not measured"}
    for target in aimed_at(metrics):
        sign = "≤" if target.at_most else "≥"
        value = "" if target.measured is None else f"{target.measured:.2f}"
        rows.append([target.what, f"{sign} {target.limit:g}", value, verdicts[target.met]])
        figures.append({**asdict(target), "met": target.met})
    report.table("Targets", ["what", "target", "measured", ""], rows)
    return figures
