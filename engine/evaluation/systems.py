"""What is measured: this engine as a library, or a service behind the HTTP API."""

import argparse
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.arguments import at_least
from engine.evaluation.embeddings import cosines, embed_photos
from engine.evaluation.endpoint import Endpoint
from engine.evaluation.pairs import Pairs
from engine.evaluation.photos import SampleError
from engine.packs import read_pack
from engine.similarity import SimilarityScale

LIBRARY = "engine"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scored:
    """A system's answers to pairs: scores (N,), NaN where a face was missing; failed: in which
    files."""

    name: str
    scores: NDArray[np.float64]
    threshold: float
    failed: Sequence[Path]


def add_system_arguments(parser: argparse.ArgumentParser) -> None:
    """Those that verification, detection and liveness share."""
    parser.add_argument(
        "--endpoint",
        action="append",
        default=[],
        metavar="URL",
        help="measure the service behind this URL instead of the library; may be repeated",
    )
    parser.add_argument("--with-library", action="store_true", help="and the library beside it")
    parser.add_argument("--app-id", action="append", default=[], help="one for each --endpoint")
    parser.add_argument("--app-key", action="append", default=[], help="one for each --endpoint")


def add_sample_arguments(parser: argparse.ArgumentParser) -> None:
    """Those that verification and liveness share beyond these."""
    parser.add_argument("--no-thumbnails", action="store_true", help="show no pictures")
    parser.add_argument("--replicates", type=at_least(1), default=1000, help="bootstrap replicates")
    parser.add_argument("--seed", type=at_least(0), default=0)


def endpoints(args: argparse.Namespace) -> list[Endpoint]:
    """Raises SampleError unless every --endpoint has a key pair, and is given once."""
    if not len(args.endpoint) == len(args.app_id) == len(args.app_key):
        raise SampleError("give one --app-id and one --app-key for each --endpoint, in its order")
    if len({url.rstrip("/") for url in args.endpoint}) < len(args.endpoint):
        raise SampleError("an --endpoint is given twice: each service is measured once")
    return [Endpoint(*each) for each in zip(args.endpoint, args.app_id, args.app_key, strict=True)]


def uses_library(args: argparse.Namespace) -> bool:
    return bool(args.with_library or not args.endpoint)


def only_of_library(args: argparse.Namespace, *names: str) -> None:
    """Raises SampleError for options that would say nothing, as only services are measured."""
    given = [f"--{name}" for name in names if getattr(args, name) not in (None, False)]
    if given and not uses_library(args):
        raise SampleError(f"{', '.join(given)}: of the library alone, so add --with-library")


def score_with_library(pairs: Pairs, args: argparse.Namespace) -> Scored:
    """Similarities on the pack's scale, of photos that Engine.embed embeds once each.

    Engine.compare, and so this engine's service, answers clear pairs by one look: the same
    decisions at every threshold of the pack, other figures in the second decimal.
    """
    paths = [photo.path for photo in pairs.photos]
    cache = args.cache or args.out / "embeddings.sqlite"
    pack = read_pack(args.pack)
    with pack.section("similarity"):  # said now, not after all the photos
        scale = SimilarityScale(pack.similarity, args.fmr)
    vectors = embed_photos(paths, cache, args.pack, args.providers, args.ray)
    scores = scale.of(cosines(vectors, pairs.a, pairs.b))
    failed = [path for path, vector in zip(paths, vectors, strict=True) if vector is None]
    if np.isnan(scores).all():
        raise SampleError(f"no pair shows two faces: none was found on {len(failed)} photos")
    return Scored(LIBRARY, scores, scale.threshold, failed)


def score_with_endpoint(pairs: Pairs, endpoint: Endpoint) -> Scored:
    """One call a pair. Which of the two pictures failed, detect says afterwards."""
    scores, threshold = np.full(len(pairs), np.nan), math.nan
    for number, (a, b) in enumerate(progress(list(zip(pairs.a, pairs.b, strict=True)), "compare")):
        answer = endpoint.compare(pairs.photos[a].path, pairs.photos[b].path)
        if answer is None:
            continue
        if answer[1] != threshold and not math.isnan(threshold):
            raise SampleError(
                f"{endpoint.url} changed its threshold on the way, from {threshold:g} to "
                f"{answer[1]:g}: measure again when it stays"
            )
        scores[number], threshold = answer
    if math.isnan(threshold):
        raise SampleError(
            f"{endpoint.url} found no face in any pair, or refused the pictures: it takes PNG, "
            "JPEG and BMP of which the base64 is at most 2 MiB"
        )
    suspects = np.unique(np.concatenate([pairs.a[np.isnan(scores)], pairs.b[np.isnan(scores)]]))
    paths = [pairs.photos[index].path for index in suspects]
    failed = [path for path in paths if not endpoint.detect(path)]
    return Scored(endpoint.url, scores, threshold, failed)


def sample_pairs(pairs: Pairs, calls: int, seed: int) -> Pairs:
    """At most so many pairs, half of them genuine where there are enough: a call each is dear.
    Photos in none of them are left out, so that every system is asked about the same, and folds
    where one of them is in no pair."""
    if len(pairs) <= calls:
        return pairs
    draw = random.Random(seed)
    same = pairs.same
    genuine, impostor = np.flatnonzero(same).tolist(), np.flatnonzero(~same).tolist()
    first = draw.sample(genuine, min(len(genuine), calls // 2))
    second = draw.sample(impostor, min(len(impostor), calls - len(first)))
    chosen = np.array(sorted(first + second))
    if pairs.fold is not None and len(np.unique(pairs.fold[chosen])) < len(np.unique(pairs.fold)):
        pairs = replace(pairs, fold=None)
    return pairs.take(chosen).alone()


def progress(items: Sequence[T], what: str) -> Sequence[T]:
    """The items, with a bar on a terminal."""
    from tqdm import tqdm

    bar: Sequence[T] = tqdm(items, what, disable=None)
    return bar
