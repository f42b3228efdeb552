"""The conformance kit: what it sends, hears, records and overlooks."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import BadStatusLine
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
