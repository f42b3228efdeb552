"""python -m shim.demo: real pictures through all four calls, as a client would send them.

Starts a shim in demo mode, prints the replies and writes annotated pictures. It needs the
packages of the `test` extra, which bring the pictures.
"""

import argparse
import base64
import http.client
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np

from engine import Engine, images
from engine.drawing import caption, draw_faces, side_by_side
from engine.images import Pixels
from engine.zoo_folder import INSTALL
from shim.client import Signer
from shim.keys import DEMO


class Client:
    """Signs and sends; prints what comes back."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port)
        ((app_id, app_key),) = DEMO.items()
        self._signer = Signer(app_id, app_key)

    def image(self, picture: Pixels, category: int = 1, format: str = "jpeg") -> dict[str, Any]:
        kind = "jpg" if format == "jpeg" else format
        return self._signer.image(images.encode(picture, format), kind, category)

    def ask(self, call: str, **members: Any) -> dict[str, Any]:
        body, path = self._signer.body(**members), f"/openapi/face/v2/{call}"
        self._connection.request("POST", path, body, self._signer.head())
        reply: dict[str, Any] = json.loads(self._connection.getresponse().read())
        print(f"{call}: {_short(reply)}")
        return reply


def _short(reply: dict[str, Any]) -> str:
    return json.dumps(
        reply
        if "image" not in reply
        else {**reply, "image": {**reply["image"], "data": reply["image"]["data"][:24] + "..."}}
    )


def photos() -> tuple[Pixels, Pixels]:
    """One person, and six. Raises ImportError without the packages that bring them."""
    import skimage.data
    from insightface.data import get_image

    astronaut = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    return np.asarray(astronaut, np.uint8), np.asarray(get_image("t1"), np.uint8)


def show(client: Client, engine: Engine, out: Path, astronaut: Pixels, group: Pixels) -> None:
    """Send everything and write the pictures into a folder."""
    id_photo = np.asarray(cv2.resize(astronaut[10:270, 115:325], (178, 220)), np.uint8)
    printed = meshed(id_photo)

    found = client.ask("detect", image=client.image(group), mutipleFace=True)
    write(out / "detect.jpg", faces(group, found, engine))

    selfie = client.image(astronaut)
    others = (
        ("same", printed, client.image(printed, 2, "png")),
        ("different", group, client.image(group)),
    )
    for name, other, sent in others:
        reply = client.ask("compare", image1=selfie, image2=sent)
        same = float(reply["similarity"]) >= float(reply["ref_thres"])
        text = f"similarity {reply['similarity']}, threshold {reply['ref_thres']}"
        write(out / f"compare_{name}.jpg", caption(side_by_side(astronaut, other), text, same))

    reply = client.ask("biodetect", image=selfie)
    alive = reply["is_alive"] == "true"
    text = f"bio_score {reply['bio_score']}, is_alive {reply['is_alive']}"
    write(out / "biodetect.jpg", caption(astronaut, text, alive))

    reply = client.ask("erasemark", image=client.image(printed, 2, "png"))
    clean = images.decode(base64.b64decode(reply["image"]["data"]))
    write(out / "erasemark.png", np.hstack([id_photo, printed, clean]))


def meshed(picture: Pixels) -> Pixels:
    """Crossing waves over a picture, half transparent, as on ID photos."""
    cover = picture.copy()
    across = np.arange(picture.shape[1])
    for top in range(-20, picture.shape[0] + 20, 20):
        for phase in (0.0, np.pi):
            wave = top + 10 * np.sin(across * 2 * np.pi / 60 + phase)
            line = np.stack([across, wave], axis=1).astype(np.int32)
            cv2.polylines(cover, [line], False, (70, 60, 50), 1, cv2.LINE_AA)
    return np.asarray(cv2.addWeighted(cover, 0.6, picture, 0.4, 0), np.uint8)


def faces(picture: Pixels, reply: dict[str, Any], engine: Engine) -> Pixels:
    """The rectangles of a reply; the landmarks are the engine's, the wire has none."""
    rects = [item["face"]["rect"] for item in reply["faces"]]
    boxes = [(r["x"], r["y"], r["width"], r["height"]) for r in rects]
    found = zip(engine.detect(picture), boxes, strict=True)
    return draw_faces(picture, [replace(face, box=box) for face, box in found])


def write(path: Path, picture: Pixels) -> None:
    path.write_bytes(images.encode(picture, "png" if path.suffix == ".png" else "jpeg"))
    print(f"    {path}")


def main() -> int:
    """Returns 0; 1 when there are no pictures or the shim does not start."""
    parser = argparse.ArgumentParser(prog="python -m shim.demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for the pictures")
    out: Path = parser.parse_args().out
    try:
        astronaut, group = photos()
    except ImportError as error:
        print(
            f"The pictures are in packages that are missing ({error}): {INSTALL}", file=sys.stderr
        )
        return 1
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "shim", "--demo", "--port", "0"]
    log = out / "shim.log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as shim,
        Engine() as engine,
    ):
        assert shim.stdout
        url = shim.stdout.readline().strip()
        if not url:
            print(f"The shim does not start: see {log}", file=sys.stderr)
            return 1
        try:
            show(Client(url), engine, out, astronaut, group)
        finally:
            shim.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
