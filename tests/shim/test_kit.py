"""The conformance kit: what it sends, hears, records and overlooks."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import BadStatusLine
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from shim_client import APP_ID, APP_KEY
from shim_server import Served

from shim.conformance import cases, judge, recording
from shim.conformance.__main__ import main
from shim.conformance.builder import Request, build
from shim.conformance.cases import Case
from shim.conformance.recording import Tolerance
from shim.conformance.transport import Reply, over_socket, reach


def test_the_kit_hears_a_server_that_answers_before_it_has_read_all() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 1\r\n\r\n7")
                connection.shutdown(socket.SHUT_WR)
                time.sleep(0.2)

        with ThreadPoolExecutor(1) as pool:
            pool.submit(refuse)
            send = over_socket(f"http://127.0.0.1:{listener.getsockname()[1]}")
            fields = [("Content-Length", "20000000")]
            reply = send(Request("POST", "/", fields, b"x" * 20_000_000, False))
    assert (reply.status, reply.body) == (413, b"7")


def test_a_connection_is_closed_when_no_reply_comes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def stammer() -> bytes:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(10)
                connection.recv(1000)
                connection.sendall(b"nonsense\r\n\r\n")
                return connection.recv(1)

        heard = pool.submit(stammer)
        send = over_socket(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(BadStatusLine) as error:
            send(Request("POST", "/", [], b"", False))
        assert heard.result() == b"" and error  # whose traceback keeps what was not closed


def test_nobody_is_waited_for_longer_than_asked() -> None:
    """The kernel of a machine that takes no more connections does not answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        with socket.create_connection(full.getsockname()):
            started = time.monotonic()
            assert reach(url, 0.2) is not None
            assert time.monotonic() - started < 10


def test_recording_and_replay(
    served: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    few = [case for case in cases.load() if "good request" in case.name or "row 8" in case.basis]
    monkeypatch.setattr(cases, "load", lambda: few)
    tape = tmp_path / "tape.json"

    def kit(*arguments: object) -> int:
        monkeypatch.setattr("sys.argv", ["conformance", served.url, *map(str, arguments)])
        return main()

    assert kit("--record", tape) == 0
    assert kit("--replay", tape) == 0
    recorded = recording.load(tape)
    recorded[few[0].name]["body"]["errorcode"] = "99"
    recording.save(tape, recorded)
    capsys.readouterr()
    assert kit("--replay", tape) == 1
    assert "errorcode is '9', theirs '99'" in capsys.readouterr().out
    assert kit("--replay", tmp_path / "none") == 2
    tape.write_text("[]")
    assert kit("--replay", tape) == 2
    assert f"Cannot read {tape}: it is no recording" in capsys.readouterr().err
    monkeypatch.setattr(cases, "load", lambda: pytest.fail("nothing may be sent"))
    assert kit("--record", tmp_path / "none" / "tape.json") == 2
    assert "tape.json: No such file or directory" in capsys.readouterr().err


def test_an_interrupted_recording_keeps_what_came(
    served: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second, *_ = cases.load()

    def interrupted() -> Iterator[Case]:
        yield from (first, second)
        raise KeyboardInterrupt

    monkeypatch.setattr(cases, "load", interrupted)
    tape = tmp_path / "tape.json"
    monkeypatch.setattr("sys.argv", ["conformance", served.url, "--record", str(tape)])
    assert main() == 130
    assert list(recording.load(tape)) == [first.name, second.name]
    assert capsys.readouterr() == ("", "")
    recording.save(tape, {first.name: {}, "another": {"status": 200, "body": {}}})
    assert main() == 130
    taped = recording.load(tape)
    assert list(taped) == [first.name, "another", second.name] and taped[first.name]
    tape.write_text("[]")
    assert main() == 2 and tape.read_text() == "[]"
    assert f"Cannot write over {tape}: it is no recording" in capsys.readouterr().err


def test_a_pause_between_requests(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    few = cases.load()[:3]
    monkeypatch.setattr(cases, "load", lambda: few)
    monkeypatch.setattr("sys.argv", ["conformance", served.url, "--pause", "0.3"])
    before = time.monotonic()
    assert main() == 0
    assert time.monotonic() - before >= 0.9


def test_no_timestamp_is_sent_twice() -> None:
    case = cases.load()[0]
    sent = [dict(build(case, APP_ID, APP_KEY).headers)["x-mx-timestamp"] for _ in range(200)]
    assert sent == sorted(set(sent), key=int)


def test_a_server_that_does_not_know_the_key_pair(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["conformance", served.url, "--app-key", "another"])
    assert main() == 2
    sentence = "A sound request is refused with errorcode 5: give --app-id and --app-key of this"
    assert capsys.readouterr() == ("", f"{sentence} server\n")


class Broken(BaseHTTPRequestHandler):
    """Answers every request with 500, in HTML."""

    def do_POST(self) -> None:
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        pass


def test_a_server_with_faults_is_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = [case for case in cases.load() if case.name.endswith(": a good request")]
    monkeypatch.setattr(cases, "load", lambda: few)
    with HTTPServer(("127.0.0.1", 0), Broken) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(server.serve_forever)
        monkeypatch.setattr("sys.argv", ["conformance", f"http://127.0.0.1:{server.server_port}"])
        try:
            assert main() == 1
        finally:
            server.shutdown()
    output = capsys.readouterr()
    assert output.out.count("status 500, not 200") == len(few) == 4 and not output.err


def test_https_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def refuse() -> None:
            connection, _ = listener.accept()  # once: what is wrong with TLS does not heal
            with connection:
                connection.recv(2000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        pool.submit(refuse)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setattr("sys.argv", ["conformance", url])
        assert main() == 2
    output = capsys.readouterr()
    assert output.err.startswith(f"No connection to {url} ([SSL: WRONG_VERSION_NUMBER]")
    assert output.err.endswith("): is it a server for http://?\n") and not output.out


def test_the_kit_says_when_nobody_listens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["conformance", "http://127.0.0.1:9", "--wait", "0.2"])
    assert main() == 2
    output = capsys.readouterr()
    assert "No connection to http://127.0.0.1:9" in output.err and "start the server" in output.err
    assert not output.out


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1:9", "begin it with http://"),
        ("http://127.0.0.1:99999", "Port out of range"),
        ("http://[::1", "Invalid IPv6 URL"),
        ("http://127.0.0.1:9/openapi/face/v2", "end it with the port"),
    ],
)
def test_the_kit_says_what_is_no_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str, why: str
) -> None:
    monkeypatch.setattr("sys.argv", ["conformance", address])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert f"{address} is no address" in (error := capsys.readouterr().err) and why in error


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        *(("--app-id", value, "fits in no header") for value in ("", "张", "a\n", " a")),
        *(("--score-tolerance", value, f"{value} is no number from 0") for value in ("nan", "-1")),
        ("--pixel-tolerance", "x", "x is no number from 0"),
    ],
)
def test_options_of_the_kit_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: str,
    value: str,
    why: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["conformance", "http://127.0.0.1:9", option, value])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert why in capsys.readouterr().err


