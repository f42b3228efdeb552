"""Liveness: how crops around the face become the calibrated log-odds of a live capture."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.gate import Gate
from engine.images import Pixels
from engine.operating import ErrorRate
from engine.results import Face, LivenessResult
from engine.runtime import Network, Runtime

SCORE_LIMIT = 12.0
"""Beyond e^12 : 1 no sample of ours could support the odds."""

REFUSED_LIVE = ErrorRate(
    key="bpcer",
    threshold="threshold",
    trials="captures",
    name="BPCER",
    sample="live captures",
    script="weights/build/calibrate_liveness.py",
)

_BORDERS = {"reflect": cv2.BORDER_REFLECT_101, "black": cv2.BORDER_CONSTANT}


class Classifier:
    """A network that judges one crop around the face.

    manifest: size (pixels), crop (its side over the box's), live_class (index of the logit that
    means live); optional: border ("shift", "reflect" or "black": the crop where the picture ends),
    channels ("BGR" or "RGB"), mean and std.
    Input: (N, 3, size, size) float32, (x - mean) / std of 0..255. Output: (N, 2 or more) logits.
    """

    def __init__(self, network: Network, manifest: Mapping[str, Any]) -> None:
        self._network = network
        self._size = int(manifest["size"])
        self._scale = float(manifest["crop"])
        self._live = int(manifest["live_class"])
        self._border = str(manifest.get("border", "shift"))
        channels = str(manifest.get("channels", "BGR"))
        if self._border not in ("shift", *_BORDERS) or channels not in ("BGR", "RGB"):
            raise ValueError("border is shift, reflect or black; channels is BGR or RGB")
        self._step = 1 if channels == "BGR" else -1
        self._mean = np.float32(manifest.get("mean", 0))
        self._std = np.float32(manifest.get("std", 1))

    def log_odds(self, image: Pixels, face: Face) -> float:
        """The network's own, uncalibrated: live logit minus the log-sum-exp of the others."""
        if self._border == "shift":
            crop = context_crop(image, face, self._scale, self._size)
        else:
            crop = square_crop(image, face, self._scale, self._size, self._border)
        planes = crop[..., :: self._step].transpose(2, 0, 1)[None].astype(np.float32)
        (logits,) = self._network.run((planes - self._mean) / self._std)
        live = float(logits[0, self._live])
        others = np.delete(logits[0].astype(np.float64), self._live)
        return live - float(np.logaddexp.reduce(others))


@dataclass(frozen=True, slots=True)
class Evidence:
    """Uncalibrated log-odds of "live": of the texture network, and of the context network where
    there is one and the picture holds its crop."""

    texture: float
    context: float | None


class Context:
    """The wide crop's network, and how its evidence joins that of the tight crop.

    manifest: as Classifier's, and least_crop (how many times the box must fit into the picture),
    texture_slope, context_slope, intercept (Platt scaling of both raw log-odds together).
    """

    def __init__(self, network: Network, manifest: Mapping[str, Any]) -> None:
        self._classifier = Classifier(network, manifest)
        self._scale = float(manifest["crop"])
        self._least = float(manifest["least_crop"])
        self._texture_slope = float(manifest["texture_slope"])
        self._context_slope = float(manifest["context_slope"])
        self._intercept = float(manifest["intercept"])

    def log_odds(self, image: Pixels, face: Face) -> float | None:
        """None where the picture does not show enough around the face."""
        if fitting_scale(image, face, self._scale) < self._least:
            return None
        return self._classifier.log_odds(image, face)

    def fuse(self, texture: float, context: float) -> float:
        return self._intercept + self._texture_slope * texture + self._context_slope * context


