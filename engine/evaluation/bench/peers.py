"""What somebody would run otherwise: the same pictures, decoded, through other programs."""

import tempfile
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from engine.evaluation.photos import SampleError
from engine.images import Pixels
from engine.packs import read_pack

DETECTION_SIZE = 640
"""Longest side, in pixels, at which both look for faces: FaceAnalysis' usual setting."""

PAIR = ("scrfd_500m_bnkps.onnx", "arcface_mobilefacenet_128d.onnx")


class Peer(Protocol):
    """Another program's answer to the same question; what it returns is not looked at."""

    def detect(self, image: Pixels) -> object: ...

    def compare(self, a: Pixels, b: Pixels) -> object: ...


def available(models: Path | None) -> tuple[dict[str, Peer], dict[str, str]]:
    """The peers that run here, and for those that do not, why."""
    peers: dict[str, Peer] = {}
    skipped: dict[str, str] = {}
    for name, build in (
        ("FaceAnalysis", lambda: InsightFace(models)),
        ("OpenCV", OpenCV),
    ):
        try:
            peers[name] = build()
        except SampleError as error:
            skipped[name] = str(error)
    return peers, skipped


class InsightFace:
    """insightface.app.FaceAnalysis with the light SCRFD and ArcFace networks, settings its own.

    models: a folder that holds the two files of PAIR. Raises SampleError.
    """

    def __init__(self, models: Path | None) -> None:
        if models is None or not all((models / name).is_file() for name in PAIR):
            raise SampleError(f"give --models DIR, a folder with {' and '.join(PAIR)}")
        try:
            from insightface.app import FaceAnalysis
        except ImportError as error:
            raise SampleError(f"{error.name} is not installed") from error
        with tempfile.TemporaryDirectory() as folder:  # it loads whatever lies in one
            for name in PAIR:
                (Path(folder) / name).symlink_to((models / name).resolve())
            self._app: Any = FaceAnalysis(
                folder,
                allowed_modules=["detection", "recognition"],
                providers=["CPUExecutionProvider"],
            )
            self._app.prepare(ctx_id=-1, det_size=(DETECTION_SIZE, DETECTION_SIZE))

    def detect(self, image: Pixels) -> object:
        return self._app.det_model.detect(image, max_num=0)

    def compare(self, a: Pixels, b: Pixels) -> object:
        one, other = (self._app.get(image, max_num=1)[0].normed_embedding for image in (a, b))
        return float(one @ other)


class OpenCV:
    """cv2.FaceDetectorYN and cv2.FaceRecognizerSF with the default pack's own two files.

    The picture is brought to DETECTION_SIZE first, as OpenCV's samples do. Raises SampleError.
    """

    def __init__(self) -> None:
        entries = read_pack().entries
        try:
            self._detector = cv2.FaceDetectorYN.create(str(entries["detector"].path), "", (0, 0))
            self._recogniser = cv2.FaceRecognizerSF.create(str(entries["embedding"].path), "")
            self._recogniser.feature(np.zeros((112, 112, 3), np.uint8))
        except (cv2.error, AttributeError) as error:
            raise SampleError(f"OpenCV {cv2.__version__} does not run the files: {error}") from None

    def detect(self, image: Pixels) -> object:
        return self._found(image)[1]

    def compare(self, a: Pixels, b: Pixels) -> object:
        one, other = (self._embedding(image) for image in (a, b))
        return self._recogniser.match(one, other, cv2.FaceRecognizerSF_FR_COSINE)

    def _found(self, image: Pixels) -> tuple[Any, Any]:
        scale = DETECTION_SIZE / max(image.shape[:2])
        if scale < 1:
            image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale), np.uint8)
        self._detector.setInputSize(image.shape[1::-1])
        return image, self._detector.detect(image)[1]

    def _embedding(self, image: Pixels) -> Any:
        small, faces = self._found(image)
        largest = max(faces, key=lambda face: face[2] * face[3])
        return self._recogniser.feature(self._recogniser.alignCrop(small, largest)).copy()
