"""Liveness: how a crop around the face becomes the calibrated log-odds of a live capture."""

import math
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.images import Pixels
from engine.results import Face, LivenessResult
from engine.runtime import Network

SCORE_LIMIT = 12.0
"""Beyond e^12 : 1 no sample of ours could support the odds."""


class Liveness:
    """A classifier of crops around the face.

    manifest: size (pixels), crop (its side over the box's), live_class (index of the logit that
    means live), slope and intercept (Platt scaling of the raw log-odds), threshold (on the score).
    Input: (N, 3, size, size) float32 BGR 0..255.
    """

    def __init__(self, network: Network, manifest: Mapping[str, Any]) -> None:
        self._network = network
        self._size = int(manifest["size"])
        self._crop = float(manifest["crop"])
        self._live = int(manifest["live_class"])
        self._slope = float(manifest["slope"])
        self._intercept = float(manifest["intercept"])
        self._threshold = float(manifest["threshold"])

    def judge(self, image: Pixels, face: Face) -> LivenessResult:
        """(H, W, 3) uint8 BGR and a face in it."""
        raw = self.log_odds(image, face)
        score = self._slope * raw + self._intercept
        score = max(-SCORE_LIMIT, min(SCORE_LIMIT, score))
        probability = 1 / (1 + math.exp(-score))
        return LivenessResult(score, probability, score > self._threshold, face)

    def log_odds(self, image: Pixels, face: Face) -> float:
        """The network's own, uncalibrated: live logit minus the log-sum-exp of the others."""
        crop = context_crop(image, face, self._crop, self._size)
        (logits,) = self._network.run(crop.transpose(2, 0, 1)[None].astype(np.float32))
        live = float(logits[0, self._live])
        others = np.delete(logits[0].astype(np.float64), self._live)
        return live - float(np.logaddexp.reduce(others))


def context_crop(image: Pixels, face: Face, scale: float, size: int) -> Pixels:
    """The face and what is around it, (size, size, 3) uint8 BGR.

    The box grown `scale` times about its centre; where it would leave the picture it shrinks to
    fit and shifts inside, keeping the box's aspect, as the network's training crops did.
    """
    height, width = image.shape[:2]
    x, y, box_width, box_height = face.box
    scale = min(scale, (width - 1) / box_width, (height - 1) / box_height)
    half: NDArray[np.float64] = np.array([box_width, box_height]) * scale / 2
    limit = np.array([width - 1, height - 1])
    centre = np.array([x + box_width / 2, y + box_height / 2])
    centre = np.clip(centre, half, np.maximum(limit - half, half))
    left, top = np.floor(centre - half).astype(int)
    right, bottom = np.ceil(centre + half).astype(int)
    crop = image[max(top, 0) : bottom + 1, max(left, 0) : right + 1]
    return np.asarray(cv2.resize(crop, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
