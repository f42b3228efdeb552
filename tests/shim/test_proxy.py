"""nginx in front of the shim, with the file of shim/deploy."""

import shutil
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Start
from shim_client import Client, image
from shim_server import END_S, ROOT, Served

from shim.conformance.transport import reach

SITE = (ROOT / "shim" / "deploy" / "nginx.conf").read_text()
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def proxied(folder: Path, *ports: int) -> Iterator[Client]:
    """A client of an nginx that passes on to one port or several, as its file says."""
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("there is no nginx")
    url = f"http://127.0.0.1:{free_port()}"
    servers = " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
    (folder / "site.conf").write_text(SITE.replace("127.0.0.1:8081", "bioauth"))
    (folder / "nginx.conf").write_text(
        "daemon off; pid pid; error_log log; events {} http { access_log off; "
        + "".join(f"{name}_temp_path {name}; " for name in TEMPORARY)
        + f"upstream bioauth {{ least_conn; {servers} }} "
        f"server {{ listen {url.removeprefix('http://')}; include site.conf; }} }}"
    )
    process = subprocess.Popen([nginx, "-p", str(folder), "-c", "nginx.conf", "-e", "log"])
    try:
        assert reach(url, END_S) is None
        yield Client(url)
    finally:
        process.terminate()
        process.wait(END_S)


def test_what_the_shim_answers_passes(served: Served, tmp_path: Path, selfie: bytes) -> None:
    with proxied(tmp_path, served.client().address[1]) as client:
        assert client.ask("detect", image=image(selfie))["errorcode"] == "0"
        status, _, reply = client.post("erasemark", image=image(b"x" * 2_000_000))
        assert (status, reply["errorcode"]) == (413, "8")


def test_while_the_shim_is_away(tmp_path: Path, selfie: bytes) -> None:
    with proxied(tmp_path, free_port()) as client:
        for picture in (selfie, b"x" * 5_000_000):
            status, headers, reply = client.post("compare", image1=image(picture))
            assert (status, headers["Retry-After"]) == (503, "1")
            assert headers["Content-Type"] == "application/json"
            assert reply == {"errorcode": "503", "errmsg": "server busy"}
        assert client.post("detect", image=image(selfie))[2] == {
            "errorcode": "503",
            "errormsg": "server busy",
        }


def test_two_instances_that_start_anew_in_turn(start: Start, tmp_path: Path, selfie: bytes) -> None:
    instances = [start("--demo", threads=1, slots=1) for _ in range(2)]
    ports = [instance.client().address[1] for instance in instances]

    def served_by() -> list[int]:
        """Requests that each instance has logged."""
        return [instance.log.read_text().count('"endpoint": "detect"') for instance in instances]

    with proxied(tmp_path, *ports) as client:
        for _ in range(6):
            assert client.ask("detect", image=image(selfie))["errorcode"] == "0"
        assert min(served_by()) >= 1 and sum(served_by()) == 6
        for number in (0, 1):
            assert instances[number].stop() == 0
            for _ in range(4):
                assert client.ask("detect", image=image(selfie))["errorcode"] == "0"
            start("--demo", "--port", str(ports[number]), threads=1, slots=1, ops=0)


def test_no_request_is_refused_while_they_start_anew(start: Start, tmp_path: Path) -> None:
    """Under load, and with the other instance there: small requests, to have many of them."""
    instances = [start("--demo", threads=1, slots=1) for _ in range(2)]
    ports = [instance.client().address[1] for instance in instances]
    codes: Counter[str] = Counter()
    done = threading.Event()

    def ask(client: Client) -> Counter[str]:
        got: Counter[str] = Counter()
        while not done.is_set():
            got[Client(client.url).post("detect", image=image(b""))[2]["errorcode"]] += 1
        return got

    with proxied(tmp_path, *ports) as client, ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, client) for _ in range(4)]
        for number in (0, 1):
            assert instances[number].stop() == 0
            start("--demo", "--port", str(ports[number]), threads=1, slots=1, ops=0)
        done.set()
        codes = sum((each.result() for each in asking), codes)
    assert set(codes) == {"9"} and codes["9"] > 100


def test_heads_as_large_as_the_shim_takes_pass(served: Served, tmp_path: Path) -> None:
    with proxied(tmp_path, served.client().address[1]) as client:
        for url in (served.url, client.url):
            one = Client(url)
            one.more = {"Cookie": "a" * 20_000}
            assert one.post("detect", image=image(b""))[2]["errorcode"] == "9"
