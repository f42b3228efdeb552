"""Local face biometrics: detection, comparison, liveness and descreening over ONNX networks."""

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
