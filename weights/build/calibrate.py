"""Calibrate a pack's similarity scale on photos of known people, and write it to its manifest.

The scale puts 0.497 where the false match rate is 1e-3 in the worst cohort: the group of people of
one sex and ethnic group for whom that takes the highest cosine. Give cohorts by folder
(cohort/person/photo), by a regular expression on the person's name, or in a pairs file.

The default pack was calibrated with
    python weights/build/calibrate.py portraits/scut --cohort "^[A-Z]+" \\
        --leave-out weights/build/scut_duplicates.txt --name "SCUT-FBP5500, 1,400 of its photos"
Another pack, on your own photos:
    python weights/build/calibrate.py photos/ --pack my_pack/ --out report/
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import manifest
import numpy as np
from numpy.typing import NDArray

from engine import EngineError
from engine.evaluation import plots
from engine.evaluation.embeddings import cosines, embed_photos
from engine.evaluation.pairs import Pairs
from engine.evaluation.photos import SampleError
from engine.evaluation.report import Report
from engine.evaluation.statistics import ErrorRates
from engine.evaluation.verification import read_pairs
from engine.packs import DEFAULT_PACK
from engine.similarity import REFERENCE_FMR, THRESHOLD, SimilarityScale, pairs_needed

RATES = [step * 10.0**-power for power in range(2, 8) for step in (1, 0.5, 0.2)]
EVERYBODY = "all"
EXPECTED = 0.1
"""A pair above which fewer than this many are expected is suspected to show one person twice."""

Cosines = NDArray[np.float64]
Cohorts = dict[str, ErrorRates]


def suspects(pairs: Pairs, scores: Cosines) -> list[int]:
    """Pairs of "different people" so alike that they are one person, most likely; best first.

    Duplicated people poison the tail that a threshold is read from. Per cohort, a normal tail is
    laid through the cosines at 1 % and 0.1 %; the real tail is no heavier, and duplicates hardly
    move those two. What lies above all that the normal tail lets expect is a suspect.
    """
    found = []
    for inside in cohorts_of(pairs).values():
        chosen = np.flatnonzero(inside & ~pairs.same & ~np.isnan(scores))
        if len(chosen) < pairs_needed(REFERENCE_FMR):
            continue  # too few for a quantile at 0.1 %
        low, high = np.quantile(scores[chosen], [0.99, 0.999])
        normal = NormalDist()
        z_low, z_high = normal.inv_cdf(0.99), normal.inv_cdf(0.999)
        sigma = (high - low) / (z_high - z_low)
        limit = low + sigma * (normal.inv_cdf(1 - EXPECTED / len(chosen)) - z_low)
        found += chosen[scores[chosen] > limit].tolist()
    return sorted(set(found), key=lambda index: -scores[index])


def cohorts_of(pairs: Pairs) -> dict[str, NDArray[np.bool_]]:
    """The pairs of each cohort; where no cohorts are known, all pairs are one."""
    return pairs.cohorts or {EVERYBODY: np.ones(len(pairs), bool)}


def worst(cohorts: Cohorts, fmr: float) -> tuple[str, float] | None:
    """The cohort that needs the highest cosine for a rate, of those that support it."""
    able = {name: rates.threshold_at(fmr) for name, rates in cohorts.items() if rates.supports(fmr)}
    return max(able.items(), key=lambda item: item[1]) if able else None


def calibrate(pairs: Pairs, scores: Cosines, lowest: float, steepness: float) -> dict[str, Any]:
    """The manifest's [similarity] section. Raises SampleError for a sample too small."""
    cohorts = {
        name: ErrorRates(pairs.take(inside), scores[inside])
        for name, inside in cohorts_of(pairs).items()
    }
    cohorts = {name: rates for name, rates in cohorts.items() if len(rates.impostor)}
    most = max((len(rates.impostor) for rates in cohorts.values()), default=0)
    for fmr in sorted({lowest, REFERENCE_FMR}):
        if most < pairs_needed(fmr):
            raise SampleError(
                f"a false match rate of {fmr:g} takes {pairs_needed(fmr):,} pairs of different "
                f"people in one cohort (that is {_people(fmr)} people with a photo each); the "
                f"largest cohort here has {most:,} pairs"
            )
    reference = worst(cohorts, REFERENCE_FMR)
    assert reference is not None
    section = {"cosine": _rounded_up(reference[1]), "steepness": steepness}
    scale = SimilarityScale(section)
    everyone = ErrorRates(pairs, scores)
    at = section["cosine"]
    return {
        **section,
        "matched": _table(cohorts, scale),
        "random": _table({"any two": everyone}, scale),
        "cohorts": [
            {"name": name, "people": rates.people, **_rate(rates, at)}
            for name, rates in [*cohorts.items(), ("any two", everyone)]
        ],
    }


