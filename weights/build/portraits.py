"""Licence-clean portraits, made to look like other people's ID photos.

The portraits at hand show few kinds of people, rooms and cameras. Each one drawn from here gets
another size, background, colour, sharpness, and sometimes thin things that are not a mesh (hair,
glasses, writing, woven cloth), which have to survive its removal.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
_MATTE_SIDE = 128


def held_out(path: Path) -> bool:
    """Whether the portrait belongs to validation: one person in twelve, by name."""
    person = path.stem.rsplit("_", 1)[-1]
    return hashlib.sha256(person.encode()).digest()[0] < 256 // 12


class Portraits:
    """Portraits below `folder` in several sizes, with the outlines of the people."""

    def __init__(self, folder: Path, cache: Path, validation: bool = False) -> None:
        names = ("us_officials", "gan_idcards")
        paths = sorted(p for name in names for p in (folder / name).glob("*.[jp][pn]g"))
        if not paths:
            raise FileNotFoundError(f"no portraits in {folder}/us_officials or gan_idcards")
        mattes = _mattes(paths, cache)
        chosen = [i for i, path in enumerate(paths) if held_out(path) == validation]
        self._mattes = [mattes[i] for i in chosen]
        self._levels = [_pyramid(_read(paths[i])) for i in chosen]

    def __len__(self) -> int:
        return len(self._levels)

    def draw(
        self, rng: np.random.Generator, height: int, width: int, whole: bool = False
    ) -> tuple[Image, Image, float]:
        """An augmented `(height, width, 3)` uint8 BGR cut-out, where the person is in it
        (0..255), and the shorter side of its portrait at that scale."""
        index = int(rng.integers(len(self)))
        levels, matte = self._levels[index], self._mattes[index]
        full_h, full_w = levels[0].shape[:2]
        least = max(height / full_h, width / full_w)  # of the scale from the full portrait
        scale = least
        if not whole:
            side = np.exp(rng.uniform(np.log(100), np.log(800)))
            scale = max(least, side / min(full_h, full_w))
        level = levels[int(np.clip(np.floor(-np.log2(scale)), 0, len(levels) - 1))]
        factor = level.shape[0] / full_h
        box_h, box_w = height / scale * factor, width / scale * factor
        top = rng.beta(1.5, 2.0) * (level.shape[0] - box_h)
        left = rng.beta(2.0, 2.0) * (level.shape[1] - box_w)
        image = _cut(level, top, left, box_h, box_w, height, width)
        k = matte.shape[0] / level.shape[0], matte.shape[1] / level.shape[1]
        person = _cut(matte, top * k[0], left * k[1], box_h * k[0], box_w * k[1], height, width)
        if rng.random() < 0.5:
            image, person = image[:, ::-1], person[:, ::-1]
        return augment(rng, image, person), person, scale * min(full_h, full_w)


def augment(rng: np.random.Generator, image: Image, person: Image) -> Image:
    """Other background, colours, sharpness and clutter; `person` is the matte, 0..255."""
    if rng.random() < 0.4:
        image = _on_plain_background(rng, image, person)
    picture = image.astype(np.float32)
    if rng.random() < 0.6:
        picture = _recolour(rng, picture)
    if rng.random() < 0.25:
        picture = _clutter(rng, picture)
    if rng.random() < 0.2:  # a small picture blown up
        small = rng.uniform(0.3, 0.9)
        picture = cv2.resize(
            cv2.resize(picture, None, fx=small, fy=small, interpolation=cv2.INTER_AREA),
            picture.shape[1::-1],
            interpolation=cv2.INTER_CUBIC,
        )
    if rng.random() < 0.35:
        noise = rng.standard_normal(picture.shape, np.float32)
        if rng.random() < 0.5:
            noise = noise[..., :1]
        picture = picture + noise * rng.uniform(0.5, 6.0)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _on_plain_background(rng: np.random.Generator, image: Image, person: Image) -> Image:
    kind = rng.random()
    if kind < 0.35:
        colour = np.full(3, rng.uniform(225, 255)) + rng.normal(0, 3, 3)
    elif kind < 0.6:  # red, as BGR
        colour = np.array([rng.uniform(0, 60), rng.uniform(0, 50), rng.uniform(150, 245)])
    elif kind < 0.85:  # blue
        colour = np.array([rng.uniform(150, 245), rng.uniform(80, 170), rng.uniform(20, 110)])
    else:
        colour = rng.uniform(0, 255, 3)
    ramp = np.linspace(rng.uniform(-15, 15), rng.uniform(-15, 15), image.shape[0])
    ground = colour + ramp[:, None, None]
    share = person[..., None].astype(np.float32) / 255.0
    mixed = np.clip(image * share + ground * (1.0 - share), 0, 255)
    return np.asarray(mixed, np.uint8)


def _recolour(rng: np.random.Generator, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    kind = rng.random()
    if kind < 0.2:
        grey = picture @ np.array([0.114, 0.587, 0.299], np.float32)
        return np.repeat(grey[..., None], 3, 2) * rng.uniform(0.8, 1.15) + rng.uniform(-15, 15)
    gain = rng.uniform(0.75, 1.2) * np.exp(rng.normal(0, 0.08, 3))
    picture = picture * gain.astype(np.float32) + np.float32(rng.uniform(-20, 20))
    grey = picture.mean(2, keepdims=True)
    return np.asarray(grey + (picture - grey) * rng.uniform(0.6, 1.5), np.float32)


def _clutter(rng: np.random.Generator, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Thin structures that belong to the photo."""
    height, width = picture.shape[:2]
    kind = rng.integers(5)
    colour = [float(c) for c in rng.uniform(0, 255, 3)]
    thick = int(rng.integers(1, 4))
    picture = np.clip(picture, 0, 255).astype(np.uint8)  # the only depth drawn with anti-aliasing
    if kind == 0:  # strands of hair
        dark = [float(rng.uniform(0, 70))] * 3
        t = np.linspace(0, 1, 16)[:, None]
        root = rng.uniform(0, 1, 2) * (width, height)
        for _ in range(int(rng.integers(2, 9))):
            knots = root + rng.normal(0, 0.35, (3, 2)) * (width, height)
            curve = (1 - t) ** 2 * knots[0] + 2 * t * (1 - t) * knots[1] + t**2 * knots[2]
            cv2.polylines(
                picture,
                [np.rint(curve * 16).astype(np.int32)],
                False,
                dark,
                1,
                cv2.LINE_AA,
                shift=4,
            )
    elif kind == 1:  # glasses
        radius = rng.uniform(0.1, 0.22) * width
        x, y = rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height
        axes = (int(radius), int(radius * rng.uniform(0.6, 1.0)))
        for side in (-1.25, 1.25):
            cv2.ellipse(
                picture,
                (int(x + side * radius), int(y)),
                axes,
                0,
                0,
                360,
                colour,
                thick,
                cv2.LINE_AA,
            )
        cv2.line(
            picture,
            (int(x - radius * 0.3), int(y)),
            (int(x + radius * 0.3), int(y)),
            colour,
            thick,
            cv2.LINE_AA,
        )
    elif kind == 2:  # writing
        signs = "".join(chr(int(c)) for c in rng.integers(40, 122, 14))
        for line in range(int(rng.integers(1, 4))):
            place = (int(rng.uniform(-0.2, 0.5) * width), int(rng.uniform(0.1, 1) * height))
            cv2.putText(
                picture,
                signs[line:],
                place,
                int(rng.integers(0, 7)),
                float(rng.uniform(0.3, 1.2)),
                colour,
                thick,
                cv2.LINE_AA,
            )
    else:  # woven or printed cloth, in one corner; or a fine moire everywhere
        y, x = np.mgrid[:height, :width].astype(np.float32)
        turn, period = rng.uniform(0, np.pi), rng.uniform(2.5, 12.0)
        across = np.cos(turn) * x + np.sin(turn) * y
        along = np.cos(turn) * y - np.sin(turn) * x
        weave = np.sin(2 * np.pi * across / period)
        if rng.random() < 0.5:
            weave = np.maximum(weave, np.sin(2 * np.pi * along / period))
        strength = rng.uniform(5, 60)
        if kind == 4:
            place = (x - rng.uniform(-0.3, 1.3) * width) * np.cos(turn * 3)
            place += (y - rng.uniform(0.5, 1.3) * height) * np.sin(turn * 3)
            weave = weave * (place > 0)
        else:
            period = min(period, 4.0)
            weave, strength = np.sin(2 * np.pi * across / period), min(strength, 8.0)
        return np.asarray(picture + (weave * strength)[..., None], np.float32)
    return picture.astype(np.float32)


