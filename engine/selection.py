"""Selection: which execution providers networks are loaded on, and which of them really run."""

import logging
from collections.abc import Sequence
from typing import Literal

from engine.errors import ProviderError, one_line
from engine.providers import CPU, CUDA, OPENVINO, advice, chosen

Sizes = Literal["one", "few", "any"]
"""How many sizes a network's inputs have."""

_INACTIVE = "%s does not activate, and what is left runs in its place: %s"

_log = logging.getLogger(__name__)


class Selection:
    """The providers of one runtime.

    names: as chosen() takes them, and raises ProviderError.
    required: must activate. wanted: all that are asked for, in order. active: in that order, where
    the networks loaded so far really run.
    """

    def __init__(self, names: Sequence[str] | None) -> None:
        self.required, self.wanted = chosen(names)
        self._order = self.wanted
        self.active: list[str] = []

    def for_sizes(self, sizes: Sizes, light: bool = False) -> list[str]:
        """What to load a network on, in order.

        OpenVINO and TensorRT compile it anew for every size of its input, and are asked for where
        there is one. cuDNN plans it anew, which pays for a few sizes (PerSize), and not for a
        detector's: on an H200 YuNet's plans take 0.1 to 2.9 s a size, its runs 1.4 ms at 160
        pixels, and those on a core of the CPU 0.5. A light network is as fast on the CPU as with
        OpenVINO, which takes some 40 MB more for it.
        """
        if sizes == "any":
            return [CPU]
        wanted = [name for name in self.wanted if not (light and name == OPENVINO)]
        return [name for name in wanted if sizes == "one" or name in (CUDA, CPU)]

    def without(self, error: Exception, asked: Sequence[str]) -> None:
        """Leave the providers of which one does not begin for the CPU, if none of them was named.
        Raises ProviderError if one was, or if it was the CPU."""
        said = one_line(error)
        if self.required or list(asked) == [CPU]:
            others = [name for name in asked if name != CPU]
            name = next((name for name in others if name in self.required), (*others, CPU)[0])
            raise ProviderError(
                f"{name} was asked for and did not activate; {advice(name)}. "
                f"onnxruntime says: {said}"
            ) from error
        _log.warning(_INACTIVE, asked[0], said)
        self.wanted = [CPU]

    def require(self, active: Sequence[str], asked: Sequence[str]) -> None:
        """Note a session's active providers. Raises ProviderError when one that was named, and
        asked for, is not among them: silently not used is worse than not started. One that was not
        named is logged, once, and no longer asked for."""
        for name in self.required:
            if name in asked and name not in active:
                raise ProviderError(
                    f"{name} was asked for and did not activate (active: {', '.join(active)}); "
                    f"{advice(name)}"
                )
        for name in set(asked) - set(active):  # onnxruntime went on without it, and silently
            _log.warning(_INACTIVE, name, advice(name))
            self.wanted = [each for each in self.wanted if each != name]
        self.active = [name for name in self._order if name in {*self.active, *active}]
