"""What the conformance kit says of servers and options that it cannot work with."""

import socket
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from shim_server import Served

from shim.conformance import cases, transport
from shim.conformance.__main__ import main


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


def test_the_kit_says_when_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A minute for one request, and not for each."""
    monkeypatch.setattr(transport, "TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setattr("sys.argv", ["conformance", url])
        assert main() == 2
    sentence = f"{url} takes connections and does not answer: is it the address?\n"
    assert capsys.readouterr() == ("", sentence)


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
