"""Time per stage, on your pictures and this machine, one call at a time.

speed photos/ --out report/                 or a CSV with a column path
"""

import argparse
import time
from pathlib import Path

import numpy as np

from engine import Engine
from engine.evaluation import plots
from engine.evaluation.arguments import at_least
from engine.evaluation.bench.stages import of_picture
from engine.evaluation.bench.timing import Times
from engine.evaluation.listing import pictures
from engine.evaluation.photos import read_photo
from engine.evaluation.provenance import provenance
from engine.evaluation.report import Report
from engine.evaluation.systems import progress
from engine.networks import Networks
from engine.packs import read_pack
from engine.runtime import Runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", type=Path, help="folder or CSV of photos with faces")
    parser.add_argument("--count", type=at_least(1), default=100, help="pictures at most")
    parser.add_argument("--threads", type=int, help="CPU threads that one call may keep busy")


def run(args: argparse.Namespace) -> int:
    paths = pictures(args.photos)[: args.count]
    times = measure(paths, args)
    with Engine(args.pack, args.providers, args.threads) as engine:
        info = engine.info()
    report = Report(f"Speed: {len(paths)} pictures of {args.photos}")
    report.text(f"Providers: {', '.join(info['providers'])}; threads: {info['threads']}.")
    rows, metrics, shown = [], {}, {}
    for stage, seconds in times.items():
        low, middle, high = 1000 * np.percentile(seconds, [5, 50, 95])
        rows.append([stage, len(seconds), f"{middle:.2f}", f"{low:.2f}", f"{high:.2f}"])
        metrics[stage] = {"runs": len(seconds), "median_ms": middle, "p5_ms": low, "p95_ms": high}
        shown[stage] = low, middle, high
    report.table("Milliseconds", ["stage", "runs", "median", "5 %", "95 %"], rows)
    title = "Median, and 5 to 95 % of the runs"
    report.figure(title, plots.spans(title, "milliseconds", shown))
    report.write(args.out, {"stages": metrics, "engine": info}, provenance(args))
    return 0


def measure(paths: list[Path], args: argparse.Namespace) -> Times:
    """Seconds of every stage, on the pictures where it applies. Its first run is not counted."""
    pack = read_pack(args.pack)
    networks = Networks(pack, Runtime(args.providers, args.threads))
    times: Times = {}
    for path in progress(paths, "speed"):
        read_photo(path)  # says which file is no picture
        for stage, work in of_picture(networks, pack, path.read_bytes()).items():
            if stage not in times:
                work()
            started = time.perf_counter()
            work()
            times.setdefault(stage, []).append(time.perf_counter() - started)
    return times
