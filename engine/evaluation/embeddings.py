"""Embeddings of many photos, each computed once and kept on disk."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engine import Engine, FaceNotFound, ImageError
from engine.evaluation.photos import SampleError
from engine.packs import Pack, read_pack
from engine.providers import chosen
from engine.zoo_folder import ZOO, ZOO_MANIFEST

Vector = NDArray[np.float32] | None
"""A unit vector, or None where no face was found: a failure to enrol."""


class EmbeddingCache:
    """A file that remembers embeddings by pack and picture, so that a run can be resumed.

    Pictures are known by their content, and packs by what `checksum` says. What is added is on disk
    at once. Raises SampleError for what is no such file, or a broken one.
    """

    def __init__(self, path: Path, pack: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._pack = path, pack
        if not path.exists():
            path.touch(0o600)  # embeddings are biometric data
        with self._usable():
            self._base = sqlite3.connect(path)
            try:
                self._base.execute(
                    "CREATE TABLE IF NOT EXISTS embeddings"
                    " (pack TEXT, picture TEXT, vector BLOB, PRIMARY KEY (pack, picture))"
                )
            except sqlite3.DatabaseError:
                self._base.close()
                raise

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise SampleError(
                f"{self._path} cannot keep embeddings: {error}; name a new file"
            ) from error

    def __enter__(self) -> "EmbeddingCache":
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def read(self) -> dict[str, Vector]:
        """Everything known of this pack, by the picture's checksum."""
        with self._usable():
            rows = self._base.execute(
                "SELECT picture, vector FROM embeddings WHERE pack = ?", (self._pack,)
            ).fetchall()
        known = {picture: blob if blob is None else self._vector(blob) for picture, blob in rows}
        if len({len(vector) for vector in known.values() if vector is not None}) > 1:
            raise self._damaged()
        return known

    def _vector(self, blob: bytes) -> NDArray[np.float32]:
        if len(blob) % np.float32().nbytes:
            raise self._damaged()
        vector = np.frombuffer(blob, np.float32)
        if not abs(float(np.linalg.norm(vector)) - 1) < 1e-3:  # nor NaN
            raise self._damaged()
        return vector

    def _damaged(self) -> SampleError:
        return SampleError(f"{self._path} holds damaged embeddings: delete it, or name a new file")

    def add(self, picture: str, vector: Vector) -> None:
        blob = None if vector is None else vector.astype(np.float32).tobytes()
        with self._usable(), self._base:
            self._base.execute(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", (self._pack, picture, blob)
            )


def checksum(pack: Pack, providers: Sequence[str]) -> str:
    """What decides about an embedding: two networks with their settings, the engine's code, and
    onnxruntime and its execution providers, which do not calculate alike to the last digit."""
    digest = hashlib.sha256(json.dumps(list(providers)).encode())
    for entry in (pack.entry("detector"), pack.entry("embedding")):
        digest.update(json.dumps(dict(entry.settings), sort_keys=True, default=str).encode())
        if entry.settings["kind"] == ZOO:
            digest.update(_version(ZOO).encode())
            for told in entry.folder.glob(ZOO_MANIFEST):
                digest.update(told.read_bytes())
    digest.update(onnxruntime.__version__.encode())
    for module in sorted(Path(__file__).parents[1].glob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # only the workers of a cluster may need it
        return ""


def file_checksum(path: Path) -> str:
    """Raises ImageError for a file that cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror}") from error


def embed_photos(
    paths: Sequence[Path],
    cache_file: Path,
    pack: str | Path | None = None,
    providers: Sequence[str] | None = None,
    ray: str | None = None,
) -> list[Vector]:
    """One vector a path, in order; computed here, or on a Ray cluster's workers."""
    from tqdm import tqdm

    # On a cluster the workers have providers of their own.
    asked = chosen(providers)[1] if ray is None else providers or ()
    with EmbeddingCache(cache_file, checksum(read_pack(pack), asked)) as cache:
        known = cache.read()
        sums = [file_checksum(path) for path in paths]
        wanted = dict(zip(sums, paths, strict=True))
        missing = {digest: path for digest, path in wanted.items() if digest not in known}
        if ray is None:
            done = _embed_here(missing, pack, providers)
        else:
            from engine.evaluation.cluster import embed_on_cluster

            done = embed_on_cluster(missing, ray, pack, providers)
        bar: Iterable[tuple[str, Vector]] = tqdm(done, "embed", total=len(missing), disable=None)
        for digest, vector in bar:
            cache.add(digest, vector)
            known[digest] = vector
    return [known[digest] for digest in sums]


def embed_file(engine: Engine, path: Path, digest: str) -> Vector:
    """None where there is no face in the picture, or no picture in the file. Raises SampleError
    where it cannot be read now, as on a cluster's machine that does not share the folder, and where
    it is no longer what that checksum was of."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SampleError(f"cannot read {path} on this machine: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise SampleError(f"{path} was changed while it was measured: do it again")
    try:
        return engine.embed(data)
    except (FaceNotFound, ImageError):
        return None


def _embed_here(
    missing: Mapping[str, Path], pack: str | Path | None, providers: Sequence[str] | None
) -> Iterator[tuple[str, Vector]]:
    if not missing:
        return
    with Engine(pack, providers) as engine:
        # Two threads, so that one decodes while the networks run for the other.
        pool = ThreadPoolExecutor(2)
        try:
            vectors = pool.map(lambda one: embed_file(engine, one[1], one[0]), missing.items())
            yield from zip(missing, vectors, strict=True)
        finally:  # whoever takes the vectors may stop early
            pool.shutdown(cancel_futures=True)


def cosines(
    vectors: Sequence[Vector], a: NDArray[np.int64], b: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(N,) cosines of pairs of the vectors, NaN where one of the two is missing."""
    width = next((len(vector) for vector in vectors if vector is not None), 1)
    table = np.stack([np.full(width, np.nan, np.float32) if v is None else v for v in vectors])
    result = np.empty(len(a))
    for start in range(0, len(a), 1 << 18):
        part = slice(start, start + (1 << 18))
        result[part] = np.einsum("nd,nd->n", table[a[part]], table[b[part]])
    return result
