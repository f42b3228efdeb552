"""Pairs of a meshed photo and its clean counterpart, synthesised from a seed or read from files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.evaluation.listing import named_file, read_rows, shuffled
from engine.evaluation.photos import SampleError, picture_files, read_photo
from engine.evaluation.synthesis import SIZES, draw, turn
from engine.images import Pixels

SSIM_WINDOW = 11
"""Pixels; the wider of both kinds, see restoration.Figures."""


@dataclass(frozen=True, slots=True)
class Pair:
    """meshed, clean: (H, W, 3) uint8 BGR. mask: (H, W) float32, above 0 on and beside lines.

    photo: a number for each clean file, as one may be in several pairs.
    groups: what the pair belongs to, such as {"family": "scales", "size": "178x220"}.
    """

    name: str
    meshed: Pixels
    clean: Pixels
    mask: NDArray[np.float32]
    photo: int
    groups: dict[str, str]


class Synthesised:
    """`count` pairs from the pictures of a folder or CSV; a pair depends on seed and number.

    `drawn_on` has the files that these are, one or several pairs of each.
    """

    def __init__(
        self,
        images: Path,
        count: int,
        families: Sequence[str],
        seed: int = 0,
        varied: bool = False,
    ) -> None:
        self._paths = shuffled(images, seed)
        self._count, self._families, self._seed = count, families, seed
        self._varied = varied
        self.drawn_on = self._paths[:count]

    def __len__(self) -> int:
        return self._count

    def check(self) -> None:
        """Raises SampleError for a picture that is broken."""
        for path in self.drawn_on:
            read_photo(path)

    def __getitem__(self, number: int) -> Pair:
        rng = np.random.default_rng((self._seed, number))
        photo = number % len(self._paths)
        path = self._paths[photo]
        # Families and sizes take turns at different pace, so that every pairing occurs.
        family = self._families[turn(number, len(self._paths), len(self._families))]
        width, height = SIZES[number // len(self._families) % len(SIZES)]
        drawn = draw(rng, read_photo(path), family, width, height, self._varied)
        groups = {
            "family": family,
            "size": f"{width}x{height}",
            "opacity": drawn.opacity,
            "compressed after": "JPEG" if drawn.compressed else "no",
        }
        return Pair(path.name, drawn.meshed, drawn.clean, drawn.mask, photo, groups)


class Files:
    """Pairs of files, clean and meshed: as in_folders() and listed() find them.

    Raises SampleError for a pair of different sizes, and for pictures too small for SSIM.
    """

    def __init__(self, pairs: Sequence[tuple[Path, Path]]) -> None:
        self._pairs = pairs
        self.drawn_on = [clean for clean, _ in pairs]

    def __len__(self) -> int:
        return len(self._pairs)

    def check(self) -> None:
        """Raises SampleError for a pair that cannot be used."""
        for number in range(len(self)):
            self[number]

    def __getitem__(self, number: int) -> Pair:
        clean, meshed = (read_photo(path) for path in self._pairs[number])
        if clean.shape != meshed.shape:
            raise SampleError(f"{self._pairs[number][1]} is not of its clean picture's size")
        if min(clean.shape[:2]) < SSIM_WINDOW:
            raise SampleError(
                f"{self._pairs[number][1]} is under {SSIM_WINDOW} pixels wide or high"
            )
        changed = np.abs(clean.astype(np.int16) - meshed).max(2) > 12
        mask = cv2.dilate(changed.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
        size = f"{clean.shape[1]}x{clean.shape[0]}"
        photo = self.drawn_on.index(self._pairs[number][0])
        return Pair(self._pairs[number][1].name, meshed, clean, mask, photo, {"size": size})


def listed(table: Path) -> Files:
    """The pairs of a CSV with columns clean and meshed. Raises SampleError as read_rows() does, and
    for a row whose file is missing or that is there twice."""
    first: dict[tuple[Path, Path], int] = {}
    for line, row in read_rows(table, ["clean", "meshed"]).items():
        pair = named_file(table, line, row["clean"]), named_file(table, line, row["meshed"])
        if (before := first.setdefault(pair, line)) != line:
            raise SampleError(f"{table}, line {line}: the same pair is in line {before} already")
    return Files(list(first))


def in_folders(clean: Path, meshed: Path) -> Files:
    """The files of two folders, at the same place in both but for the suffix.

    Raises SampleError when they share none, and for a file without its counterpart or with two.
    """
    plain, covered = _by_place(clean), _by_place(meshed)
    pairs = [(plain[place], covered[place]) for place in covered if place in plain]
    if not pairs:
        raise SampleError(f"{clean} and {meshed} share no file of one name")
    for place in sorted(plain.keys() ^ covered.keys()):
        alone = (plain | covered)[place]
        raise SampleError(f"{alone} has no counterpart in the other folder: take it out")
    return Files(pairs)


def _by_place(folder: Path) -> dict[Path, Path]:
    """The pictures of a folder by their place in it, without the suffix."""
    found: dict[Path, Path] = {}
    for path in picture_files(folder):
        other = found.setdefault(path.relative_to(folder).with_suffix(""), path)
        if other != path:
            raise SampleError(f"{other} and {path.name} differ by their suffix alone: take one out")
    return found
