"""Anti-spoof networks beside this engine's, judged on the same faces of the same pictures."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from engine.classifier import Classifier
from engine.errors import ImageError, one_line
from engine.evaluation.answers import Verdict
from engine.evaluation.captures import Capture
from engine.evaluation.photos import SampleError
from engine.evaluation.systems import LIBRARY, progress
from engine.images import Pixels, load
from engine.networks import Networks
from engine.operating import OperatingPoints
from engine.orientation import upright
from engine.packs import read_pack
from engine.results import Face
from engine.runtime import Runtime
from engine.view import View

SPECIFICATION = (
    "FILE:crop=1.5,size=128,channels=rgb,scale=255,live=0,border=reflect,softmax=1,threshold=0"
)
_DEFAULTS = {"crop": "1.5", "size": "128", "channels": "bgr", "scale": "1", "live": "0"}
_DEFAULTS |= {"border": "shift", "softmax": "0", "threshold": "0"}


class Peer:
    """An ONNX network with one (N, 3, size, size) input, and logits of two or more classes out.

    specification: a file, and after a colon what differs from crop=1.5,size=128,channels=bgr,
    scale=1,live=0,softmax=0,border=shift,threshold=0; pixels are divided by `scale`, softmax=1 says
    that what comes out are probabilities, and `threshold` are the log-odds above which a face is
    taken for live.
    Raises SampleError for one that cannot be read, WeightsError for a file that is no network.
    """

    def __init__(self, specification: str, runtime: Runtime) -> None:
        file, _, options = specification.partition(":")
        path = Path(file)
        self.name = path.stem
        try:
            stated = dict(part.partition("=")[::2] for part in options.split(",") if part)
            given = {**_DEFAULTS, **stated}
            if unknown := set(given) - set(_DEFAULTS):
                raise ValueError(f"it knows no {', '.join(sorted(unknown))}")
            manifest = {
                "size": int(given["size"]),
                "crop": given["crop"],
                "live_class": int(given["live"]),
                "channels": given["channels"].upper(),
                "std": float(given["scale"]),
                "border": given["border"],
                "probabilities": int(given["softmax"]) != 0,
            }
            if manifest["std"] == 0:
                raise ValueError("scale is not 0")
            self.threshold = float(given["threshold"])
            if not math.isfinite(self.threshold):
                raise ValueError("threshold is a finite number")
            network = runtime.load(path.read_bytes(), file)
            self._classifier = Classifier(network, manifest)
            self._try(int(given["size"]))
        except (OSError, ValueError) as error:
            raise SampleError(
                f"--peer {specification} cannot be used: {error}; it is written {SPECIFICATION}"
            ) from error

    def _try(self, size: int) -> None:
        """Raises ValueError for a network that does not take such a picture."""
        whole = Face((0, 0, size, size), 1.0, np.zeros((5, 2), np.float32))
        try:
            self._classifier.log_odds(np.zeros((size, size, 3), np.uint8), whole)
        except Exception as error:  # onnxruntime raises many kinds without a common base
            raise ValueError(f"it takes no picture of that kind ({one_line(error)})") from error

    def judge(self, view: View) -> Verdict:
        """Raises SampleError where the network gives no number."""
        score = self._classifier.log_odds(view.image, view.face)
        if not math.isfinite(score):
            raise SampleError(f"the peer {self.name} gives {score} for a picture, and no number")
        return Verdict(score, score > self.threshold)


class Bench:
    """The engine's liveness and any number of peers, behind one detector."""

    def __init__(
        self,
        pack: str | None,
        providers: Sequence[str] | None,
        bpcer: float | None,
        peers: Sequence[str],
        with_library: bool,
    ) -> None:
        runtime = Runtime(providers)
        networks = Networks(read_pack(pack), runtime, OperatingPoints(bpcer=bpcer))
        self._detection = networks.detection
        self._judges: dict[str, Callable[[View], Verdict]] = {}
        self.thresholds: dict[str, float] = {}
        if with_library:
            liveness = networks.liveness

            def judge(view: View) -> Verdict:
                result = liveness.judge(view.image, view.face, view.tilted)
                return Verdict(result.score, result.is_alive, result.assessable)

            self._judges[LIBRARY] = judge
            self.thresholds[LIBRARY] = liveness.threshold
        for one in peers:
            peer = Peer(one, runtime)
            # One file may come with several options, and two files may be called the same.
            name = one if peer.name in {LIBRARY, *self._judges} else peer.name
            self._judges[name] = peer.judge
            self.thresholds[name] = peer.threshold

    def judge(
        self, sample: Sequence[Capture], alter: Callable[[Pixels], Pixels] | None = None
    ) -> dict[str, list[Verdict | None]]:
        """Every system's verdicts on every capture, each first altered; None without a face."""
        verdicts: dict[str, list[Verdict | None]] = {name: [] for name in self._judges}
        for capture in progress(sample, "liveness"):
            view = self._view(capture.path, alter)
            for name, judge in self._judges.items():
                verdicts[name].append(None if view is None else judge(view))
        return verdicts

    def _view(self, path: Path, alter: Callable[[Pixels], Pixels] | None) -> View | None:
        try:
            pixels = load(path)
        except ImageError:
            return None
        return upright(self._detection, pixels if alter is None else alter(pixels))
