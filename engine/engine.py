"""Engine: one model pack, four capabilities, safe to share between threads."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from numbers import Integral
from os import PathLike
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.images import Image, load
from engine.inventory import cautions, inventory
from engine.networks import Networks
from engine.operating import OperatingPoints
from engine.orientation import faces, upright
from engine.packs import read_pack
from engine.recognition import face_not_found, loaded
from engine.results import Comparison, DescreenResult, Face, LivenessResult
from engine.runtime import Runtime

_log = logging.getLogger(__name__)


class Engine:
    """Detects, compares and descreens faces, and judges whether they are live.

    pack: folder of a model pack, or "fast", which comes with the engine as the default pack does;
        None is the default pack.
    providers: execution providers in order of preference ("cuda", "tensorrt", "openvino", "cpu" or
        full names), in a list or with commas between. None takes CUDA or OpenVINO where the
        installed onnxruntime has it and it activates, else the CPU; named and not active is an
        error.
    threads: CPU threads that one call may keep busy; None takes the cores this process may use.
        OpenCV, which resizes and turns, has threads of its own: cv2.setNumThreads.
    fmr: the false match rate of a comparison's threshold, one of the pack's table; None is 1e-3.
    bpcer: the share of live captures that liveness refuses, one of the pack's table; None takes
        the pack's own threshold.
    liveness_threshold: that threshold itself, -12 to below 12, in place of bpcer: what
        `python -m engine.evaluation liveness` tells of live captures of your own.
    batching: whether concurrent calls share runs of the embedding network. None: on a GPU yes, on
        a CPU no, where it is slower. No effect on a network that takes one face at a time, nor on
        insightface's.

    An image is a (H, W, 3) uint8 BGR array, the bytes of a PNG, JPEG or BMP, or a path to one.
    Every method may be called from many threads at once and gives the numbers that one gives; most
    gets done with one or two a core. Fork a process off only while no call is under way: a lock
    that another thread holds then is never given back in the new process. Calls in daemon threads
    have to be over before Python ends, or OpenCV ends it with an error. An engine is not copied or
    sent to another process: make one in each.

    Raises WeightsError for a pack that is missing, damaged or incomplete, or whose tables lack
    that fmr or bpcer, ProviderError for a provider that is named and not installed or not active,
    and EngineError for other arguments that cannot be.
    Methods that take pictures raise ImageError for one that cannot be used; when closed, all but
    close() raise EngineError.
    """

    def __init__(
        self,
        pack: str | PathLike[str] | None = None,
        providers: Sequence[str] | None = None,
        threads: int | None = None,
        *,
        fmr: float | None = None,
        bpcer: float | None = None,
        batching: bool | None = None,
        liveness_threshold: float | None = None,
    ) -> None:
        points = OperatingPoints(fmr, bpcer, liveness_threshold)
        if not (batching is None or isinstance(batching, bool)):
            raise EngineError(f"batching is True, False or None, not {batching!r}")
        self._runtime = Runtime(providers, threads)
        self._pack = read_pack(pack)
        self._open: Networks | None = Networks(self._pack, self._runtime, points, batching)
        _log.info("pack %s on %s", self._pack.name, ", ".join(self._runtime.providers.active))
        for caution in cautions(self._pack):
            _log.warning("pack %s: %s", self._pack.name, caution)

    def detect(self, image: Image, max_faces: int = 16) -> list[Face]:
        """At most `max_faces` faces, largest first; an empty list when there is none.

        A picture that lies on its side or on its head is turned to look for them; they are where
        they are in the picture as given. One face alone is found in a smaller picture, so that its
        box may differ by some pixels from that of the same face among several.
        Raises EngineError unless max_faces is a whole number from 1.
        """
        if not isinstance(max_faces, Integral) or max_faces < 1:
            raise EngineError(f"max_faces must be a whole number from 1, not {max_faces!r}")
        return faces(self._networks.detection, load(image), int(max_faces))

    def embed(self, image: Image) -> NDArray[np.float32]:
        """The largest face, seen as it is and mirrored, as (D,) float32 of unit length.

        Raises FaceNotFound.
        """
        vector: NDArray[np.float32] = self.embed_many([image])[0]
        return vector

    def embed_many(self, images: Iterable[Image]) -> NDArray[np.float32]:
        """The largest face of each picture as (N, D) float32 rows of unit length, like embed().

        images: any number of them, in any collection; they are decoded as their turn comes.
        Raises FaceNotFound and ImageError, naming the first such picture, and EngineError for
        no image, or for one that is in no collection.
        """
        encoded_or_path = isinstance(images, str | bytes | bytearray | memoryview | PathLike)
        if encoded_or_path or (isinstance(images, np.ndarray) and images.ndim == 3):
            raise EngineError("embed_many takes several images: put this one into a list")
        single = isinstance(images, np.ndarray) and images.ndim == 0
        if single or not isinstance(images, Iterable):
            raise EngineError(f"embed_many takes several images, not {type(images).__name__}")
        several = list(images)
        if not several:
            raise EngineError("embed_many needs at least one image")
        return self._networks.recognition.embed(several)

    def compare(
        self, a: Image, b: Image, id_photo: tuple[bool, bool] = (False, False)
    ) -> Comparison:
        """How alike the largest faces of two pictures are.

        id_photo marks, for each picture, an ID photo: one that carries a mesh is descreened first.
        The faces are looked at mirrored too, as embed() does, where that could change a decision.
        Raises FaceNotFound; both pictures are decoded before a face is looked for in either. Raises
        WeightsError for an ID photo when the pack has no descreen network, and EngineError unless
        id_photo is a pair of booleans.
        """
        pair = isinstance(id_photo, tuple | list) and len(id_photo) == 2
        if not pair or not all(isinstance(flag, bool | np.bool_) for flag in id_photo):
            raise EngineError("id_photo is a pair, one flag (True or False) for each picture")
        networks = self._networks  # close() lets a call finish that is under way
        pictures = self._runtime.map(lambda given: loaded(*given), [(a, 1), (b, 2)])
        for index, marked in enumerate(id_photo):
            if marked:
                pictures[index] = networks.descreener.descreen(pictures[index]).image
        return networks.recognition.compare(pictures)

    def liveness(self, image: Image) -> LivenessResult:
        """Whether the largest face is a live capture. Raises FaceNotFound.

        A picture that lies on its side or on its head is judged upright; the face in the result is
        where it is in the picture as given.
        Raises WeightsError when the pack has no liveness network.
        """
        networks = self._networks
        judge = networks.liveness.judge
        view = upright(networks.detection, load(image))
        if view is None:
            raise face_not_found()
        return replace(judge(view.image, view.face, view.tilted), face=view.as_given(view.face))

    def descreen(self, image: Image) -> DescreenResult:
        """The picture without its mesh, at the same size; no face is needed.

        Raises WeightsError when the pack has no descreen network.
        """
        return self._networks.descreener.descreen(load(image))

    def info(self) -> dict[str, Any]:
        """What is loaded: pack, networks with licence and origin, providers active, versions.

        Of each network that this engine runs itself, and not by another package, also `providers`,
        `runs` and `seconds`, the time spent in it so far.
        """
        return inventory(self._pack, self._networks, self._runtime)

    def close(self) -> None:
        """Let go of networks and threads; calls under way finish. Closing twice is no error."""
        self._open = None
        self._runtime.close()

    def __reduce__(self) -> NoReturn:
        raise EngineError("an engine is not copied or sent to another process: make one in each")

    def __enter__(self) -> "Engine":
        self._networks  # noqa: B018 - raises when closed
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _networks(self) -> Networks:
        networks = self._open
        if networks is None:
            raise EngineError("this engine is closed")
        return networks
