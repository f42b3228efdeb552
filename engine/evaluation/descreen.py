"""How much of a photo comes back when its mesh is taken out.

python -m engine.evaluation descreen --images DIR --out report/
draws seeded meshes on the pictures of a folder; --clean and --meshed take pairs of files instead.
"""

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import Engine, FaceNotFound
from engine.evaluation import baselines
from engine.evaluation.contact import contact_sheet
from engine.evaluation.meshed import SIZES, Files, Pair, Synthesised, cut_out, generator, pictures
from engine.images import Pixels, encode, load

METHODS = ("meshed", "descreened", "notch filter", "median filter", "inpaint with true mask")
Row = dict[str, float | str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--images", type=Path, help="pictures without mesh, to draw meshes on")
    parser.add_argument("--clean", type=Path, help="pictures without mesh, paired with --meshed")
    parser.add_argument("--meshed", type=Path, help="the same pictures with mesh, same stems")
    parser.add_argument("--identities", type=Path, help="one folder per person, for verification")
    parser.add_argument("--families", default="test", help="test, train, all, or names with commas")
    parser.add_argument("--count", type=int, default=600, help="synthesised pairs")
    parser.add_argument("--plain", type=int, default=1000, help="pictures checked without mesh")
    parser.add_argument("--genuine", type=int, default=1000, help="genuine pairs for verification")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pack", type=Path, help="model pack; the default pack when absent")
    parser.add_argument("--out", type=Path, required=True, help="folder for the report")


def run(args: argparse.Namespace) -> int:
    """Writes report.md, report.json and contact sheets; the exit status."""
    args.out.mkdir(parents=True, exist_ok=True)
    with Engine(args.pack) as engine:
        pairs = _pairs(args)
        rows = [
            row for i in _progress(range(len(pairs)), "pairs") for row in judge(engine, pairs[i])
        ]
        report = [_restoration(rows)]
        if args.images:
            report.append(_untouched(engine, args))
        if args.identities:
            report.append(_verification(engine, args))
        _sheets(engine, pairs, rows, args.out)
    text = "\n\n".join(report) + "\n"
    (args.out / "report.md").write_text(text, "utf-8")
    (args.out / "report.json").write_text(json.dumps(rows, indent=1), "utf-8")
    print(text)
    return 0


def judge(engine: Engine, pair: Pair) -> list[Row]:
    """One row of figures for each method."""
    result = engine.descreen(pair.meshed)
    pictures_of = {
        "meshed": pair.meshed,
        "descreened": result.image,
        "notch filter": baselines.notch(pair.meshed),
        "median filter": baselines.median(pair.meshed),
        "inpaint with true mask": baselines.inpaint(pair.meshed, pair.mask),
    }
    truth = _embedding(engine, pair.clean)
    rows = []
    for method in METHODS:
        row: Row = {"method": method, "name": pair.name, "score": result.mesh_score, **pair.groups}
        row |= _likeness(pictures_of[method], pair)
        if truth is not None:
            vector = _embedding(engine, pictures_of[method])
            row["cosine"] = 0.0 if vector is None else float(vector @ truth)
        if method == "descreened":
            row["recognised"] = float(result.changed)
        rows.append(row)
    return rows


def _likeness(picture: Pixels, pair: Pair) -> Row:
    from skimage.metrics import structural_similarity

    error = (picture.astype(np.float64) - pair.clean) ** 2
    lines = pair.mask > 0.5
    similar = structural_similarity(picture, pair.clean, channel_axis=2, data_range=255)
    row: Row = {"psnr": psnr(error), "ssim": float(similar)}
    if lines.any():
        row["line psnr"] = psnr(error[lines])
    return row


def psnr(squared_error: NDArray[np.float64]) -> float:
    """Peak signal to noise ratio in dB for a peak of 255, at most 99."""
    mean = float(squared_error.mean())
    return 99.0 if mean == 0 else min(99.0, 10 * math.log10(255**2 / mean))


def _embedding(engine: Engine, picture: Pixels) -> NDArray[np.float32] | None:
    try:
        return engine.embed(picture)
    except FaceNotFound:
        return None


def _pairs(args: argparse.Namespace) -> Synthesised | Files:
    if args.clean and args.meshed:
        return Files(args.clean, args.meshed)
    if not args.images:
        raise SystemExit("give --images, or --clean and --meshed")
    return Synthesised(args.images, args.count, _families(args.families), args.seed)


def _families(choice: str) -> Sequence[str]:
    mesh = generator("mesh")
    known = {"test": mesh.TEST_FAMILIES, "train": mesh.TRAIN_FAMILIES, "all": mesh.FAMILIES}
    names: Sequence[str] = known.get(choice) or choice.split(",")
    unknown = set(names) - set(mesh.FAMILIES)
    if unknown:
        raise SystemExit(f"unknown mesh families: {', '.join(sorted(unknown))}")
    return names


def _restoration(rows: Sequence[Row]) -> str:
    """One table of methods over all pairs, one of descreening over every group of pairs."""
    header = (
        "| | pairs | PSNR | 5 % | PSNR on lines | SSIM | cosine | 5 % | recognised |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    methods = [_summary(m, [r for r in rows if r["method"] == m]) for m in METHODS]
    keys = ("family", "size", "opacity", "compressed after")
    parts = []
    for method in ("meshed", "descreened"):
        own = [r for r in rows if r["method"] == method]
        groups = sorted({(key, str(r[key])) for r in own for key in keys if key in r})
        lines = [_summary(f"{k} {v}", [r for r in own if r.get(k) == v]) for k, v in groups]
        parts.append("\n".join([f"{method}, by group\n\n{header}", *lines]))
    return "\n\n".join(["\n".join([f"All pairs\n\n{header}", *methods]), *parts])


def _summary(name: str, rows: Sequence[Row]) -> str:
    def column(key: str) -> NDArray[np.float64]:
        values = [r[key] for r in rows if key in r]
        return np.array(values or [math.nan], np.float64)

    quality, alike = column("psnr"), column("cosine")
    seen = column("recognised").mean()
    recognised = "" if math.isnan(seen) else f"{100 * seen:.2f} %"
    return (
        f"| {name} | {len(rows)} | {quality.mean():.2f} | {np.percentile(quality, 5):.2f} "
        f"| {column('line psnr').mean():.2f} | {column('ssim').mean():.4f} | {alike.mean():.4f} "
        f"| {np.percentile(alike, 5):.4f} | {recognised} |"
    )


def _untouched(engine: Engine, args: argparse.Namespace) -> str:
    """What happens to pictures without a mesh, at the sizes of the pairs and as JPEG too."""
    paths, capture = pictures(args.images), generator("capture")
    same, changed = 0, []
    for number in _progress(range(args.plain), "without mesh"):
        rng = np.random.default_rng((args.seed, number, 1))
        width, height = SIZES[number % len(SIZES)]
        photo = cut_out(load(paths[number % len(paths)]), width, height)
        photo = capture.expose(photo, None, capture.sample(rng), height, width)[0]
        output = engine.descreen(photo).image
        if np.array_equal(output, photo):
            same += 1
        else:
            changed.append(psnr((output.astype(np.float64) - photo) ** 2))
    rest = f"; PSNR of the others: least {min(changed):.1f} dB" if changed else ""
    return f"Without mesh: {same} of {args.plain} bit-equal ({100 * same / args.plain:.2f} %){rest}"


def _verification(engine: Engine, args: argparse.Namespace) -> str:
    """Genuine pairs of different photos at the default threshold, one of them meshed."""
    people = [pictures(p) for p in sorted(args.identities.iterdir()) if p.is_dir()]
    people = [photos for photos in people if len(photos) > 1]
    mesh, capture = generator("mesh"), generator("capture")
    families = _families(args.families)
    missed = np.zeros(3, int)
    for number in _progress(range(args.genuine), "genuine pairs"):
        rng = np.random.default_rng((args.seed, number, 2))
        chosen = rng.choice(len(people[number % len(people)]), 2, replace=False)
        live, photo = (load(people[number % len(people)][i]) for i in chosen)
        how = capture.sample(rng)
        size = photo.shape[:2]
        base = cut_out(photo, round(size[1] / how.scale), round(size[0] / how.scale))
        lines = mesh.sample(rng, min(base.shape[:2]), [families[number % len(families)]])
        meshed, clean, _ = capture.expose(base, lines, how, *size)
        missed += [
            not _match(engine, live, clean, False),
            not _match(engine, live, meshed, False),
            not _match(engine, live, meshed, True),
        ]
    clean_rate, meshed_rate, restored_rate = 100 * missed / args.genuine
    lost = meshed_rate - clean_rate
    share = 100 * (meshed_rate - restored_rate) / lost if lost else math.nan
    return (
        f"Verification, {args.genuine} genuine pairs at the default threshold: FNMR "
        f"{clean_rate:.2f} % without mesh, {meshed_rate:.2f} % with mesh, {restored_rate:.2f} % "
        f"descreened: {share:.1f} % of the loss comes back"
    )


def _match(engine: Engine, live: Pixels, photo: Pixels, id_photo: bool) -> bool:
    try:
        return engine.compare(live, photo, id_photo=(False, id_photo)).is_match
    except FaceNotFound:
        return False


def _sheets(engine: Engine, pairs: Synthesised | Files, rows: Sequence[Row], out: Path) -> None:
    """best.png, median.png, worst.png: clean, meshed and descreened side by side."""
    own = [float(r["psnr"]) for r in rows if r["method"] == "descreened"]
    order = [int(i) for i in np.argsort(own)]
    middle = max(0, len(order) // 2 - 10)
    chosen = {"worst": order[:20], "median": order[middle : middle + 20], "best": order[-20:]}
    for name, numbers in chosen.items():
        cases = []
        for number in numbers:
            pair = pairs[number]
            label = f"{own[number]:.1f} dB {pair.groups.get('family', '')} {pair.groups['size']}"
            cases.append((label, (pair.clean, pair.meshed, engine.descreen(pair.meshed).image)))
        (out / f"{name}.png").write_bytes(encode(contact_sheet(cases), "png"))


def _progress(numbers: range, what: str) -> Iterable[int]:
    from tqdm import tqdm

    bar: Iterable[int] = tqdm(numbers, what)
    return bar
