"""Networks of the insightface package's model folders (SCRFD or RetinaFace with ArcFace)."""

import hashlib
import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.batching import MOST
from engine.boxes import Rows
from engine.embedding import Embeddings, unit
from engine.errors import EngineError, WeightsError
from engine.images import Pixels
from engine.network import SESSION_ERRORS
from engine.packs import Entry
from engine.providers import options
from engine.runtime import Runtime
from engine.stdout import stdout_to_log

LICENCE = "non-commercial research only, unless its owner granted you more"
UNCALIBRATED_COSINE = 0.55
"""Where a folder without a manifest is cut: a light ArcFace network has FMR 1e-3 there on pairs of
East Asian women. weights/build/calibrate.py measures a pack's own."""

THINNEST = 100
"""Times its shorter side, a picture may be long: insightface shrinks a thinner one to nothing."""


class ZooDetector:
    """SCRFD or RetinaFace behind the interface of detection.Detector."""

    tells_tilt = False

    def __init__(self, entry: Entry, runtime: Runtime) -> None:
        self._model = _load(entry, runtime, "detection")
        self._model.det_thresh = float(entry.settings.get("score_threshold", 0.5))
        self._model.nms_thresh = float(entry.settings.get("nms_threshold", 0.4))
        # A network that takes any size has an `input_size` all the same, its usual one.
        self._fixed = getattr(self._model, "static_input_size", self._model.input_size)

    def rows(self, image: Pixels, longest: int) -> Rows:
        image = _not_too_thin(image)
        fixed = self._fixed
        if fixed is not None and longest < fixed[0]:
            # A network of fixed size misses faces that fill the frame: it looks small at a small
            # picture on a large canvas.
            scale = longest / max(image.shape[:2])
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            canvas = np.zeros((fixed[1], fixed[0], 3), np.uint8)
            canvas[: len(small), : len(small[0])] = small
            rows = self._rows(canvas, fixed[0])
            rows[:, 1:] /= np.float32(scale)
            return rows
        return self._rows(image, longest)

    def each(self, images: Sequence[Pixels]) -> list[Rows]:
        return [self.rows(image, max(image.shape[:2])) for image in images]

    def _rows(self, image: Pixels, longest: int) -> Rows:
        with _told():
            boxes, landmarks = self._model.detect(image, input_size=(longest, longest))
        if landmarks is None:
            raise WeightsError("the detector gives no landmarks: use one with five ('kps')")
        boxes, landmarks = np.asarray(boxes), np.asarray(landmarks).reshape(-1, 10)
        return np.concatenate([boxes[:, 4:5], boxes[:, :4], landmarks], 1).astype(np.float32)


