"""Local face biometrics: detection, comparison, liveness and descreening over ONNX networks."""

from engine.engine import Engine
from engine.errors import EngineError, FaceNotFound, ImageError, ProviderError, WeightsError

__all__ = ["Engine", "EngineError", "FaceNotFound", "ImageError", "ProviderError", "WeightsError"]