def _cut(
    image: Image, top: float, left: float, box_h: float, box_w: float, height: int, width: int
) -> Image:
    """The box of `image`, resized."""
    y, x = round(top), round(left)
    part = image[y : y + max(2, round(box_h)), x : x + max(2, round(box_w))]
    how = cv2.INTER_AREA if part.shape[0] > height else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (width, height), interpolation=how), np.uint8)


def _read(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise ValueError(f"{path} is not a picture")
    return np.asarray(image, np.uint8)


def _pyramid(image: Image) -> list[Image]:
    levels = [image]
    while min(levels[-1].shape[:2]) > 200:
        levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return levels


def _mattes(paths: list[Path], cache: Path) -> NDArray[np.uint8]:
    """Head and shoulders of every portrait by GrabCut, kept in `cache`."""
    if cache.exists():
        kept = np.asarray(np.load(cache), np.uint8)
        if len(kept) == len(paths):
            return kept
    mattes = np.stack([_matte(_read(path)) for path in paths])
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.save(cache, mattes)
    return mattes


def _matte(image: Image) -> Image:
    side = _MATTE_SIDE
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    label = np.full((side, side), cv2.GC_PR_BGD, np.uint8)
    cv2.ellipse(label, (64, 52), (30, 40), 0, 0, 360, int(cv2.GC_PR_FGD), -1)
    cv2.ellipse(label, (64, 135), (60, 48), 0, 0, 360, int(cv2.GC_PR_FGD), -1)
    cv2.ellipse(label, (64, 54), (16, 24), 0, 0, 360, int(cv2.GC_FGD), -1)
    label[:6] = cv2.GC_BGD
    label[:50, :14] = label[:50, -14:] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    cv2.grabCut(small, label, None, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    inside = np.isin(label, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8) * 255
    return np.asarray(cv2.GaussianBlur(inside, (0, 0), 1.0), np.uint8)
