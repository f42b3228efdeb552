"""nginx in front of the shim, with the file of shim/deploy."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from shim_client import Client, image
from shim_server import END_S, ROOT, Served

from shim.conformance.transport import reach

SITE = (ROOT / "shim" / "deploy" / "nginx.conf").read_text()
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def proxied(folder: Path, port: int) -> Iterator[Client]:
    """A client of an nginx that passes on to a port."""
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("there is no nginx")
    url = f"http://127.0.0.1:{free_port()}"
    (folder / "site.conf").write_text(SITE.replace("8081", str(port)))
    (folder / "nginx.conf").write_text(
        "daemon off; pid pid; error_log log; events {} http { access_log off; "
        + "".join(f"{name}_temp_path {name}; " for name in TEMPORARY)
        + f"server {{ listen {url.removeprefix('http://')}; include site.conf; }} }}"
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
            assert reply == {
                "errorcode": "503",
                "errmsg": "server busy",
                "errormsg": "server busy",
            }