class Liveness:
    """A texture network on a tight crop, joined by a context network where its wide crop exists.

    manifest: as Classifier's, and slope and intercept (Platt scaling of the raw log-odds),
    threshold (on the score), `bpcer` (a table of other thresholds) and `gate` (limits, see Gate).
    bpcer: takes a row of that table as the threshold. Raises WeightsError for a rate not in it.
    """

    def __init__(
        self,
        network: Network,
        manifest: Mapping[str, Any],
        runtime: Runtime,
        context: Context | None = None,
        bpcer: float | None = None,
    ) -> None:
        self._texture = Classifier(network, manifest)
        self._runtime = runtime
        self._context = context
        self._slope = float(manifest["slope"])
        self._intercept = float(manifest["intercept"])
        self._gate = Gate(**{k: float(v) for k, v in manifest.get("gate", {}).items()})
        self.threshold = float(manifest["threshold"])
        if bpcer is not None:
            self.threshold = REFUSED_LIVE.threshold_at(bpcer, manifest.get("bpcer", []))

    def judge(self, image: Pixels, face: Face, tilted: bool = False) -> LivenessResult:
        """(H, W, 3) uint8 BGR and a face in it; tilted: known to be far from upright."""
        evidence = self.evidence(image, face)
        score = self._score(evidence)
        reason = self._gate.reason(image, face, tilted)
        return LivenessResult(
            score=score,
            probability=1 / (1 + math.exp(-score)),
            is_alive=reason is None and score > self.threshold,
            face=face,
            context=evidence.context is not None,
            assessable=reason is None,
            reason=reason,
        )

    def evidence(self, image: Pixels, face: Face) -> Evidence:
        """What the networks say, before calibration."""
        if self._context is None:
            return Evidence(self.log_odds(image, face), None)
        looks = [self._texture.log_odds, self._context.log_odds]
        texture, context = self._runtime.map(lambda look: look(image, face), looks)
        assert texture is not None  # only the context may be
        return Evidence(texture, context)

    def log_odds(self, image: Pixels, face: Face) -> float:
        """The texture network's own."""
        return self._texture.log_odds(image, face)

    def _score(self, evidence: Evidence) -> float:
        if self._context is None or evidence.context is None:
            score = self._intercept + self._slope * evidence.texture
        else:
            score = self._context.fuse(evidence.texture, evidence.context)
        return max(-SCORE_LIMIT, min(SCORE_LIMIT, score))


def fitting_scale(image: Pixels, face: Face, scale: float) -> float:
    """How many times the face's box fits into the picture, at most `scale`."""
    height, width = image.shape[:2]
    _, _, box_width, box_height = face.box
    return float(min(scale, (width - 1) / box_width, (height - 1) / box_height))


def context_crop(image: Pixels, face: Face, scale: float, size: int) -> Pixels:
    """The face and what is around it, (size, size, 3) uint8 BGR.

    The box grown `scale` times about its centre; where it would leave the picture it shrinks to
    fit and shifts inside, keeping the box's aspect, as the first network's training crops did.
    """
    height, width = image.shape[:2]
    x, y, box_width, box_height = face.box
    scale = fitting_scale(image, face, scale)
    half: NDArray[np.float64] = np.array([box_width, box_height]) * scale / 2
    limit = np.array([width - 1, height - 1])
    centre = np.array([x + box_width / 2, y + box_height / 2])
    centre = np.clip(centre, half, np.maximum(limit - half, half))
    left, top = np.floor(centre - half).astype(int)
    right, bottom = np.ceil(centre + half).astype(int)
    crop = image[max(top, 0) : bottom + 1, max(left, 0) : right + 1]
    return np.asarray(cv2.resize(crop, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)


def square_crop(image: Pixels, face: Face, scale: float, size: int, border: str) -> Pixels:
    """A square about the box's centre, `scale` times its longer side, (size, size, 3) uint8 BGR.

    border: beyond the picture's edge it is mirrored ("reflect") or "black".
    """
    height, width = image.shape[:2]
    x, y, box_width, box_height = face.box
    side = max(1, round(max(box_width, box_height) * scale))
    left, top = round(x + (box_width - side) / 2), round(y + (box_height - side) / 2)
    right, bottom = left + side, top + side
    inside = image[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    edges = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    crop = cv2.copyMakeBorder(inside, *edges, _BORDERS[border])
    how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (size, size), interpolation=how), np.uint8)
