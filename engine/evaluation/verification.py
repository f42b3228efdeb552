"""False match and false non-match rates over pairs of photos.

verification photos/ --out report/                   person/photo, all pairs
verification people.csv --out report/                columns path, person, perhaps cohort
verification photos/ --folds --out report/           the same in ten folds, as LFW's protocol
verification lfw/ --pairs pairs.txt --out report/    LFW's own protocol
verification . --pairs pairs.csv --out report/       columns a, b, same, perhaps cohort
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np

from engine.evaluation import plots
from engine.evaluation.arguments import at_least
from engine.evaluation.copies import tell_copies
from engine.evaluation.lfw import folded_pairs, read_lfw
from engine.evaluation.listing import is_table
from engine.evaluation.pairs import Pairs, all_pairs, read_table
from engine.evaluation.people import read_people
from engine.evaluation.photos import SampleError, leave_out
from engine.evaluation.provenance import provenance
from engine.evaluation.report import Report
from engine.evaluation.statistics import ErrorRates
from engine.evaluation.systems import (
    Scored,
    add_sample_arguments,
    add_system_arguments,
    endpoints,
    only_of_library,
    sample_pairs,
    score_with_endpoint,
    score_with_library,
    uses_library,
)
from engine.evaluation.tables import draw, tabulate

WORST = 10
IMPOSTORS = 3_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", type=Path, help="folder, or a CSV with path, person")
    parser.add_argument("--pairs", type=Path, help="LFW's pairs.txt, or a CSV with a, b, same")
    parser.add_argument("--folds", action="store_true", help="draw ten folds of 600 pairs")
    parser.add_argument("--cohort", help="regular expression: the cohort in a person's name")
    parser.add_argument("--leave-out", type=Path, help="file of photo names to ignore")
    parser.add_argument(
        "--impostors", type=at_least(0), help=f"impostor pairs at most, {IMPOSTORS:,} if not given"
    )
    parser.add_argument(
        "--calls", type=at_least(1), default=2000, help="pairs at most, with --endpoint"
    )
    parser.add_argument("--fmr", type=float, help="another threshold of the pack's table")
    parser.add_argument("--cache", type=Path, help="file of embeddings; by default inside --out")
    parser.add_argument("--ray", metavar="ADDRESS", help="embed on a Ray cluster; local starts one")
    add_system_arguments(parser)
    add_sample_arguments(parser)


def run(args: argparse.Namespace) -> int:
    only_of_library(args, "fmr", "pack", "providers", "cache", "ray")
    pairs = read_pairs(args)
    services = endpoints(args)
    if services:
        pairs = sample_pairs(pairs, args.calls, args.seed)
    scored = [score_with_library(pairs, args)] if uses_library(args) else []
    scored += [score_with_endpoint(pairs, service) for service in services]
    systems = {
        one.name: (one, ErrorRates(pairs, one.scores, args.replicates, args.seed)) for one in scored
    }
    report = Report(f"Verification: {args.pairs or args.photos}")
    people = [photo.person for photo in pairs.photos]
    tell_copies(report, [photo.path for photo in pairs.photos], people)
    metrics = tabulate(report, pairs, systems)
    draw(report, systems)
    for name, (one, rates) in systems.items():
        groups = {"same person": rates.genuine, "different people": rates.impostor}
        caption = f"{name}: similarity"
        report.figure(caption, plots.histogram(caption, "similarity", groups, one.threshold))
        if not args.no_thumbnails:
            _worst(report, pairs, one)
    report.write(args.out, metrics, provenance(args, uses_library(args)))
    return 0


def read_pairs(args: argparse.Namespace) -> Pairs:
    """Raises SampleError when there are no pairs to compare, for a photo that is missing, and for
    options that say nothing of the pairs in a file."""
    if args.pairs and (args.cohort or args.leave_out or args.folds):
        raise SampleError("--cohort, --leave-out and --folds do not go with --pairs")
    if args.impostors is not None and (args.pairs or args.folds):
        raise SampleError("--impostors does not go with --pairs or --folds, which say how many")
    if args.pairs and not args.photos.is_dir():
        raise SampleError(f"--pairs takes a folder of photos, and {args.photos} is none")
    if args.pairs and is_table(args.pairs):
        pairs = read_table(args.pairs)
    elif args.pairs:
        pairs = read_lfw(args.photos, args.pairs)
    else:
        photos = read_people(args.photos, args.cohort)
        photos = leave_out(photos, args.leave_out) if args.leave_out else photos
        if len(photos) < 2:
            raise SampleError(f"{args.photos} holds fewer than two photos to compare")
        most = IMPOSTORS if args.impostors is None else args.impostors
        draw = partial(all_pairs, impostors=most)
        pairs = (folded_pairs if args.folds else draw)(photos, seed=args.seed)
    if not len(pairs):
        raise SampleError(
            f"{args.photos}: every two photos show different people: allow --impostors"
        )
    for photo in pairs.photos:
        if not photo.path.is_file():
            raise SampleError(f"{args.pairs or args.photos}: there is no file {photo.path}")
    return pairs


def _worst(report: Report, pairs: Pairs, one: Scored) -> None:
    order, same = np.argsort(one.scores), pairs.same
    order = order[~np.isnan(one.scores[order])]
    for title, chosen in (
        ("highest of different people", order[~same[order]][::-1][:WORST]),
        ("lowest of one person", order[same[order]][:WORST]),
    ):
        cases = []
        for i in chosen:
            shown = [pairs.photos[end[i]] for end in (pairs.a, pairs.b)]
            who = " and ".join(dict.fromkeys(photo.person for photo in shown))
            cases.append((f"{one.scores[i]:.3f}, {who}", [photo.path for photo in shown]))
        if cases:
            report.thumbnails(f"{one.name}: {title}", cases)
