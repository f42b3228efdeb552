"""What liveness refuses to judge of good upright photos, and whether it rights turned ones.

gate photos/ --out report/             photos of live people, upright, in any folders below
"""

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import ImageError
from engine.evaluation.arguments import at_least
from engine.evaluation.copies import tell_copies
from engine.evaluation.intervals import wilson
from engine.evaluation.listing import pictures
from engine.evaluation.provenance import provenance
from engine.evaluation.report import Report
from engine.evaluation.systems import progress
from engine.images import Pixels, load
from engine.networks import Networks
from engine.orientation import upright
from engine.packs import read_pack
from engine.runtime import Runtime

FINE, SIDEWAYS = "judged", "wrongly turned"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", type=Path, help="folder or CSV of upright photos of live people")
    parser.add_argument("--turned", type=at_least(0), default=300, help="how many to turn, at most")
    parser.add_argument("--threads", type=int, help="CPU threads that one call may keep busy")


def run(args: argparse.Namespace) -> int:
    networks = Networks(read_pack(args.pack), Runtime(args.providers, args.threads))
    paths = pictures(args.photos)
    chosen = np.random.default_rng(0).permutation(len(paths))[: args.turned]
    outcomes: Counter[str] = Counter()
    righted: Counter[int] = Counter()
    seconds: list[tuple[float, float]] = []
    turned = 0
    for index, path in enumerate(progress(paths, "gate")):
        try:
            image = load(path)
        except ImageError:
            outcomes["not readable"] += 1
            continue
        outcomes[_outcome(networks, image, seconds)] += 1
        if index in chosen:
            turned += 1
            righted += Counter(q for q in (1, 2, 3) if _is_righted(networks, image, q))
    report = Report(f"The gate of liveness: {args.photos}")
    report.text(
        f"{len(paths)} photos, as they are, and {turned} of them turned. Intervals: 95 %, over "
        "photos, so too narrow where several show one person."
    )
    tell_copies(report, paths)
    rates = {name: wilson(count, len(paths)) for name, count in outcomes.most_common()}
    report.table("As they are", ["", "share"], [[name, rate] for name, rate in rates.items()])
    by_angle = {f"{90 * q}": wilson(righted[q], turned) for q in (1, 2, 3)}
    header = ["turned by, degrees", "righted"]
    report.table("Turned", header, [[name, rate] for name, rate in by_angle.items()])
    plainly, with_orientation = 1000 * np.array(seconds or [(0, 0)]).mean(axis=0)
    report.text(
        f"Finding the face takes {plainly:.2f} ms, and with its orientation "
        f"{with_orientation:.2f} ms (means)."
    )
    metrics: dict[str, Any] = {
        "photos": len(paths),
        "as_they_are": {name: rate.plain() for name, rate in rates.items()},
        "righted": {name: rate.plain() for name, rate in by_angle.items()},
        "mean_ms": {"face": float(plainly), "face and orientation": float(with_orientation)},
    }
    report.write(args.out, metrics, provenance(args))
    return 0


def _outcome(networks: Networks, image: Pixels, seconds: list[tuple[float, float]]) -> str:
    start = time.perf_counter()
    networks.detection.largest(image)
    between = time.perf_counter()
    view = upright(networks.detection, image)
    seconds.append((between - start, time.perf_counter() - between))
    if view is None:
        return "no face"
    if view.quarters:
        return SIDEWAYS
    return networks.liveness.judge(view.image, view.face, view.tilted).reason or FINE


def _is_righted(networks: Networks, image: Pixels, quarters: int) -> bool:
    view = upright(networks.detection, np.ascontiguousarray(np.rot90(image, quarters)))
    return view is not None and (view.quarters + quarters) % 4 == 0