def _not_too_thin(image: Pixels) -> Pixels:
    """The picture, black below it or on its right where it is thinner than THINNEST."""
    height, width = image.shape[:2]
    least = -(-max(height, width) // THINNEST)
    spare = max(0, least - height), max(0, least - width)
    if not any(spare):
        return image
    return np.asarray(cv2.copyMakeBorder(image, 0, spare[0], 0, spare[1], cv2.BORDER_CONSTANT))


class ZooEmbedder:
    """An ArcFace-type network behind the interface of embedding.Embedder."""

    def __init__(self, entry: Entry, runtime: Runtime) -> None:
        self._model = _load(entry, runtime, "recognition")
        self.size = int(self._model.input_size[0])
        self._most = 1 if self._model.input_shape[0] == 1 else MOST

    def embed(self, crops: Sequence[Pixels]) -> Embeddings:
        with _told():
            parts = [crops[i : i + self._most] for i in range(0, len(crops), self._most)]
            return unit(np.concatenate([self._model.get_feat(list(part)) for part in parts]))


@contextmanager
def _told() -> Iterator[None]:
    """onnxruntime's errors in a run are EngineErrors, as Network.run has it."""
    try:
        yield
    except SESSION_ERRORS as error:
        raise EngineError(f"a network does not run: {error}") from error


def implied_manifest(folder: Path) -> dict[str, Any]:
    """What pack.toml would say of a model folder as insightface unpacks it.

    Raises WeightsError when there is not exactly one detector and one embedding network.
    """
    roles: dict[str, list[Path]] = {"detector": [], "embedding": []}
    described = _described(folder)
    for path in sorted(folder.glob("*.onnx")):
        role = described.get(path.resolve()) if described else _role(path)
        if role:
            roles[role].append(path)
    for role, paths in roles.items():
        if len(paths) != 1:
            names = ", ".join(path.name for path in paths) or "none"
            raise WeightsError(
                f"{folder} has no pack.toml and not exactly one {role} network ({names}): "
                "write a pack.toml (see weights/README.md)"
            )
    sections = {
        role: {
            "kind": "insightface",
            "file": paths[0].name,
            "sha256": hashlib.sha256(paths[0].read_bytes()).hexdigest(),
            "licence": LICENCE,
            "commercial_use": False,
            "origin": "an insightface model folder without a manifest",
        }
        for role, paths in roles.items()
    }
    return {
        "pack": {"name": folder.name, "extends": "default"},
        "similarity": {"cosine": UNCALIBRATED_COSINE, "steepness": 12.0},
        **sections,
    }


def _described(folder: Path) -> dict[Path, str]:
    """The files' roles by insightface's own manifest.json; none where there is no such file."""
    zoo = _require("insightface.model_zoo.package_manifest")
    if not zoo.has_model_package_manifest(folder):
        return {}
    try:
        tasks = zoo.load_model_package(folder).tasks
    except (OSError, TypeError, ValueError) as error:
        raise WeightsError(f"{folder}: insightface's manifest.json: {error}") from error
    named = {"detection": "detector", "recognition": "embedding"}
    return {tasks[task].path: role for task, role in named.items() if task in tasks}


def _role(path: Path) -> str | None:
    """Told by the shapes of inputs and outputs, as insightface itself routes a file."""
    onnx = _require("onnx")
    try:
        graph = onnx.load(path, load_external_data=False).graph
    except Exception as error:  # protobuf's errors have no base of their own
        raise WeightsError(f"{path} is no ONNX network: {error}") from error
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in stored]
    if len(graph.output) >= 5:
        return "detector"
    if not inputs:
        return None
    sides = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim[2:]]
    if len(inputs) == 1 and len(graph.output) == 1 and sides == [112, 112]:
        return "embedding"
    return None


def _load(entry: Entry, runtime: Runtime, task: str) -> Any:
    entry.read()
    zoo = _require("insightface.model_zoo")
    asked = runtime.providers_for(any_size=task == "detection")
    # With its manifest.json beside it, a file is fed as that says; else as insightface guesses.
    told = {"model_task": task} if entry.path.resolve() in _described(entry.folder) else {}
    try:
        with stdout_to_log():
            model = zoo.get_model(
                str(entry.path),
                providers=asked,
                provider_options=[options(name, runtime.at_once) for name in asked],
                sess_options=runtime.session_options(),
                # All sizes in the one session that is looked at below.
                static_shape_sessions=False,
                **told,
            )
    except Exception as error:  # whatever that package or onnxruntime makes of a wrong file
        raise WeightsError(f"{entry.path} does not load as a {task} network: {error}") from error
    if getattr(model, "taskname", None) != task:
        raise WeightsError(f"{entry.path} is not a {task} network that insightface knows")
    model.session.disable_fallback()  # to the CPU, silently, in the middle of a run
    runtime.require(model.session.get_providers(), asked)
    return model


def _require(module: str) -> Any:
    """insightface takes a second to import and is wanted by few, so it is imported here only."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise WeightsError(
            f"this pack needs the insightface package, and {error.name} is not installed: "
            "pip install onnx requests scikit-image scipy tqdm && "
            "pip install --no-deps insightface==2.1"
        ) from error
