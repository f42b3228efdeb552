"""Boxes and landmarks against ground truth: precision, recall by face size, landmark error.

detection truth.xml --out report/      dlib's XML; also WIDER FACE's .txt, or a .csv with
                                       file, x, y, width, height
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import Engine
from engine.evaluation import plots, truth
from engine.evaluation.endpoint import Endpoint
from engine.evaluation.report import Report
from engine.evaluation.statistics import wilson
from engine.evaluation.systems import (
    LIBRARY,
    add_system_arguments,
    endpoints,
    progress,
    providers,
    uses_library,
)
from engine.evaluation.truth import Box, TruePicture

OVERLAP = 0.5
SIZES = (0, 20, 40, 80, 160, 10**9)
"""Limits of the groups by size: the longer side of the true box, in pixels."""


@dataclass(frozen=True, slots=True)
class Found:
    """A detection. score: for ranking; a service gives none, and then all are equal."""

    box: Box
    score: float = 1.0
    landmarks: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a system's detections are worth.

    hits: (score, right or false) of every detection that counts. sizes, found: of every true face.
    errors: mean distance of the five landmarks over the distance between the true eyes, per hit.
    """

    hits: list[tuple[float, bool]]
    sizes: list[float]
    found: list[bool]
    errors: list[float]
    unread: int


Detect = Callable[[Path], list[Found] | None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("truth", type=Path, nargs="+", help="ground truth: .xml, .txt or .csv")
    parser.add_argument("--images", type=Path, help="folder that the paths in it start from")
    add_system_arguments(parser)


def run(args: argparse.Namespace) -> int:
    pictures = [picture for path in args.truth for picture in truth.read(path, args.images)]
    judged: dict[str, Judged] = {}
    if uses_library(args):
        with Engine(args.pack, providers(args)) as engine:
            judged[LIBRARY] = judge(pictures, partial(_with_library, engine))
    for service in endpoints(args):
        judged[service.url] = judge(pictures, partial(_with_service, service))
    report = Report(f"Detection: {', '.join(str(path) for path in args.truth)}")
    metrics = _figures(report, pictures, judged)
    report.write(args.out, metrics)
    return 0


def _with_library(engine: Engine, path: Path) -> list[Found]:
    faces = engine.detect(path, max_faces=1000)
    return [Found(face.box, face.score, face.landmarks) for face in faces]


def _with_service(service: Endpoint, path: Path) -> list[Found] | None:
    boxes = service.detect(path)
    return None if boxes is None else [Found(box) for box in boxes]


def judge(pictures: Sequence[TruePicture], detect: Detect) -> Judged:
    """Each true face takes the detection that overlaps it most, best scored detections first."""
    result = Judged([], [], [], [], 0)
    unread = 0
    for picture in progress(pictures, "detect"):
        found = detect(picture.path)
        unread += found is None
        taken: set[int] = set()
        for one in sorted(found or [], key=lambda one: -one.score):
            shares = [_overlap(one.box, face.box) for face in picture.faces]
            best = int(np.argmax(shares)) if shares else -1
            if best >= 0 and shares[best] >= OVERLAP and picture.faces[best].ignored:
                continue
            right = best >= 0 and shares[best] >= OVERLAP and best not in taken
            result.hits.append((one.score, right))
            if right:
                taken.add(best)
                expected = picture.faces[best].landmarks
                if expected is not None and one.landmarks is not None:
                    eyes = np.linalg.norm(expected[0] - expected[1])
                    away = np.linalg.norm(one.landmarks - expected, axis=1).mean()
                    result.errors.append(float(away / eyes))
        for index, face in enumerate(picture.faces):
            if not face.ignored:
                result.sizes.append(max(face.box[2:]))
                result.found.append(index in taken)
    return Judged(result.hits, result.sizes, result.found, result.errors, unread)


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def average_precision(judged: Judged) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """The area below the precision-recall curve, and the curve: recall, precision.

    Precision is made to fall with recall and summed over every step, as PASCAL VOC does since 2010
    (Everingham et al., IJCV 2015). Detections below the detector's own threshold are not in it.
    """
    ranked = sorted(judged.hits, key=lambda hit: -hit[0])
    right = np.cumsum([hit[1] for hit in ranked])
    recall = np.append(0, right / max(len(judged.found), 1))
    precision = np.append(1, right / np.arange(1, len(ranked) + 1))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * precision[1:])), recall, precision


def _figures(
    report: Report, pictures: Sequence[TruePicture], judged: dict[str, Judged]
) -> dict[str, Any]:
    report.text(
        f"{len(pictures)} pictures with {len(next(iter(judged.values())).found)} faces; a face is "
        f"found when the boxes' intersection over union is at least {OVERLAP}. Intervals: 95 %, "
        "Wilson."
    )
    rows, curves = [], {}
    metrics: dict[str, dict[str, Any]] = {}
    for name, one in judged.items():
        precision, recall, height = average_precision(one)
        curves[name] = (recall, height)
        right = sum(hit[1] for hit in one.hits)
        overall, exact = wilson(right, len(one.found)), wilson(right, len(one.hits))
        error = float(np.mean(one.errors)) if one.errors else None
        metrics[name] = {
            "average_precision": precision,
            "recall": overall.value,
            "precision": exact.value,
            "false_alarms": len(one.hits) - right,
            "landmark_error": error,
            "landmark_faces": len(one.errors),
            "pictures_refused": one.unread,
        }
        shown = "" if error is None else f"{100 * error:.1f} % of the eyes' distance"
        row = [name, f"{precision:.3f}", overall, exact, len(one.hits) - right, shown]
        rows.append([*row, one.unread])
    header = ["system", "AP", "recall", "precision", "false alarms", "mean landmark error"]
    report.table("All faces", [*header, "pictures refused"], rows)
    for name, one in judged.items():
        metrics[name]["recall_by_size"] = _by_size(report, name, one)
    report.figure(
        "Precision and recall", plots.lines("Precision and recall", "recall", "precision", curves)
    )
    return metrics


def _by_size(report: Report, name: str, one: Judged) -> dict[str, dict[str, float | int]]:
    sizes, found = np.array(one.sizes), np.array(one.found, bool)
    rows, figures = [], {}
    for low, high in pairwise(SIZES):
        inside = (sizes >= low) & (sizes < high)
        if inside.any():
            rate = wilson(int(found[inside].sum()), int(inside.sum()))
            label = f"{low}–{high}" if high < SIZES[-1] else f"{low} and more"
            rows.append([label, rate.trials, rate])
            figures[label] = {"faces": rate.trials, "recall": rate.value}
    report.table(f"{name}: recall by face size", ["pixels", "faces", "recall"], rows)
    return figures
