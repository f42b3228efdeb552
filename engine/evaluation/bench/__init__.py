"""Speed against its limit, the time of the networks alone, and against other programs, in one run.

bench --out build/bench           everything is measured in turn, so that what else the machine does
                                  falls on all alike: trust the ratios before the milliseconds
"""

import argparse
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from engine import Engine
from engine.cores import usable_cores
from engine.evaluation.arguments import at_least, positive
from engine.evaluation.bench import calls, machine, peers, pictures, service, stages, tables
from engine.evaluation.bench.pictures import Picture
from engine.evaluation.bench.server import serving
from engine.evaluation.bench.timing import Times, interleaved
from engine.evaluation.provenance import provenance
from engine.evaluation.report import Report
from engine.networks import Networks
from engine.packs import read_pack
from engine.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Effort:
    """rounds: of calls. load_rounds, seconds: of load, and how long each is. requests: over which
    memory is watched. starts: of servers."""

    rounds: int = 30
    load_rounds: int = 5
    seconds: float = 3.0
    requests: int = 5000
    starts: int = 5


QUICK = Effort(rounds=2, load_rounds=1, seconds=0.3, requests=40, starts=1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="few rounds: does it run at all?")
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="time calls by what all threads computed (peers wait busily): for a busy machine",
    )
    parser.add_argument("--models", type=Path, help="folder of the networks for FaceAnalysis")
    parser.add_argument(
        "--threads", type=at_least(1), help="CPU threads that one call may keep busy"
    )
    parser.add_argument(
        "--slots", type=at_least(1), help="requests that the server works on at a time"
    )
    parser.add_argument(
        "--instances",
        type=at_least(1),
        default=1,
        help="servers that share threads and slots, beside the one that has all",
    )
    for field in fields(Effort):
        flag = "--" + field.name.replace("_", "-")
        kind = at_least(1) if isinstance(field.default, int) else positive
        parser.add_argument(flag, type=kind, help=f"{field.default} when absent")


def run(args: argparse.Namespace) -> int:
    given = {field.name: getattr(args, field.name) for field in fields(Effort)}
    effort = replace(
        QUICK if args.quick else Effort(), **{k: v for k, v in given.items() if v is not None}
    )
    report = Report("Speed: ratios to the networks' own time, and to other programs")
    shown = pictures.fixed()
    others, skipped = peers.available(args.models)
    metrics: dict[str, Any] = {
        "machine": machine.about(),
        "effort": asdict(effort),
        "skipped": skipped,
    }
    with Engine(args.pack, args.providers, args.threads) as engine:
        metrics["engine"] = engine.info()
        tables.about(report, metrics)
        clock = time.process_time if args.cpu_time else time.perf_counter
        timed = calls.measure(engine, shown, others, effort.rounds, clock)
        metrics["calls"] = tables.calls(report, timed)
        metrics["http"] = _served(args, engine, shown, effort, report)
    metrics["stages"] = tables.stages(report, _stages(args, shown, effort.rounds))
    metrics["targets"] = tables.targets(report, metrics)
    report.write(args.out, metrics, provenance(args))
    return 0


def _served(
    args: argparse.Namespace,
    engine: Engine,
    shown: dict[str, Picture],
    effort: Effort,
    report: Report,
) -> dict[str, Any]:
    chosen = {name: getattr(args, name) for name in ("pack", "providers", "threads", "slots")}
    settings = {name: value for name, value in chosen.items() if value is not None}
    seconds, idle = service.starts(settings, effort.starts)
    pair = shown["selfie"], shown["id"]
    with serving(settings) as server, Engine(args.pack, args.providers, 1) as single:
        limits = {"limit": engine, "limit, 1 thread": single}
        with ExitStack() as stack:
            each = max(1, usable_cores() // args.instances)
            share = {**settings, "threads": each, "slots": each}
            several = range(args.instances if args.instances > 1 else 0)
            instances = [stack.enter_context(serving(share)) for _ in several]
            load = service.loads(
                server, pair, limits, effort.load_rounds, effort.seconds, instances
            )
        beyond = service.overhead(server, engine, shown["phone"], effort.rounds)
    with serving(settings) as server:
        memory = service.memory(server, shown, effort.requests)
    return tables.http(report, load, beyond, seconds, idle, memory)


def _stages(args: argparse.Namespace, shown: dict[str, Picture], rounds: int) -> dict[str, Times]:
    pack = read_pack(args.pack)
    networks = Networks(pack, Runtime(args.providers, args.threads))
    return {
        name: interleaved(
            stages.of_picture(networks, pack, picture.data) | stages.of_request(picture.data),
            rounds,
        )
        for name, picture in shown.items()
    }