def test_what_a_replay_overlooks() -> None:
    tolerance = Tolerance(score=0.05, pixels=10)
    theirs = {"status": 200, "body": {"similarity": "0.75", "time": "1", "x": 10}}

    def against(body: bytes) -> list[str]:
        return recording.differences(theirs, Reply(200, {}, body), tolerance)

    assert not against(b'{"similarity":"0.79999","time":"2","x":20}')
    assert len(against(b'{"similarity":"0.80001","time":"2","x":21}')) == 2
    theirs["body"] |= {"bio_score": "-0.3"}  # type: ignore[operator]
    same = b'{"similarity":"0.75","time":"1","x":10,"bio_score":'
    assert not against(same + b'"4.9"}') and len(against(same + b'"nan"}')) == 1
    del theirs["body"]["bio_score"]  # type: ignore[attr-defined]
    assert len(against(b'{"similarity":0.75,"time":"2","x":10}')) == 1
    assert len(against(b'{"similarity":"0.75","time":"2","x":10,"y":1}')) == 1


@pytest.mark.parametrize("theirs", ["", "n/a", None, 0.75, {}])
def test_scores_that_are_no_numbers_are_differences(theirs: object) -> None:
    recorded = {"status": 200, "body": {"similarity": theirs}}
    reply = Reply(200, {}, b'{"similarity":"0.75"}')
    (difference,) = recording.differences(recorded, reply, Tolerance())
    assert difference.startswith("body.similarity is '0.75'")


@pytest.mark.parametrize("threshold", [b"", b',"ref_thres":null', b',"ref_thres":"high"'])
def test_a_similarity_without_its_threshold(threshold: bytes) -> None:
    (case,) = [case for case in cases.load() if case.name == "compare: a good request"]
    body = b'{"similarity":"0.75000","errorcode":"0","errmsg":"ok"%b}' % threshold
    wrong = judge.differences(case, Reply(200, {"Content-Type": "application/json"}, body))
    assert [phrase for phrase in wrong if "0.75000 is not at least ref_thres" in phrase]
