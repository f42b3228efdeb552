"""Liveness: how crops around the face become the calibrated log-odds of a live capture."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.classifier import Classifier
from engine.crops import fitting_scale
from engine.errors import EngineError
from engine.gate import Gate
from engine.images import Pixels
from engine.network import Network
from engine.numbers import number
from engine.operating import PACKS_OWN, SCORE_LIMIT, ErrorRate, OperatingPoints
from engine.results import Face, LivenessResult
from engine.runtime import Runtime

REFUSED_LIVE = ErrorRate(
    key="bpcer",
    threshold="threshold",
    trials="captures",
    name="BPCER",
    sample="live captures",
    advice="python -m engine.evaluation liveness CAPTURES measures your own, at every threshold",
)


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
    Raises what packs.MISFITS lists for a setting that is missing or wrong.
    """

    def __init__(self, network: Network, manifest: Mapping[str, Any]) -> None:
        self._classifier = Classifier(network, manifest)
        self._least = number(manifest, "least_crop")
        self._texture_slope = number(manifest, "texture_slope")
        self._context_slope = number(manifest, "context_slope")
        self._intercept = number(manifest, "intercept")

    def log_odds(self, image: Pixels, face: Face) -> float | None:
        """None where the picture does not show enough around the face."""
        if fitting_scale(image, face, self._classifier.scale) < self._least:
            return None
        return self._classifier.log_odds(image, face)

    def fuse(self, texture: float, context: float) -> float:
        return self._intercept + self._texture_slope * texture + self._context_slope * context


class Liveness:
    """A texture network on a tight crop, joined by a context network where its wide crop exists.

    manifest: as Classifier's, and slope and intercept (Platt scaling of the raw log-odds),
    threshold (on the score), `bpcer` (a table of other thresholds) and `gate` (limits, see Gate).
    points: another threshold than the manifest's, a row of that table or itself.
    Raises what packs.MISFITS lists for a setting that is missing or wrong,
    and WeightsError for a rate that is not in the table.
    """

    def __init__(
        self,
        network: Network,
        manifest: Mapping[str, Any],
        runtime: Runtime,
        context: Context | None = None,
        points: OperatingPoints = PACKS_OWN,
    ) -> None:
        self._texture = Classifier(network, manifest)
        self._runtime = runtime
        self._context = context
        self._slope = number(manifest, "slope")
        if not self._slope > 0:
            raise ValueError("slope is above 0")
        self._intercept = number(manifest, "intercept")
        gate = manifest.get("gate", {})
        self._gate = Gate(**{key: number(gate, key) for key in gate})
        self.threshold = number(manifest, "threshold")
        if points.bpcer is not None:
            self.threshold = REFUSED_LIVE.threshold_at(points.bpcer, manifest.get("bpcer", []))
        if points.liveness_threshold is not None:
            self.threshold = points.liveness_threshold

    def judge(self, image: Pixels, face: Face, tilted: bool = False) -> LivenessResult:
        """(H, W, 3) uint8 BGR and a face in it; tilted: known to be far from upright."""
        evidence = self.evidence(image, face)
        score = self._score(evidence)
        reason = self._gate.reason(image, face, tilted)
        return LivenessResult(
            score=score,
            probability=1 / (1 + math.exp(-score)),
            threshold=self.threshold,
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
        if not math.isfinite(score):  # min() and max() would make a sure "live" of it
            raise EngineError("the liveness network gave no number: its weights may be damaged")
        return max(-SCORE_LIMIT, min(SCORE_LIMIT, score))
