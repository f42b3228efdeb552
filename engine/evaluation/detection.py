"""Boxes and landmarks against ground truth: precision, recall by face size, landmark error.

detection truth.xml --out report/      dlib's XML; also WIDER FACE's .txt, or a .csv with
                                       file, x, y, width, height
"""

import argparse
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from engine import Engine, ImageError
from engine.evaluation import plots, truth
from engine.evaluation.endpoint import Endpoint
from engine.evaluation.intervals import wilson
from engine.evaluation.matching import OVERLAP, Found, Judged, average_precision, judge
from engine.evaluation.photos import SampleError
from engine.evaluation.provenance import provenance
from engine.evaluation.report import Report
from engine.evaluation.systems import (
    LIBRARY,
    add_system_arguments,
    endpoints,
    only_of_library,
    uses_library,
)
from engine.evaluation.truth import TruePicture
from shim.contract import MAX_FACES

SIZES = (0, 20, 40, 80, 160, 10**9)
"""Limits of the groups by size: the longer side of the true box, in pixels."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("truth", type=Path, nargs="+", help="ground truth: .xml, .txt or .csv")
    parser.add_argument("--images", type=Path, help="folder that the paths in it start from")
    add_system_arguments(parser)


def run(args: argparse.Namespace) -> int:
    only_of_library(args, "pack", "providers")
    pictures = [picture for path in args.truth for picture in truth.read(path, args.images)]
    services = endpoints(args)
    seen: set[Path] = set()
    for path in (picture.path for picture in pictures):
        if not path.is_file():
            raise SampleError(f"there is no file {path}: --images names where paths begin")
        if path.resolve() in seen:
            raise SampleError(f"{path} is listed twice: each picture counts once")
        seen.add(path.resolve())
    # A service returns the largest MAX_FACES at most, so beside one the others may not have more.
    most = MAX_FACES if services else 1000
    judged: dict[str, Judged] = {}
    if uses_library(args):
        with Engine(args.pack, args.providers) as engine:
            judged[LIBRARY] = judge(pictures, partial(_with_library, engine, most))
    for service in services:
        judged[service.url] = judge(pictures, partial(_with_service, service))
    report = Report(f"Detection: {', '.join(str(path) for path in args.truth)}")
    if services:
        report.text(
            f"The {MAX_FACES} largest faces of a picture at most, as services return. These give "
            "no scores, so they have neither AP nor a curve."
        )
    metrics = _figures(report, pictures, judged)
    report.write(args.out, {"systems": metrics}, provenance(args, uses_library(args)))
    return 0


def _with_library(engine: Engine, most: int, path: Path) -> list[Found] | None:
    try:
        faces = engine.detect(path, max_faces=most)
    except ImageError:
        return None
    return [Found(face.box, face.score, face.landmarks) for face in faces]


def _with_service(service: Endpoint, path: Path) -> list[Found] | None:
    boxes = service.detect(path)
    if boxes is None:
        return None
    return [Found(box) for box in sorted(boxes, key=lambda box: -box[2] * box[3])[:MAX_FACES]]


def _figures(
    report: Report, pictures: Sequence[TruePicture], judged: dict[str, Judged]
) -> dict[str, Any]:
    report.text(
        f"{len(pictures)} pictures with {len(next(iter(judged.values())).found)} faces; a face is "
        f"found when the boxes' intersection over union is at least {OVERLAP}. Intervals: 95 %, "
        "Wilson."
    )
    rows: list[list[object]] = []
    curves: dict[str, tuple[plots.Floats, plots.Floats]] = {}
    metrics: dict[str, dict[str, Any]] = {}
    for name, one in judged.items():
        precision = None
        if name == LIBRARY:  # a service gives no scores to rank by
            precision, recall, height = average_precision(one)
            curves[name] = recall, height
        right = sum(hit[1] for hit in one.hits)
        overall, exact = wilson(right, len(one.found)), wilson(right, len(one.hits))
        error = float(np.mean(one.errors)) if one.errors else None
        metrics[name] = {
            "average_precision": precision,
            "recall": overall.plain(),
            "precision": exact.plain(),
            "false_alarms": len(one.hits) - right,
            "landmark_error": error,
            "landmark_faces": len(one.errors),
            "pictures_refused": one.unread,
        }
        shown = "" if error is None else f"{100 * error:.1f} % of the eyes' distance"
        shown += f", {len(one.errors)} faces" * bool(one.errors)
        area = "none" if precision is None else f"{precision:.3f}"
        row = [name, area, overall, exact, len(one.hits) - right, shown]
        rows.append([*row, one.unread])
    header = ["system", "AP", "recall", "precision", "false alarms", "mean landmark error"]
    report.table("All faces", [*header, "pictures refused"], rows)
    for name, one in judged.items():
        metrics[name]["recall_by_size"] = _by_size(report, name, one)
    if curves:
        title = "Precision and recall"
        report.figure(title, plots.lines(title, "recall", "precision", curves))
    return metrics


def _by_size(report: Report, name: str, one: Judged) -> dict[str, Any]:
    sizes, found = np.array(one.sizes), np.array(one.found, bool)
    rows, figures = [], {}
    for low, high in pairwise(SIZES):
        inside = (sizes >= low) & (sizes < high)
        if inside.any():
            rate = wilson(int(found[inside].sum()), int(inside.sum()))
            label = f"{low}–{high}" if high < SIZES[-1] else f"{low} and more"
            rows.append([label, rate.trials, rate])
            figures[label] = rate.plain()
    report.table(f"{name}: recall by face size", ["pixels", "faces", "recall"], rows)
    return figures
