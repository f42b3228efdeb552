"""What levelling is worth: how much a tilted head is still itself, and how often it is refused.

    python weights/build/tilt.py PORTRAITS --genuine LFW

Photos are turned by several angles, to the left and to the right in turn. The constants of
engine/landmarks.py were chosen by the first figures, on licence-clean portraits; the refusals show
them at work, on the first two photos of everybody who has two.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from command import run
from numpy.typing import NDArray
from portraits import portrait_files
from tqdm import tqdm

from engine import Engine, FaceNotFound, landmarks
from engine.evaluation.arguments import at_least
from engine.evaluation.photos import read_folder, read_photo
from engine.images import Pixels

ANGLES = (0, 10, 20, 30, 40, 50, 90, 180)
MOST = 200


def turned(image: Pixels, degrees: int) -> Pixels:
    """The picture turned about its middle; beyond its edges it is mirrored. Quarters lose none."""
    if degrees % 90 == 0:
        return np.rot90(image, round(degrees / 90))
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    view = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(view, np.uint8)


def of_all(
    items: Sequence[tuple[Path, Path]], degrees: int, judge: Callable[[Pixels, Pixels], float]
) -> NDArray[np.float64]:
    """What is made of every first picture and the second turned; NaN where there is no face."""
    found = []
    for number, (first, second) in enumerate(tqdm(items, f"{degrees} degrees", disable=None)):
        try:
            view = turned(read_photo(second), -degrees if number % 2 else degrees)
            found.append(judge(read_photo(first), view))
        except FaceNotFound:
            found.append(np.nan)
    return np.array(found)


def table(engine: Engine, portraits: Sequence[Path], pairs: Sequence[tuple[Path, Path]]) -> None:
    def alike(upright: Pixels, view: Pixels) -> float:
        return float(engine.embed(upright) @ engine.embed(view))

    def refused(first: Pixels, second: Pixels) -> float:
        return float(not engine.compare(first, second).is_match)

    for degrees in ANGLES:
        cosines = of_all([(path, path) for path in portraits], degrees, alike)
        line = f"{degrees:3} degrees: cosine to upright {np.nanmean(cosines):.3f}"
        line += f", 5 % {np.nanpercentile(cosines, 5):.3f}, no face {np.isnan(cosines).sum()}"
        if pairs:
            rates = of_all(pairs, degrees, refused)
            share, missing = 100 * np.nanmean(rates), np.isnan(rates).sum()
            line += f"; genuine pairs refused {share:.1f} % of {len(rates) - missing}"
            line += f", no face {missing}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("portraits", type=Path, help="us_officials, gan_idcards")
    parser.add_argument("--genuine", type=Path, help="a folder for each person's photos")
    parser.add_argument(
        "--count", type=at_least(1), default=MOST, help="portraits and people at most"
    )
    options = parser.parse_args()
    files = portrait_files(options.portraits)
    portraits = files[:: max(1, len(files) // options.count)][: options.count]
    people: dict[str, list[Path]] = {}
    for photo in read_folder(options.genuine) if options.genuine else []:
        people.setdefault(photo.person, []).append(photo.path)
    pairs = [(paths[0], paths[1]) for paths in people.values() if len(paths) > 1]
    pairs = pairs[:: max(1, len(pairs) // options.count)][: options.count]
    with Engine() as engine:
        print("as it is:")
        table(engine, portraits, pairs)
        landmarks.UPRIGHT = 0.0
        print("without levelling:")
        table(engine, portraits, pairs)


if __name__ == "__main__":
    run(main)
