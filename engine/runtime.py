"""ONNX Runtime, and every decision about it: providers, threads and sessions."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral

import onnxruntime

from engine.cores import usable_cores
from engine.errors import EngineError, WeightsError, one_line
from engine.network import Network
from engine.pool import Item, Pool, Result
from engine.providers import CPU, CUDA, TENSORRT, installed_builds, options
from engine.selection import Selection, Sizes
from engine.sessions import FAILURES, SESSION_ERRORS, Choice, PerSize, by_width
from engine.stdout import stdout_to_log

_log = logging.getLogger(__name__)

MOST_THREADS = 1024

# onnxruntime's name for the folder of the files that hold a network's weights beside its own.
EXTERNAL_DATA = "session.model_external_initializers_file_folder_path"


class Runtime:
    """Loads networks on execution providers, and shares out the CPU among them.

    Most of the networks here are so small that a second thread gains a run little or nothing
    (SFace a third of its time, the detector at 160 pixels and the anti-spoof networks nothing), so
    each run has one thread and what does not depend on each other runs side by side.

    providers: as providers.chosen takes them; the attribute is what became of them, a Selection.
    threads: CPU threads that one call may keep busy; None takes the cores this process may use.

    Raises EngineError for threads that are no whole number from 1 to MOST_THREADS, and
    ProviderError as providers.chosen does.
    """

    def __init__(self, providers: Sequence[str] | None = None, threads: int | None = None) -> None:
        whole = isinstance(threads, Integral) and not isinstance(threads, bool)
        if threads is not None and (not whole or not 1 <= threads <= MOST_THREADS):
            raise EngineError(
                f"threads must be a whole number from 1 to {MOST_THREADS}, not {threads!r}"
            )
        if len(builds := installed_builds()) > 1:
            _log.warning(
                "%s overwrite each other's files: pip uninstall them all, then install one",
                " and ".join(builds),
            )
        self.providers = Selection(providers)
        self.threads = threads or usable_cores()
        self.version: str = onnxruntime.__version__
        self._pool = Pool(self.threads)
        if {CUDA, TENSORRT} & set(self.providers.wanted) and hasattr(onnxruntime, "preload_dlls"):
            # Finds the CUDA and cuDNN libraries that pip installed as nvidia-* packages.
            with stdout_to_log():
                onnxruntime.preload_dlls(directory="")

    def session_options(self, threads: int | None = None) -> onnxruntime.SessionOptions:
        """threads: of one run; None takes all that a call may keep busy. They sleep between runs,
        and onnxruntime says nothing but fatal errors."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # Threads that spin after their work starve the other networks' threads.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return options

    def load(
        self,
        model: bytes,
        name: str,
        *,
        sizes: Sizes = "one",
        wide_from: int | None = None,
        integers: bool = False,
        light: bool = False,
    ) -> Network:
        """Build a session from a file's bytes; the name is for messages.

        sizes, light: see Selection.for_sizes. wide_from: a run uses all threads when its first
        input has at least this many values; None: never. integers: what the file quantises is
        multiplied as integers, where it is otherwise only a way to store floats.
        Raises WeightsError when they are no network that runs here, and ProviderError.
        """
        asked = self.providers.for_sizes(sizes, light)
        session = partial(self._session, model, name, asked, sizes, integers)
        try:
            narrow = session()
            active = narrow.get_providers()
            self.providers.require(active, asked)
            choose: Choice | None = None
            if active[0] == CUDA:
                choose = PerSize(narrow, session)
            elif wide_from is not None and self.threads > 1:
                choose = by_width(narrow, session(threads=self.threads), wide_from)
        except FAILURES as error:
            if isinstance(error, SESSION_ERRORS) and not self._is_the_provider(
                model, name, asked, sizes, integers
            ):
                raise WeightsError(
                    f"{name} does not load as an ONNX network: {one_line(error)}"
                ) from error
            self.providers.without(error, asked)
            return self.load(
                model, name, sizes=sizes, wide_from=wide_from, integers=integers, light=light
            )
        return Network(narrow, choose, forks=active == [CPU])

    def _is_the_provider(
        self, model: bytes, name: str, asked: Sequence[str], sizes: Sizes, integers: bool
    ) -> bool:
        """Whether what does not load as asked is a network all the same, which the CPU runs: some
        providers begin, and then cannot translate it, or have no memory for it."""
        if list(asked) == [CPU]:
            return False
        try:
            self._session(model, name, [CPU], sizes, integers)
        except FAILURES:
            return False
        return True

    @property
    def at_once(self) -> int:
        """Runs of a network that may be under way: those of one call, and other calls' beside."""
        return max(self.threads, usable_cores())

    def _session(
        self,
        model: bytes,
        name: str,
        asked: Sequence[str],
        sizes: Sizes,
        integers: bool,
        threads: int = 1,
    ) -> onnxruntime.InferenceSession:
        """Raises one of SESSION_ERRORS, or RuntimeError where a provider does not begin."""
        settings = self.session_options(threads)
        # A plan is kept for every size that ever came, and memory for the largest of them.
        settings.enable_mem_pattern = sizes == "one"
        # Weights in another file would have no checksum, and be looked for wherever one is now.
        nowhere = f"{name}.is-to-hold-all-its-weights".encode("utf-8", "replace").decode()
        settings.add_session_config_entry(EXTERNAL_DATA, nowhere)
        if not integers:
            # Block-quantised weights become float constants at load instead of at every run.
            settings.add_session_config_entry("session.disable_quant_qdq", "1")
        # onnxruntime's own way back to the CPU is told on stdout only, and taken silently even
        # in the middle of a run.
        session = onnxruntime.InferenceSession(
            model,
            settings,
            providers=[(each, options(each, self.at_once)) for each in asked],
            enable_fallback=0,
        )
        session.disable_fallback()  # where the argument above is not known yet
        return session

    def map(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """What the work makes of every item, in order, side by side: see Pool.map."""
        return self._pool.map(work, items)

    def close(self) -> None:
        """End the threads that help. Calls under way finish, and later ones run in their own."""
        self._pool.close()
