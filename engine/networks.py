"""The networks of a pack, built: which kinds of network there are is listed here only."""

import logging

import cv2

from engine.descreen import Descreener
from engine.detection import Detection, Detector
from engine.embedding import ArcFace, Embedder
from engine.errors import EngineError, WeightsError
from engine.liveness import Context, Liveness
from engine.manifests import MANIFEST
from engine.network import Network
from engine.operating import PACKS_OWN, OperatingPoints
from engine.packs import MISFITS, Entry, Pack
from engine.providers import ON_CPU, OPENVINO
from engine.recognition import Recognition
from engine.runtime import Runtime
from engine.selection import Sizes
from engine.similarity import SimilarityScale
from engine.trial import try_out
from engine.yunet import YuNet
from engine.zoo import ZooDetector, ZooEmbedder
from engine.zoo_folder import ZOO

_log = logging.getLogger(__name__)

WIDE_DETECTION = 3 * 400 * 400
"""Values of a detector's input: a second thread gains nothing at 320 px, a fifth at 480 x 640."""


class Networks:
    """What a pack holds, loaded once and shared by all threads.

    A pack must have a detector, an embedding network and a similarity scale; the other two are
    optional until somebody asks for them. `loaded` holds the bare networks by role, as far as they
    are run by this engine and not by another package.
    Raises WeightsError for a pack that cannot be built, ProviderError as Runtime does.
    """

    def __init__(
        self,
        pack: Pack,
        runtime: Runtime,
        points: OperatingPoints = PACKS_OWN,
        batching: bool | None = None,
    ) -> None:
        self._pack = pack
        self._runtime = runtime
        self._batching = batching
        self.loaded: dict[str, Network] = {}
        with pack.section("detector"):
            self.detection = Detection(self._detector(pack.entry("detector")), runtime)
        with pack.section("embedding"):
            self.embedder = self._embedder(pack.entry("embedding"))
        with pack.section("similarity"):
            self.similarity = SimilarityScale(pack.similarity, points.fmr)
        self.recognition = Recognition(self.detection, self.embedder, self.similarity, runtime)
        context = self._context()
        with pack.section("liveness"):
            self._liveness = self._build_liveness(context, points)
        with pack.section("descreen"):
            self._descreener = self._build_descreener() if "descreen" in pack.entries else None
        self._try_out()

    @property
    def liveness(self) -> Liveness:
        """Raises WeightsError when the pack has none."""
        if self._liveness is None:
            raise self._pack.lacks("liveness")
        return self._liveness

    @property
    def descreener(self) -> Descreener:
        """Raises WeightsError when the pack has none."""
        if self._descreener is None:
            raise self._pack.lacks("descreen")
        return self._descreener

    def _try_out(self) -> None:
        """Raises WeightsError for a network that does not fit its settings."""
        try:
            try_out(self.detection, self.embedder, self._liveness, self._descreener)
        except (*MISFITS, EngineError, cv2.error, MemoryError) as error:
            raise WeightsError(
                f"{self._pack.folder / MANIFEST}: a network does not fit its settings: {error}"
            ) from error

    def _detector(self, entry: Entry) -> Detector:
        if entry.settings["kind"] == ZOO:
            return ZooDetector(entry, self._runtime)
        network = self._load(entry, "yunet", sizes="any", wide_from=WIDE_DETECTION)
        return YuNet(network, entry.settings)

    def _embedder(self, entry: Entry) -> Embedder:
        if entry.settings["kind"] == ZOO:
            return ZooEmbedder(entry, self._runtime)
        integers = entry.settings.get("integers", False)
        if not isinstance(integers, bool):
            raise ValueError(f"integers is true or false, not {integers!r}")
        network = self._load(entry, "arcface", integers=integers)
        if integers and OPENVINO not in network.providers:
            _log.warning(
                "pack %s is made for OpenVINO: without it, the default pack is faster; install "
                "onnxruntime-openvino in place of onnxruntime, or use that",
                self._pack.name,
            )
        on_gpu = network.providers[0] not in ON_CPU
        batching = on_gpu if self._batching is None else self._batching
        return ArcFace(network, entry.settings, self._runtime, batching)

    def _context(self) -> Context | None:
        if not {"liveness", "liveness_context"} <= self._pack.entries.keys():
            return None
        with self._pack.section("liveness_context"):
            entry = self._pack.entry("liveness_context")
            return Context(self._load(entry, "crop_classifier", light=True), entry.settings)

    def _build_liveness(self, context: Context | None, points: OperatingPoints) -> Liveness | None:
        if "liveness" not in self._pack.entries:
            if points.bpcer is not None or points.liveness_threshold is not None:
                raise self._pack.lacks("liveness")
            return None
        entry = self._pack.entry("liveness")
        network = self._load(entry, "crop_classifier", light=True)
        return Liveness(network, entry.settings, self._runtime, context, points)

    def _build_descreener(self) -> Descreener:
        entry = self._pack.entry("descreen")
        network = self._load(entry, "mask_and_clean", sizes="few", integers=True)
        return Descreener(network, entry.settings, self._runtime)

    def _load(
        self,
        entry: Entry,
        kind: str,
        *,
        sizes: Sizes = "one",
        wide_from: int | None = None,
        integers: bool = False,
        light: bool = False,
    ) -> Network:
        if entry.settings["kind"] != kind:
            raise WeightsError(
                f"{entry.folder / MANIFEST}: [{entry.role}] is of kind "
                f"{entry.settings['kind']!r}, which this engine does not know; it knows {kind!r}"
                + (f" and {ZOO!r}" if entry.role in ("detector", "embedding") else "")
            )
        network = self._runtime.load(
            entry.read(),
            str(entry.path),
            sizes=sizes,
            wide_from=wide_from,
            integers=integers,
            light=light,
        )
        self.loaded[entry.role] = network
        return network
