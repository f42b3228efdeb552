"""The pictures that are measured on: made from photos inside dependencies, the same every time."""

import importlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from engine.evaluation.photos import SampleError
from engine.evaluation.synthesis import generator
from engine.images import Pixels, load

BODY = 2 * 1024 * 1024
"""Characters of base64 that the service takes for one picture (Bioauth OpenAPI V2.0, 1.4)."""

GRAIN = 6.0
"""Noise of a small sensor, standard deviation in grey levels: it gives the file its size."""

MESH_SEED = 3
"""Thin crossed waves."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a client holds it, and decoded: (H, W, 3) uint8 BGR."""

    data: bytes
    pixels: Pixels


def fixed() -> dict[str, Picture]:
    """selfie: one person, 1280 x 960. id: the same, 358 x 441. meshed: that under an anti-copy
    mesh. poor: so small, 40 x 40, that a comparison is in doubt. group: 12 faces, 1280 x 1772.
    phone: 12 megapixels that fill a request. All are JPEG.

    Raises SampleError when a package that brings the photos is missing.
    """
    person = np.ascontiguousarray(_module("skimage.data").astronaut()[:, :, ::-1])
    six = np.asarray(_module("insightface.data").get_image("t1"), np.uint8)
    portrait = _resized(person[10:256, 125:325], 358, 441)
    files = {
        "selfie": _jpeg(_resized(person[:384], 1280, 960), 90),
        "id": _jpeg(portrait, 90),
        "meshed": _jpeg(_meshed(portrait), 90),
        "poor": _jpeg(_shrunk(person[:300, 80:380], 40), 90),
        "group": _jpeg(np.vstack([six, six]), 90),
        "phone": _filling(_grainy(_resized(person[:384], 4000, 3000))),
    }
    return {name: Picture(data, load(data)) for name, data in files.items()}


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SampleError(
            f"the pictures come from {name}, and {error.name} is not installed: run make bench"
        ) from error


def _resized(pixels: Pixels, width: int, height: int) -> Pixels:
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _shrunk(pixels: Pixels, side: int) -> Pixels:
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _grainy(pixels: Pixels) -> Pixels:
    grain = np.random.default_rng(0).normal(0, GRAIN, pixels.shape)
    return np.clip(pixels + grain, 0, 255).astype(np.uint8)


def _meshed(pixels: Pixels) -> Pixels:
    sampling, capture = generator("mesh_sampling"), generator("capture")
    drawn = sampling.sample(np.random.default_rng(MESH_SEED), min(pixels.shape[:2]))
    untouched = capture.Capture(0, 1.0, 0.0, 0)
    meshed: Pixels = capture.expose(pixels, drawn, untouched, *pixels.shape[:2])[0]
    return meshed


def _jpeg(pixels: Pixels, quality: int) -> bytes:
    """As cameras write it, with half the colour resolution (encode keeps all of it)."""
    data: bytes = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    return data


def _filling(pixels: Pixels) -> bytes:
    """At the best quality at which a request can hold it."""
    for quality in range(95, 20, -5):
        data = _jpeg(pixels, quality)
        if len(data) * 4 / 3 <= BODY - 4:
            return data
    raise AssertionError("a picture of 12 megapixels fits at some quality")
