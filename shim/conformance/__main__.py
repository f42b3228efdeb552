"""python -m shim.conformance URL: hold a server against the contract."""

import argparse
import http.client
import ssl
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shim import contract
from shim.conformance import cases, judge, recording
from shim.conformance.builder import build
from shim.conformance.cases import Case
from shim.conformance.recording import Tolerance
from shim.conformance.transport import Reply, Send, over_socket, reach
from shim.keys import DEMO

_INTERRUPTED = 130  # as a shell has it


def main() -> int:
    """Returns 0 when every reply is right, 1 when one is not, 2 for a wrong command line, a
    recording that cannot be read or written, when nobody listens or answers, or when the server
    does not take the key pair, and 130 when interrupted."""
    arguments = _parser().parse_args()
    theirs: dict[str, Any] | None = None
    if arguments.replay:
        try:
            theirs = recording.load(arguments.replay)
        except (OSError, ValueError) as error:
            return _stop(f"Cannot read {arguments.replay}: {error}")
    unreachable = reach(arguments.url, arguments.wait)
    if unreachable is not None:
        return _stop(f"No connection to {arguments.url} ({unreachable}): {_advice(unreachable)}")
    send = over_socket(arguments.url)
    try:
        stranger = _is_stranger(send, arguments.app_id, arguments.app_key)
    except TimeoutError:
        return _stop(f"{arguments.url} takes connections and does not answer: is it the address?")
    if stranger:
        advice = "give --app-id and --app-key of this server"
        return _stop(f"A sound request is refused with errorcode 5: {advice}")
    kept: dict[str, dict[str, Any]] = {}
    if arguments.record:
        try:
            arguments.record.open("a").close()  # before hundreds of replies have no place to go
            if arguments.record.is_file() and arguments.record.stat().st_size:
                kept = recording.load(arguments.record)  # for the cases that are not reached now
        except OSError as error:
            return _stop(f"Cannot write {arguments.record}: {error.strerror}")
        except ValueError as error:
            return _stop(f"Cannot write over {arguments.record}: {error}")
    try:
        return _hold(arguments, send, theirs, kept)
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        if arguments.record and kept:
            recording.save(arguments.record, kept)


def _stop(why: str) -> int:
    print(why, file=sys.stderr)
    return 2


def _advice(unreachable: OSError) -> str:
    match unreachable:
        case ssl.SSLCertVerificationError():
            return "its certificate must be for this name and trusted here (SSL_CERT_FILE=FILE)"
        case ssl.SSLError():
            return "is it a server for http://?"
    return "start the server, or give the address that it prints when it starts"


def _is_stranger(send: Send, app_id: str, app_key: str) -> bool:
    """Whether the server does not take the key pair, so that no case would say anything else.

    Raises TimeoutError where it takes the connection and says nothing.
    """
    sound = Case("probe", "section 2.2", contract.DETECT, status=200, reply={})
    try:
        body = recording.kept(send(build(sound, app_id, app_key)))["body"]
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException):
        return False  # the cases will show it
    return isinstance(body, dict) and body.get("errorcode") == contract.BAD_SIGNATURE.code


def _hold(
    arguments: argparse.Namespace,
    send: Send,
    theirs: dict[str, Any] | None,
    kept: dict[str, dict[str, Any]],
) -> int:
    """Try every case and print what is wrong. kept: takes in every reply as it comes."""
    tolerance = Tolerance(arguments.score_tolerance, arguments.pixel_tolerance)
    total, failed = Counter[str](), Counter[str]()
    for case in cases.load():
        time.sleep(arguments.pause)
        try:
            reply = send(build(case, arguments.app_id, arguments.app_key))
        except (OSError, http.client.HTTPException) as error:
            wrong = [f"no reply: {error!r}"]
        else:
            kept[case.name] = recording.kept(reply)
            wrong = _wrong(case, reply, theirs, tolerance)
        total[case.endpoint.name] += 1
        if wrong:
            failed[case.endpoint.name] += 1
            print(f"{case.name}  ({case.basis})\n    " + "\n    ".join(wrong))
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
    if any((parts.path.strip("/"), parts.query, parts.fragment)):
        raise argparse.ArgumentTypeError(f"{text} is no address of a server: end it with the port")
    return text


def _header(text: str) -> str:
    if not text or not (text.isascii() and text.isprintable()) or text != text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} fits in no header")
    return text


def _difference(text: str) -> float:
    with suppress(ValueError):
        if (number := float(text)) >= 0:
            return number
    raise argparse.ArgumentTypeError(f"{text} is no number from 0")


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (seconds := float(text)) <= 86400:
            return seconds
    raise argparse.ArgumentTypeError(f"{text} is no number of seconds from 0 to 86400")


def _parser() -> argparse.ArgumentParser:
    (app_id, app_key), *_ = DEMO.items()
    parser = argparse.ArgumentParser(
        prog="python -m shim.conformance",
        description=__doc__,
        epilog="This project's own server needs BIOAUTH_ALIASES=0, the default: the vectors know "
        "the document's first spellings alone.",
    )
    parser.add_argument("url", type=_address, help="the server, such as http://127.0.0.1:8081")
    parser.add_argument(
        "--app-id", type=_header, default=app_id, help="default: the document's sample pair"
    )
    parser.add_argument("--app-key", default=app_key)
    files = parser.add_mutually_exclusive_group()
    files.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="write the server's replies, over those of before",
    )
    files.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="hold the replies against a recording instead of against the contract",
    )
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=10,
        metavar="SECONDS",
        help="how long the server may take to start",
    )
    parser.add_argument(
        "--pause",
        type=_seconds,
        default=0,
        metavar="SECONDS",
        help="how long to wait between two requests, for a service that limits their rate",
    )
    parser.add_argument("--score-tolerance", type=_difference, default=0.05, metavar="X")
    parser.add_argument("--pixel-tolerance", type=_difference, default=10, metavar="N")
    return parser


if __name__ == "__main__":
    sys.exit(main())
