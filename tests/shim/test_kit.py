"""The conformance kit: what it sends, hears, records and overlooks."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from shim_server import Served

from shim.conformance import cases, judge, recording
from shim.conformance.__main__ import main
from shim.conformance.builder import Request
from shim.conformance.recording import Tolerance
from shim.conformance.transport import Reply, over_socket


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
    ],
)
def test_the_kit_says_what_is_no_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str, why: str
) -> None:
    monkeypatch.setattr("sys.argv", ["conformance", address])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert f"{address} is no address" in (error := capsys.readouterr().err) and why in error


def test_what_a_replay_overlooks() -> None:
    tolerance = Tolerance(score=0.05, pixels=10)
    theirs = {"status": 200, "body": {"similarity": "0.75", "time": "1", "x": 10}}

    def against(body: bytes) -> list[str]:
        return recording.differences(theirs, Reply(200, {}, body), tolerance)

    assert not against(b'{"similarity":"0.79999","time":"2","x":20}')
    assert len(against(b'{"similarity":"0.80001","time":"2","x":21}')) == 2
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
