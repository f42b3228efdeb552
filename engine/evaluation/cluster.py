"""The embedding step spread over a Ray cluster (extra [cluster]), one engine per worker."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.photos import SampleError
from engine.packs import read_pack

Batch = dict[str, Any]
BATCH = 16


class Worker:
    """Holds an engine for as long as the worker lives."""

    def __init__(self, pack: str | None, providers: Sequence[str] | None) -> None:
        from engine import Engine

        self._engine = Engine(pack, providers, threads=1)

    def __call__(self, batch: Batch) -> Batch:
        from engine.evaluation.embeddings import embed_file

        files = zip(batch["path"], batch["digest"], strict=True)
        vectors = [embed_file(self._engine, Path(path), str(digest)) for path, digest in files]
        none = np.zeros(0, np.float32)
        # Ray moves columns of equal rows; bytes may differ in length, and none is "no face".
        columns = [(none if vector is None else vector).tobytes() for vector in vectors]
        return {"digest": batch["digest"], "vector": np.array(columns, object)}


def embed_on_cluster(
    missing: Mapping[str, Path],
    address: str,
    pack: str | Path | None,
    providers: Sequence[str] | None,
) -> Iterator[tuple[str, NDArray[np.float32] | None]]:
    """The vectors of the files by checksum, in the order in which workers finish them.

    address: of a running cluster, "auto", or "local" for one on this machine. Every worker must
    see the files and the pack under the same paths, as on shared storage.
    Raises SampleError when ray is not installed.
    """
    if not missing:
        return
    try:
        import ray
    except ImportError as error:
        raise SampleError("--ray needs the extra: pip install '.[cluster]'") from error
    if not ray.is_initialized():
        ray.init(address, log_to_driver=False)
    resources = ray.cluster_resources()
    gpus = int(resources.get("GPU", 0))
    workers = gpus or max(1, int(resources.get("CPU", 1)))
    items = [{"digest": key, "path": str(path.resolve())} for key, path in missing.items()]
    blocks = max(workers, -(-len(items) // BATCH))
    data = ray.data.from_items(items, override_num_blocks=min(blocks, len(items)))
    folder = str(read_pack(pack).folder.resolve())
    done = data.map_batches(
        Worker,
        fn_constructor_args=(folder, providers),
        batch_size=BATCH,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(items))),
        num_gpus=1 if gpus else 0,
        num_cpus=0 if gpus else 1,
    )
    for row in done.iter_rows():
        vector = np.frombuffer(row["vector"], np.float32)
        yield str(row["digest"]), vector if len(vector) else None
