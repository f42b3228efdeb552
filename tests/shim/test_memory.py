"""What the server holds after many large pictures from many clients at once."""

import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import pytest
from conftest import Start
from shim_client import image
from shim_server import Served

from engine.images import Pixels

CLIENTS, ROUNDS = 8, 5

MEGABYTES = 18
"""Half of what a picture of 12 megapixels takes."""


def send(served: Served, picture: bytes) -> None:
    """Every client one request after another."""

    def go(_: int) -> None:
        client = served.client()
        for _ in range(3):
            assert client.post("detect", image=image(picture))[0] == 200
        client.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(go, range(CLIENTS)))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_large_pictures_leave_nothing_behind(start: Start, astronaut: Pixels) -> None:
    served = start("--demo", queue=CLIENTS)
    large = cv2.resize(astronaut, (3400, 3400), interpolation=cv2.INTER_LINEAR)
    picture = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes()
    held = []
    for _ in range(ROUNDS):
        send(served, picture)
        held.append(served.resident() / 1e6)
    assert held[-1] < held[1] + MEGABYTES  # the first round also starts threads