def _table(cohorts: Cohorts, scale: SimilarityScale) -> list[dict[str, Any]]:
    rows = []
    for fmr in RATES:
        point = worst(cohorts, fmr)
        if point is None:
            break
        name, cosine = point[0], _rounded_up(point[1])
        rates = cohorts[name]
        row = {"fmr": float(f"{fmr:g}"), "similarity": round(scale(cosine), 4), "cosine": cosine}
        interval = {key: value for key, value in _rate(rates, cosine).items() if key != "fmr"}
        rows.append({**row, **interval, "people": rates.people, "cohort": name})
    return rows


def _rate(rates: ErrorRates, cosine: float) -> dict[str, float | int]:
    rate = rates.fmr(cosine)
    values = {"fmr": rate.value, "fmr_low": rate.low, "fmr_high": rate.high}
    return {**{key: float(f"{value:.3g}") for key, value in values.items()}, "pairs": rate.trials}


def _rounded_up(cosine: float) -> float:
    return math.ceil(cosine * 1e4) / 1e4


def _people(fmr: float) -> int:
    return math.ceil((1 + math.sqrt(1 + 8 * pairs_needed(fmr))) / 2)


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    try:
        _run(args)
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _run(args: argparse.Namespace) -> None:
    pairs = read_pairs(args)
    paths = [photo.path for photo in pairs.photos]
    vectors = embed_photos(paths, args.cache or args.out / "embeddings.sqlite", args.pack)
    scores = cosines(vectors, pairs.a, pairs.b)
    doubtful = suspects(pairs, scores)
    dropped = np.unique(pairs.b[doubtful])
    kept = ~np.isin(pairs.a, dropped) & ~np.isin(pairs.b, dropped)
    section = calibrate(pairs.take(kept), scores[kept], args.lowest, args.steepness)
    names = [pairs.photos[i].path.stem for i in dropped]
    listed = [args.leave_out.name] if args.leave_out else []
    about = {
        "data": args.name or args.photos.name,
        "build": "python weights/build/calibrate.py",
        "left_out": [*listed, *names],
        "without_face": sum(vector is None for vector in vectors),
    }
    settings = {key: section.pop(key) for key in ("cosine", "steepness")}
    section = {**settings, **about, **section}
    _report(args, pairs, scores, kept, doubtful, section)
    manifest.replace(args.pack or DEFAULT_PACK, "similarity", section)


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
    report.write(args.out, section)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, help="folder of photos")
    parser.add_argument("--pairs", type=Path, help="LFW's pairs.txt, or a CSV with a, b, same")
    parser.add_argument("--pack", type=Path, help="folder of the pack; the default pack")
    parser.add_argument("--cohort", help="regular expression: the cohort in a person's name")
    parser.add_argument("--leave-out", type=Path, help="file of photo names to ignore")
    parser.add_argument("--name", help="what the manifest calls the data")
    parser.add_argument("--lowest", type=float, default=REFERENCE_FMR, help="FMR to reach at least")
    parser.add_argument("--steepness", type=float, default=16.0)
    parser.add_argument("--impostors", type=int, default=20_000_000, help="impostor pairs at most")
    parser.add_argument("--cache", type=Path, help="file of embeddings; by default inside --out")
    parser.add_argument("--no-thumbnails", action="store_true", help="show no pictures")
    parser.add_argument("--out", type=Path, default=Path("calibration"), help="for the report")
    parser.set_defaults(folds=False, seed=0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
