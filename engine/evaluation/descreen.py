"""How much of a photo comes back when its mesh is taken out.

descreen --images photos/ --out report/                  draws seeded meshes on photos without one
descreen --clean a/ --meshed b/ --out report/            pairs of files with the same name
descreen --pairs pairs.csv --out report/                 pairs of files: columns clean, meshed
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine import Engine
from engine.evaluation import plots, restoration
from engine.evaluation.arguments import at_least
from engine.evaluation.contact import contact_sheet
from engine.evaluation.listing import shuffled
from engine.evaluation.meshed import Files, Synthesised, in_folders, listed
from engine.evaluation.photos import SampleError, read_photo
from engine.evaluation.provenance import provenance
from engine.evaluation.recovery import genuine, photographed, show_recovery
from engine.evaluation.report import Report
from engine.evaluation.restoration import DESCREENED, HEADER, MESHED, METHODS, Row
from engine.evaluation.synthesis import families
from engine.evaluation.systems import progress
from engine.evaluation.untouched import show_untouched, untouched
from engine.images import Pixels

GROUPS = ("family", "size", "opacity", "compressed after")
SHEETS = ("worst", "median", "best")
SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--images", type=Path, help="folder or CSV without mesh, to draw on")
    parser.add_argument("--clean", type=Path, help="pictures without mesh, paired with --meshed")
    parser.add_argument("--meshed", type=Path, help="the same pictures with mesh, same names")
    parser.add_argument("--pairs", type=Path, help="a CSV with columns clean and meshed instead")
    parser.add_argument("--identities", type=Path, help="people to verify: folders or a CSV")
    parser.add_argument("--families", help="test, which is usual, train, all, or names with commas")
    parser.add_argument(
        "--varied",
        action="store_true",
        help="many meshes in other inks or two, dashed, coarse, narrow, wide, or on a part",
    )
    parser.add_argument("--count", type=at_least(1), help="synthesised pairs, 600 if not given")
    parser.add_argument(
        "--plain", type=at_least(0), help="pictures checked without mesh, 1000 if not given"
    )
    parser.add_argument(
        "--genuine", type=at_least(1), help="genuine pairs for verification, 1000 if not given"
    )
    parser.add_argument("--seed", type=at_least(0), default=0)
    parser.add_argument("--no-thumbnails", action="store_true", help="show no pictures")


def run(args: argparse.Namespace) -> int:
    _settle(args)
    pairs = _pairs(args)
    if args.identities:  # said now, not after all the pairs
        photographed(args.identities, args.seed)
        families(args.families)
    _read_once(args, pairs)
    with Engine(args.pack, args.providers) as engine:
        judged = [restoration.judge(engine, pairs[i]) for i in progress(range(len(pairs)), "pairs")]
        rows = [row for one in judged for row in one]
        drawn = ", varied meshes" if args.varied else ""
        report = Report(f"Descreening: {args.pairs or args.meshed or args.images}{drawn}")
        metrics = _restored(report, rows, len(set(pairs.drawn_on))) | {"varied": args.varied}
        if args.images and args.plain > 0:
            photos = untouched(engine, args.images, args.plain, args.seed)
            metrics["without_mesh"] = show_untouched(report, photos)
        if args.identities:
            compared = genuine(
                engine,
                args.identities,
                args.genuine,
                families(args.families),
                args.seed,
                args.varied,
            )
            metrics["verification"] = show_recovery(report, compared)
        sheets = {} if args.no_thumbnails else _sheets(engine, pairs, rows)
    for name, sheet in sheets.items():
        report.picture(f"{name}: clean, meshed, descreened", sheet)
    report.write(args.out, {**metrics, "rows": rows}, provenance(args))
    report.sheets(args.out, {name: sheets.get(name) for name in SHEETS})
    return 0


def _settle(args: argparse.Namespace) -> None:
    """Options that are not given get what is usual. Raises SampleError for one that would say
    nothing."""
    for name, sources, usual in (
        ("count", ("images",), 600),
        ("plain", ("images",), 1000),
        ("genuine", ("identities",), 1000),
        ("families", ("images", "identities"), "test"),
        ("varied", ("images", "identities"), False),
    ):
        given = getattr(args, name)
        if given is None or given is False:
            setattr(args, name, usual)
        elif not any(getattr(args, source) for source in sources):
            needed = " or ".join(f"--{source}" for source in sources)
            raise SampleError(f"--{name} says nothing without {needed}")


def _read_once(args: argparse.Namespace, pairs: Synthesised | Files) -> None:
    """Raises SampleError for a picture that is broken before any work is done."""
    plain = shuffled(args.images, args.seed)[: args.plain] if args.images else []
    people = photographed(args.identities, args.seed) if args.identities else []
    verified = [photo for photos in people[: args.genuine] for photo in photos]
    pairs.check()
    for path in dict.fromkeys([*plain, *verified]):
        read_photo(path)


def _pairs(args: argparse.Namespace) -> Synthesised | Files:
    given = {name for name in ("images", "clean", "meshed", "pairs") if getattr(args, name)}
    if given == {"clean", "meshed"}:
        return in_folders(args.clean, args.meshed)
    if given == {"pairs"}:
        return listed(args.pairs)
    if given != {"images"}:
        raise SampleError("give --images, --clean and --meshed, or --pairs")
    return Synthesised(args.images, args.count, families(args.families), args.seed, args.varied)


def _restored(report: Report, rows: Sequence[Row], photos: int) -> dict[str, Any]:
    found = {method: restoration.figures(restoration.of(rows, method)) for method in METHODS}
    report.text(
        f"{found[MESHED].pairs} pairs of {photos} photos. ±: 95 % of the mean, by photos. 5 %: the "
        "5th percentile. On lines: the pixels that the mesh covers. Cosine: between the embeddings "
        "of the picture and of the clean photo, where that shows a face; 0 where the picture shows "
        "none. The inpainting is told where the lines are."
    )
    report.table("All pairs", ["", *HEADER], [[m, *found[m].cells()] for m in METHODS])
    metrics: dict[str, Any] = {"methods": {m: found[m].plain() for m in METHODS}, "groups": {}}
    for method in (MESHED, DESCREENED):
        groups = sorted({(k, str(r[k])) for r in rows for k in GROUPS if k in r})
        by = {
            f"{key} {value}": restoration.figures(restoration.of(rows, method, key, value))
            for key, value in groups
        }
        lines = [[name, *one.cells()] for name, one in by.items()]
        report.table(f"{method}, by group", ["", *HEADER], lines)
        metrics["groups"][method] = {name: one.plain() for name, one in by.items()}
    for key, title, across in (("psnr", "PSNR", "dB"), ("cosine", "Cosine", "to the clean photo")):
        values = {m: restoration.column(restoration.of(rows, m), key) for m in METHODS}
        if len(values[MESHED]):
            report.figure(title, plots.histogram(title, across, values))
    return metrics


def _sheets(engine: Engine, pairs: Synthesised | Files, rows: Sequence[Row]) -> dict[str, Pixels]:
    """The best, the median and the worst cases, by PSNR."""
    quality = restoration.column(restoration.of(rows, DESCREENED), "psnr")
    order = np.argsort(quality).tolist()
    middle = max(0, len(order) // 2 - SHOWN // 2)
    chosen = order[:SHOWN], order[middle : middle + SHOWN], order[-SHOWN:]
    sheets = {}
    for name, numbers in zip(SHEETS, chosen, strict=True):
        cases = []
        for number in numbers:
            pair = pairs[number]
            label = (
                f"{quality[number]:.1f} dB {pair.groups.get('family', '')} {pair.groups['size']}"
            )
            cases.append((label, (pair.clean, pair.meshed, engine.descreen(pair.meshed).image)))
        sheets[name] = contact_sheet(cases)
    return sheets
