"""python -m shim.conformance URL: hold a server against the contract."""

import argparse
import http.client
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shim.conformance import cases, judge, recording
from shim.conformance.builder import build
from shim.conformance.cases import Case
from shim.conformance.recording import Tolerance
from shim.conformance.transport import Reply, over_socket, reach
from shim.keys import DEMO


def main() -> int:
    """Returns 0 when every reply is right, 1 when one is not, 2 for a wrong command line, a
    recording that cannot be read or written, or when nobody listens."""
    arguments = _parser().parse_args()
    theirs: dict[str, Any] | None = None
    if arguments.replay:
        try:
            theirs = recording.load(arguments.replay)
        except (OSError, ValueError) as error:
            print(f"Cannot read {arguments.replay}: {error}", file=sys.stderr)
            return 2
    unreachable = reach(arguments.url, arguments.wait)
    if unreachable is not None:
        advice = "start the server, or give the address that it prints when it starts"
        print(f"No connection to {arguments.url} ({unreachable}): {advice}", file=sys.stderr)
        return 2
    if arguments.record:
        try:
            arguments.record.open("a").close()  # before hundreds of replies have no place to go
        except OSError as error:
            print(f"Cannot write {arguments.record}: {error.strerror}", file=sys.stderr)
            return 2
    tolerance = Tolerance(arguments.score_tolerance, arguments.pixel_tolerance)
    send = over_socket(arguments.url)
    kept, total, failed = {}, Counter[str](), Counter[str]()
    for case in cases.load():
        reply: Reply | None = None
        try:
            reply = send(build(case, arguments.app_id, arguments.app_key))
        except (OSError, http.client.HTTPException) as error:
            wrong = [f"no reply: {error!r}"]
        if reply is not None:
            kept[case.name] = recording.kept(reply)
            wrong = _wrong(case, reply, theirs, tolerance)
        total[case.endpoint.name] += 1
        if wrong:
            failed[case.endpoint.name] += 1
            print(f"{case.name}  ({case.basis})\n    " + "\n    ".join(wrong))
    if arguments.record:
        recording.save(arguments.record, kept)
    print(f"{'call':<12}{'cases':>7}{'passed':>8}")
    for name, count in total.items():
        print(f"{name:<12}{count:>7}{count - failed[name]:>8}")
    print(f"{'all':<12}{total.total():>7}{total.total() - failed.total():>8}")
    return 1 if failed else 0


def _wrong(
    case: Case, reply: Reply, theirs: dict[str, Any] | None, tolerance: Tolerance
) -> list[str]:
    if theirs is None:
        return judge.differences(case, reply)
    if case.name not in theirs:
        return ["not in the recording"]
    return recording.differences(theirs[case.name], reply, tolerance)


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no address: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise argparse.ArgumentTypeError(f"{text} is no address: begin it with http:// or https://")
    return text


def _parser() -> argparse.ArgumentParser:
    (app_id, app_key), *_ = DEMO.items()
    parser = argparse.ArgumentParser(prog="python -m shim.conformance", description=__doc__)
    parser.add_argument("url", type=_address, help="the server, such as http://127.0.0.1:8081")
    parser.add_argument("--app-id", default=app_id, help="default: the document's sample pair")
    parser.add_argument("--app-key", default=app_key)
    files = parser.add_mutually_exclusive_group()
    files.add_argument("--record", type=Path, metavar="FILE", help="write the server's replies")
    files.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="hold the replies against a recording instead of against the contract",
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=10,
        metavar="S",
        help="seconds that the server may take to start",
    )
    parser.add_argument("--score-tolerance", type=float, default=0.05, metavar="X")
    parser.add_argument("--pixel-tolerance", type=int, default=10, metavar="N")
    return parser


if __name__ == "__main__":
    sys.exit(main())
