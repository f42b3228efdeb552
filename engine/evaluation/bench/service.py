"""The server from outside: throughput and latency against the limit's, overhead, memory, start."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle

import numpy as np

from engine import Engine
from engine.cores import usable_cores
from engine.evaluation.bench.limit import Run, replay, runs_of
from engine.evaluation.bench.load import Request, client, for_seconds, times_over, together
from engine.evaluation.bench.pictures import Picture
from engine.evaluation.bench.server import Server, serving
from engine.evaluation.bench.timing import Spread, Work, interleaved, spread

CLIENTS = (1, 4, 16)
MOST = CLIENTS[-1]


@dataclass(frozen=True, slots=True)
class Load:
    """rates: turns a second, of each round. seconds: of every turn."""

    rates: list[float]
    seconds: list[float]

    def figures(self) -> dict[str, float]:
        p50, p95, p99 = (float(1000 * t) for t in np.percentile(self.seconds, [50, 95, 99]))
        rate = float(np.median(self.rates))
        return {"per_second": rate, "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}

    def against(self, other: "Load") -> Spread:
        return spread([a / b for a, b in zip(self.rates, other.rates, strict=True)])


def loads(
    server: Server,
    pair: tuple[Picture, Picture],
    engines: Mapping[str, Engine],
    rounds: int,
    length: float,
    instances: Sequence[Server] = (),
) -> dict[str, Load]:
    """compare under load, round by round in turn with the networks alone, for so many seconds each.

    engines: by how the limit is named; each replays the networks' runs in one thread per core.
    instances: servers among which MOST clients are shared out besides.
    """
    request = Request(server, "compare", [picture.data for picture in pair])
    prepares: dict[str, tuple[Callable[[], Work], int]] = {}
    for name, engine in engines.items():
        runs = runs_of(partial(engine.compare, pair[0].pixels, pair[1].pixels))
        prepares[name] = partial(_replaying, runs), usable_cores()
    for count in CLIENTS:
        prepares[f"{count} client{'s' * (count > 1)}"] = partial(client, server, [request]), count
    if instances:
        shown = [picture.data for picture in pair]
        turns = cycle([(each, Request(each, "compare", shown)) for each in instances])
        name = f"{MOST} clients, {len(instances)} instances"
        prepares[name] = lambda: _client_of(next(turns)), MOST
    measured: dict[str, Load] = {name: Load([], []) for name in prepares}
    for _ in range(rounds):
        for name, (prepare, count) in prepares.items():
            taken, together_s = together(prepare, count, for_seconds(length))
            measured[name].rates.append(len(taken) / together_s)
            measured[name].seconds.extend(taken)
    return measured


def _client_of(turn: tuple[Server, Request]) -> Work:
    server, request = turn
    return client(server, [request])


def _replaying(runs: Sequence[Run]) -> Work:
    return partial(replay, runs)


def overhead(server: Server, engine: Engine, picture: Picture, rounds: int) -> Spread:
    """Milliseconds that detect takes over HTTP beyond the engine's own call on the same bytes."""
    send = client(server, [Request(server, "detect", [picture.data])])
    works: dict[str, Work] = {"http": send, "engine": partial(engine.detect, picture.data, 1)}
    times = interleaved(works, rounds)
    return spread(
        [1000 * (one - other) for one, other in zip(times["http"], times["engine"], strict=True)]
    )


def memory(server: Server, pictures: Mapping[str, Picture], requests: int) -> dict[str, float]:
    """Megabytes resident over so many requests of all four calls from MOST clients.

    early, late: medians after the second to fourth tenth of them, and after the last three.
    """
    small = [pictures[name].data for name in ("selfie", "meshed")]
    mixed = [
        Request(server, "compare", small),
        Request(server, "detect", small[:1]),
        Request(server, "detect", [pictures["group"].data], mutipleFace=True),
        Request(server, "detect", [pictures["phone"].data]),
        Request(server, "biodetect", small[:1]),
        Request(server, "erasemark", small[1:]),
    ]
    prepare = partial(client, server, mixed)
    held = []
    for _ in range(10):
        together(prepare, MOST, times_over(max(requests // 10, 1)))
        held.append(server.memory())
    return {
        "requests": requests,
        "early_mb": float(np.median(held[1:4])),
        "late_mb": float(np.median(held[-3:])),
        "peak_mb": server.memory("VmHWM"),
    }


def starts(settings: Mapping[str, object], count: int) -> tuple[list[float], list[float]]:
    """Seconds from process start to ready, and megabytes resident then, of so many servers."""
    seconds, megabytes = [], []
    for _ in range(count):
        with serving(settings) as server:
            seconds.append(server.ready)
            megabytes.append(server.memory())
    return seconds, megabytes
