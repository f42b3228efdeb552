"""The calls that are measured, each as the limit, with arrays, with bytes, and by its peers."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from engine import Engine
from engine.evaluation.bench.limit import replay, replay_together, runs_of
from engine.evaluation.bench.peers import Peer
from engine.evaluation.bench.pictures import Picture
from engine.evaluation.bench.timing import Times, Work, interleaved
from engine.images import Image

LIMIT, TOGETHER = "limit", "limit, on all cores"
ARRAYS, BYTES = "engine, arrays", "engine, bytes"


@dataclass(frozen=True, slots=True)
class Call:
    """pictures: what it takes. ask: how the engine is asked. peer: the Peer's method of the same
    meaning, where there is one."""

    pictures: tuple[str, ...]
    ask: Callable[..., object]
    peer: str = ""


def _marked(engine: Engine, a: Image, b: Image) -> object:
    return engine.compare(a, b, (False, True))


CALLS = {
    "detect the largest, selfie": Call(("selfie",), partial(Engine.detect, max_faces=1), "detect"),
    "detect all, group of 12": Call(("group",), Engine.detect, "detect"),
    "detect the largest, 12 MP": Call(("phone",), partial(Engine.detect, max_faces=1), "detect"),
    "compare selfie, ID": Call(("selfie", "id"), Engine.compare, "compare"),
    "compare selfie, poor photo": Call(("selfie", "poor"), Engine.compare),
    "compare selfie, meshed ID": Call(("selfie", "meshed"), _marked),
    "compare 12 MP, 12 MP": Call(("phone", "phone"), Engine.compare, "compare"),
    "liveness, selfie": Call(("selfie",), Engine.liveness),
    "descreen, meshed ID": Call(("meshed",), Engine.descreen),
}


def measure(
    engine: Engine,
    pictures: Mapping[str, Picture],
    peers: Mapping[str, Peer],
    rounds: int,
    clock: Callable[[], float],
) -> dict[str, Times]:
    """Seconds of every call in each of its forms."""
    times = {}
    pool = ThreadPoolExecutor(engine.info()["threads"])
    for name, call in CALLS.items():
        arrays = [pictures[one].pixels for one in call.pictures]
        files = [pictures[one].data for one in call.pictures]
        runs = runs_of(partial(call.ask, engine, *arrays))
        works: dict[str, Work] = {
            LIMIT: partial(replay, runs),
            TOGETHER: partial(replay_together, pool, runs),
            ARRAYS: partial(call.ask, engine, *arrays),
            BYTES: partial(call.ask, engine, *files),
        }
        for peer_name, peer in peers.items():
            if call.peer:
                works[peer_name] = partial(getattr(peer, call.peer), *arrays)
        times[name] = interleaved(works, rounds, clock)
    return times
