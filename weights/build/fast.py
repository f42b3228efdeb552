"""Make the fast pack's embedding network: SFace in eight-bit integers, for OpenVINO.

    python weights/build/fast.py PORTRAITS

PORTRAITS is a folder with us_officials/ and gan_idcards/: every third portrait's face says in what
range the values of each layer lie. Weights have a scale a channel. PReLU is left as published, and
nothing but it lies between two convolutions, so that OpenVINO multiplies, activates and rounds in
one step; onnxruntime's own CPU provider does not, and takes longer than for the default pack's.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnxruntime
from command import run
from graph import DEFAULT_PACK, save
from integers import quantise
from numpy.typing import NDArray
from origin import sha256
from portraits import portrait_files
from sface import project, published, repaired, without_direction

from engine.errors import FaceNotFound
from engine.networks import Networks
from engine.packs import read_pack
from engine.runtime import Runtime

PACK = DEFAULT_PACK.with_name("fast")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("portraits", type=Path)
    parser.add_argument("--out", type=Path, default=PACK / "embedding_sface_2021dec_int8.onnx")
    args = parser.parse_args()
    faces = list(aligned(args.portraits))
    model = repaired(published(), split=False)
    project(model.graph, without_direction())
    with tempfile.TemporaryDirectory() as folder:
        floats = Path(folder) / "floats.onnx"
        save(model, floats)
        quantise(floats, args.out, faces, fused=True)
        plain, whole = (outputs(path, faces) for path in (floats, args.out))
    print(f"{args.out.name}: sha256 {sha256(args.out.read_bytes())}")
    cosines = (plain * whole).sum(1)
    print(
        f"cosine to the embedding in floats, {len(faces)} faces: {cosines.mean():.4f} on average, "
        f"{cosines.min():.4f} at least"
    )


def aligned(portraits: Path) -> Iterator[NDArray[np.float32]]:
    """Every third portrait's face as the network takes it, (1, 3, 112, 112) RGB 0..255."""
    recognition = Networks(read_pack(), Runtime(["cpu"])).recognition
    for path in portrait_files(portraits)[::3]:
        with suppress(FaceNotFound):
            _, (crop,) = recognition.aligned([path])
            yield crop[None, ..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)


def outputs(network: Path, faces: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """(N, D) unit vectors."""
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    vectors = np.concatenate([session.run(None, {name: face})[0] for face in faces])
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


if __name__ == "__main__":
    run(main)
