"""Local face biometrics: detection, comparison, liveness and descreening over ONNX networks."""

import os

# onnxruntime's official builds send data on the machine to their makers, from the moment they are
# imported: only this, before that, keeps them from it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from engine.engine import Engine
from engine.errors import EngineError, FaceNotFound, ImageError, ProviderError, WeightsError
from engine.images import Image
from engine.results import Comparison, DescreenResult, Face, FaceQuality, LivenessResult

__all__ = [
    "Comparison",
    "DescreenResult",
    "Engine",
    "EngineError",
    "Face",
    "FaceNotFound",
    "FaceQuality",
    "Image",
    "ImageError",
    "LivenessResult",
    "ProviderError",
    "WeightsError",
]
