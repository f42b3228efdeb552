"""Networks of the insightface package's model folders (SCRFD or RetinaFace with ArcFace)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np

from engine.batching import MOST
from engine.boxes import Rows
from engine.embedding import Embeddings, unit
from engine.errors import EngineError, WeightsError, one_line
from engine.forks import Home, Keeper
from engine.images import Pixels
from engine.numbers import number
from engine.packs import Entry
from engine.providers import CPU, ON_CPU, options
from engine.runtime import Runtime
from engine.sessions import FAILURES
from engine.stdout import stdout_to_log
from engine.zoo_folder import described_roles, require

THINNEST = 100
"""Times its shorter side, a picture may be long: insightface shrinks a thinner one to nothing."""


class ZooDetector:
    """SCRFD or RetinaFace behind the interface of detection.Detector."""

    tells_tilt = False

    def __init__(self, entry: Entry, runtime: Runtime) -> None:
        self._model = _load(entry, runtime, "detection")
        self._keeper, self._home = Keeper(self._model), _home(self._model)
        settings = {"score_threshold": 0.5, "nms_threshold": 0.4, **entry.settings}
        self._model.det_thresh = number(settings, "score_threshold", 0, 1)
        self._model.nms_thresh = number(settings, "nms_threshold", 0, 1)
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
        with _told(self._home):
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
        self._keeper, self._home = Keeper(self._model), _home(self._model)
        self.size = int(self._model.input_size[0])
        self._most = 1 if self._model.input_shape[0] == 1 else MOST
        on_gpu = self._model.session.get_providers()[0] not in ON_CPU
        self._full = on_gpu  # it plans anew for every number of faces

    def embed(self, crops: Sequence[Pixels]) -> Embeddings:
        parts = [list(crops[i : i + self._most]) for i in range(0, len(crops), self._most)]
        if self._full:
            parts[-1] += [crops[0]] * (self._most - len(parts[-1]))
        with _told(self._home):
            vectors = np.concatenate([self._model.get_feat(part) for part in parts])
        return unit(vectors[: len(crops)])


def _home(model: Any) -> Home:
    return Home(model.session.get_providers() == [CPU])


@contextmanager
def _told(home: Home) -> Iterator[None]:
    """onnxruntime's errors in a run are EngineErrors, and a run elsewhere is one, as Network.run
    has it."""
    home.check()
    try:
        yield
    except FAILURES as error:
        raise EngineError(f"a network does not run: {one_line(error)}") from error


def _load(entry: Entry, runtime: Runtime, task: str) -> Any:
    entry.read()
    zoo = require("insightface.model_zoo")
    asked = runtime.providers.for_sizes("any" if task == "detection" else "one")
    # With its manifest.json beside it, a file is fed as that says; else as insightface guesses.
    told = {"model_task": task} if entry.path.resolve() in described_roles(entry.folder) else {}
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
        raise WeightsError(
            f"{entry.path} does not load as a {task} network: {one_line(error)}"
        ) from error
    if getattr(model, "taskname", None) != task:
        raise WeightsError(f"{entry.path} is not a {task} network that insightface knows")
    model.session.disable_fallback()  # to the CPU, silently, in the middle of a run
    runtime.providers.require(model.session.get_providers(), asked)
    return model
