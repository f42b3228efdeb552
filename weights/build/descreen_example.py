"""Makes the README's picture: a portrait under a drawn mesh, and as the default pack gives it back.

The portrait is one that training did not see. Run: python weights/build/descreen_example.py \
    --portraits DIR --out weights/default/descreen_example.jpg
"""

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import mesh as meshes
import numpy as np
from command import run
from kept_apart import unseen

from engine import Engine
from engine.evaluation.photos import SampleError
from engine.evaluation.synthesis import cut_out
from engine.images import encode, load

SIZE = 358, 441
LIKE_THE_REAL_ONE = meshes.Mesh(
    family="looped_waves",
    spacing=40.0,
    period=90.0,
    amplitude=20.0,
    width=2.5,
    angle=0.0,
    inks=(meshes.Ink(colour=(30.0, 40.0, 60.0), opacity=0.6),),
    unevenness=0.4,
    softness=0.2,
    perspective=0.0,
    warp=0.0,
    fade=0.0,
    seed=5,
)
"""About the one real mesh known, on a picture of 178 x 220."""

MESH = replace(LIKE_THE_REAL_ONE, spacing=80.0, period=180.0, amplitude=40.0, width=4.5, seed=3)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True, help="holds us_officials")
    parser.add_argument("--number", type=int, default=0, help="which of those kept apart")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    kept = [path for path in sorted((args.portraits / "us_officials").glob("*")) if unseen(path)]
    if not 0 <= args.number < len(kept):
        raise SampleError(f"{args.portraits}/us_officials has {len(kept)} portraits kept apart")
    clean = cut_out(load(kept[args.number]), *SIZE)
    meshed, _ = meshes.printed(clean, MESH)
    with Engine() as engine:
        restored = engine.descreen(meshed).image
    for name, picture in (("under the mesh", meshed), ("descreened", restored)):
        print(f"{name}: {cv2.PSNR(picture, clean):.1f} dB to {kept[args.number].name}")
    args.out.write_bytes(encode(np.hstack([meshed, restored]), "jpeg"))


if __name__ == "__main__":
    run(main)
