"""Calibrate a pack's similarity scale on photos of known people, and write it to its manifest.

The scale puts 0.497 where the false match rate is 1e-3 in the worst cohort: the group of people of
one sex and ethnic group for whom that takes the highest cosine. Give cohorts by folder
(cohort/person/photo), by a regular expression on the person's name, or in a CSV.

The default pack was calibrated with
    python weights/build/calibrate.py portraits/scut --cohort "^[A-Z]+" \\
        --leave-out weights/build/scut_duplicates.txt --name "SCUT-FBP5500, 1,400 of its photos"
Another pack, on your own photos:
    python weights/build/calibrate.py photos/ --pack my_pack/ --out report/
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import manifest
import numpy as np
from numpy.typing import NDArray
from operating_points import Cosines, calibrate, cohorts_of, on_others, suspects

from engine import EngineError
from engine.evaluation import plots
from engine.evaluation.__main__ import prepare
from engine.evaluation.arguments import at_least, positive
from engine.evaluation.embeddings import cosines, embed_photos
from engine.evaluation.pairs import Pairs
from engine.evaluation.photos import place
from engine.evaluation.provenance import provenance
from engine.evaluation.report import Report
from engine.evaluation.verification import read_pairs
from engine.manifests import MANIFEST
from engine.packs import read_pack
from engine.similarity import REFERENCE_FMR, THRESHOLD


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    try:
        _run(args)
    except (EngineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _run(args: argparse.Namespace) -> None:
    prepare(args.out, args.command)
    pairs = read_pairs(args)
    paths = [photo.path for photo in pairs.photos]
    vectors = embed_photos(paths, args.cache or args.out / "embeddings.sqlite", args.pack)
    scores = cosines(vectors, pairs.a, pairs.b)
    doubtful = [] if args.keep_suspects else suspects(pairs, scores)
    dropped = np.unique(pairs.b[doubtful])
    kept = ~np.isin(pairs.a, dropped) & ~np.isin(pairs.b, dropped)
    section = calibrate(pairs.take(kept), scores[kept], args.lowest, args.steepness)
    names = [place(pairs.photos[i]) for i in dropped]
    listed = [args.leave_out.name] if args.leave_out else []
    about = {
        "data": args.name or args.photos.resolve().name,
        "build": f"python weights/build/calibrate.py {_arguments(args)}",
        "left_out": [*listed, *names],
        "without_face": sum(vector is None for vector in vectors),
    }
    settings = {key: section.pop(key) for key in ("cosine", "steepness")}
    section = {**settings, **about, **section}
    _report(args, pairs, scores, kept, doubtful, section)
    folder = read_pack(args.pack).folder
    manifest.replace(folder, "similarity", section)
    print(f"{folder / MANIFEST}: [similarity] is what was measured now")


def _report(
    args: argparse.Namespace,
    pairs: Pairs,
    scores: Cosines,
    kept: NDArray[np.bool_],
    doubtful: Sequence[int],
    section: dict[str, Any],
) -> None:
    report = Report(f"Calibration of {args.pack or 'the default pack'} on {args.photos}")
    report.text(f"Similarity {THRESHOLD} is a cosine of {section['cosine']}.")
    for key in ("matched", "random", "cohorts"):
        rows = section[key]
        report.table(key, list(rows[0]), [list(row.values()) for row in rows])
    groups = {
        name: scores[inside & kept & ~pairs.same & ~np.isnan(scores)]
        for name, inside in cohorts_of(pairs).items()
    }
    groups = {name: group for name, group in groups.items() if len(group)}
    title = "Cosines of different people"
    report.figure(title, plots.histogram(title, "cosine", groups, section["cosine"]))
    if doubtful and not args.no_thumbnails:
        cases = [
            (f"{scores[i]:.3f}", [pairs.photos[pairs.a[i]].path, pairs.photos[pairs.b[i]].path])
            for i in doubtful[:40]
        ]
        report.thumbnails("Suspected of being one person, left out: look at them", cases)
    hardest = next(row["cohort"] for row in section["matched"] if row["fmr"] == REFERENCE_FMR)
    chosen = cohorts_of(pairs)[hardest] & kept
    rates = on_others(pairs.take(chosen), scores[chosen])
    if len(rates):
        low, high = 1000 * np.quantile(rates, (0.025, 0.975))
        report.text(
            f"\nOf strangers in the other half {1000 * rates.mean():.2f} in 1,000 pass a threshold "
            f"set on half of {hardest}; 95 % of {len(rates)} draws: {low:.2f} to {high:.2f}."
        )
    report.write(args.out, {**section, "on_others": rates.tolist()}, provenance(args))


def _arguments(args: argparse.Namespace) -> str:
    """Those that the result depends on, with the names of files but not where they lie; numbers
    only where they are not the usual ones."""
    pack = ["--pack", args.pack.name] if args.pack else []
    cohort = ["--cohort", args.cohort] if args.cohort else []
    listed = ["--leave-out", args.leave_out.name] if args.leave_out else []
    table = ["--pairs", args.pairs.name] if args.pairs else []
    suspects = ["--keep-suspects"] if args.keep_suspects else []
    numbers = [
        part
        for name in ("lowest", "steepness", "impostors")
        if getattr(args, name) != _parser().get_default(name)
        for part in (f"--{name}", str(getattr(args, name)))
    ]
    photos = args.photos.resolve().name
    return shlex.join([photos, *pack, *table, *cohort, *listed, *suspects, *numbers])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, help="folder, or a CSV with path, person")
    parser.add_argument("--pairs", type=Path, help="LFW's pairs.txt, or a CSV with a, b, same")
    parser.add_argument("--pack", type=Path, help="folder of the pack; the default pack")
    parser.add_argument("--cohort", help="regular expression: the cohort in a person's name")
    parser.add_argument("--leave-out", type=Path, help="file of photo names to ignore")
    parser.add_argument(
        "--keep-suspects",
        action="store_true",
        help="use pairs too alike to be two people, which are left out and shown otherwise",
    )
    parser.add_argument("--name", help="what the manifest calls the data")
    parser.add_argument(
        "--lowest", type=positive, default=REFERENCE_FMR, help="FMR to reach at least"
    )
    parser.add_argument("--steepness", type=positive, default=16.0)
    parser.add_argument(
        "--impostors", type=at_least(1), default=20_000_000, help="impostor pairs at most"
    )
    parser.add_argument("--cache", type=Path, help="file of embeddings; by default inside --out")
    parser.add_argument("--no-thumbnails", action="store_true", help="show no pictures")
    parser.add_argument("--out", type=Path, default=Path("calibration"), help="for the report")
    parser.set_defaults(command="calibrate", folds=False, seed=0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
