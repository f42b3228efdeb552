"""A classifier of crops: how likely one is to show a live face, by one network alone."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.crops import BORDERS, context_crop, square_crop
from engine.errors import EngineError
from engine.images import Pixels
from engine.network import Network
from engine.numbers import whole
from engine.results import Face

LEAST = 1e-7
"""What a probability below it counts as: a softmax may round it to 0."""

ROUNDED = 1e-2
"""How far from 1 the sum of probabilities may be, for all that bfloat16 rounds away."""

SURELY = 15.0
"""Log-odds beyond may be the same for unlike pictures: of probabilities that count as LEAST."""


class Classifier:
    """A network that judges one crop around the face.

    manifest: size (pixels), crop (its side over the box's), live_class (index of the logit that
    means live); optional: border ("shift", "reflect" or "black": the crop where the picture ends),
    channels ("BGR" or "RGB"), mean and std, probabilities (true: the network ends in a softmax).
    Input: (N, 3, size, size) float32, (x - mean) / std of 0..255. Output: (N, 2 or more) logits, or
    probabilities.
    Raises what packs.MISFITS lists for a setting that is missing or wrong.
    """

    def __init__(self, network: Network, manifest: Mapping[str, Any]) -> None:
        self._network = network
        self._size = whole(manifest, "size", 1)
        self.scale = float(manifest["crop"])
        self._live = whole(manifest, "live_class", 0)
        self._border = str(manifest.get("border", "shift"))
        channels = str(manifest.get("channels", "BGR"))
        if self._border not in ("shift", *BORDERS) or channels not in ("BGR", "RGB"):
            raise ValueError("border is shift, reflect or black; channels is BGR or RGB")
        self._step = 1 if channels == "BGR" else -1
        self._mean = np.float32(manifest.get("mean", 0))
        self._std = np.float32(manifest.get("std", 1))
        self._probabilities = manifest.get("probabilities", False)
        if not isinstance(self._probabilities, bool):
            raise ValueError("probabilities is true or false")
        if not (0 < self.scale < math.inf and 0 < self._std < math.inf):
            raise ValueError("crop and std are above 0")

    def log_odds(self, image: Pixels, face: Face) -> float:
        """Of (H, W, 3) uint8 BGR and a face in it, the network's own log-odds of "live",
        uncalibrated: the live logit minus the log-sum-exp of the others.

        Raises EngineError for a network without two classes.
        """
        if self._border == "shift":
            crop = context_crop(image, face, self.scale, self._size)
        else:
            crop = square_crop(image, face, self.scale, self._size, self._border)
        planes = crop[..., :: self._step].transpose(2, 0, 1)[None].astype(np.float32)
        (logits,) = self._network.run((planes - self._mean) / self._std)
        classes = logits[0].astype(np.float64)
        if len(classes) <= max(1, self._live):
            raise EngineError(
                f"the anti-spoof network gives {len(classes)} numbers: one for each of two classes "
                f"or more is needed, and live_class is {self._live}"
            )
        if self._probabilities:
            if not (classes >= -ROUNDED).all() or abs(classes.sum() - 1) > ROUNDED:
                raise EngineError("the anti-spoof network gives no probabilities, but logits")
            classes = np.log(np.clip(classes, LEAST, 1))
        live, others = classes[self._live], np.delete(classes, self._live)
        return float(live - np.logaddexp.reduce(others))
