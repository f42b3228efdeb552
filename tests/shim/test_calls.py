"""The four calls on real pictures, member by member, against what the engine itself says."""

import base64
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import pytest
from shim_client import Client, image, sign
from shim_server import Served

from engine import Engine, headers, images
from engine.images import Pixels


def rotated(jpeg: bytes) -> bytes:
    """The same JPEG with EXIF orientation 6: a viewer turns it a quarter to the right."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)
    tiff = b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    exif = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def meshed(picture: Pixels) -> Pixels:
    """Crossing waves over a picture, as on a Chinese ID photo from the police's database."""
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    distance = np.full(picture.shape[:2], 99.0, np.float32)
    for offset in range(-40, picture.shape[0] + 40, 24):
        for phase in (0.0, np.pi):
            wave = offset + 12 * np.sin(columns * 2 * np.pi / 60 + phase)
            distance = np.minimum(distance, abs(rows - wave))
    cover = np.clip(1.6 - distance, 0, 1)[..., None] * 0.6
    return np.asarray(picture * (1 - cover) + 60 * cover, np.uint8)


def test_detect(client: Client, engine: Engine, selfie: bytes) -> None:
    reply = client.ask("detect", image=image(selfie))
    (face,) = engine.detect(selfie, max_faces=1)
    (found,) = reply.pop("faces")
    assert reply == {"errorcode": "0", "errormsg": "ok"}
    rect = found["face"]["rect"]
    assert list(rect) == ["x", "y", "width", "height"]
    assert np.allclose(list(rect.values()), face.box, atol=1)


def test_detect_many(client: Client, engine: Engine, party: bytes) -> None:
    one = client.ask("detect", image=image(party))["faces"]
    many = client.ask("detect", image=image(party), mutipleFace=True)["faces"]
    areas = [face["face"]["rect"]["width"] * face["face"]["rect"]["height"] for face in many]
    assert len(many) == len(engine.detect(party)) == 6
    assert areas == sorted(areas, reverse=True)
    assert one == many[:1]


def test_detect_a_crowd(client: Client, group: Pixels) -> None:
    crowd = images.encode(np.tile(group, (2, 2, 1)), "jpeg")  # 24 faces
    assert len(client.ask("detect", image=image(crowd), mutipleFace=True)["faces"]) == 16


@pytest.mark.parametrize("between", [" ", "\t", "!", "-", "="])
def test_other_characters_in_base64(client: Client, selfie: bytes, between: str) -> None:
    """Decoders that are not strict leave them out."""
    text = base64.b64encode(selfie).decode()
    text = text[:400] + between + text[400:] + "\r\n"
    sent = {**image(selfie), "data": text, "token": sign(text.encode())}
    status, _, reply = client.post("detect", image=sent)
    assert (status, reply) == (415, {"errorcode": "10", "errormsg": "image parse exception"})


def test_detect_stays_inside_the_picture(client: Client, astronaut: Pixels) -> None:
    cut = np.ascontiguousarray(astronaut[60:160, 180:260])  # the face reaches over every edge
    (found,) = client.ask("detect", image=image(images.encode(cut, "png")))["faces"]
    rect = found["face"]["rect"]
    assert rect["x"] >= 0 and rect["x"] + rect["width"] <= 80
    assert rect["y"] >= 0 and rect["y"] + rect["height"] <= 100


def test_detect_is_in_the_viewers_coordinates(client: Client, selfie: bytes) -> None:
    upright = client.ask("detect", image=image(selfie))["faces"][0]["face"]["rect"]
    lying = np.ascontiguousarray(np.rot90(images.decode(selfie)))
    turned = rotated(images.encode(lying, "jpeg"))
    again = client.ask("detect", image=image(turned))["faces"][0]["face"]["rect"]
    assert np.allclose(list(upright.values()), list(again.values()), atol=3)


def test_compare(client: Client, engine: Engine, selfie: bytes, party: bytes) -> None:
    flipped = images.encode(np.ascontiguousarray(images.decode(selfie)[:, ::-1]), "jpeg")
    same = client.ask("compare", image1=image(selfie), image2=image(flipped))
    other = client.ask("compare", image1=image(selfie), image2=image(party))
    assert sorted(same) == ["errmsg", "errorcode", "ref_thres", "similarity"]
    assert float(same["similarity"]) >= float(same["ref_thres"]) > float(other["similarity"])
    expected = engine.compare(selfie, flipped)
    assert 0 <= expected.similarity - float(same["similarity"]) < 1e-5
    assert same["ref_thres"] == "0.497"


def test_compare_takes_the_mesh_off_id_photos(
    client: Client, engine: Engine, selfie: bytes, astronaut: Pixels
) -> None:
    photo = np.asarray(cv2.resize(astronaut[10:270, 115:325], (178, 220)), np.uint8)
    printed = images.encode(meshed(photo), "png")
    plain = client.ask("compare", image1=image(selfie), image2=image(printed))
    as_id = client.ask("compare", image1=image(selfie), image2=image(printed, category=2))
    swapped = client.ask("compare", image1=image(printed, category=2), image2=image(selfie))
    expected = engine.compare(selfie, printed, id_photo=(False, True)).similarity
    assert float(as_id["similarity"]) == pytest.approx(expected, abs=1e-5)
    assert float(swapped["similarity"]) == pytest.approx(expected, abs=1e-4)
    assert float(as_id["similarity"]) >= float(as_id["ref_thres"])
    assert as_id["similarity"] != plain["similarity"]


def test_biodetect(client: Client, engine: Engine, selfie: bytes) -> None:
    reply = client.ask("biodetect", image=image(selfie))
    expected = engine.liveness(selfie)
    assert len(reply.pop("time")) == 14
    assert float(reply.pop("bio_score")) == pytest.approx(expected.score, abs=1e-4)
    assert reply == {
        "face_detect_result": "Have face",
        "is_alive": "true" if expected.is_alive else "false",
        "errorcode": "0",
        "errmsg": "ok",
    }


@pytest.mark.parametrize(
    ("sent", "back", "content_type"),
    [("png", "png", "png"), ("jpeg", "jpeg", "jpg"), ("bmp", "png", "png")],
)
def test_erasemark(
    client: Client, engine: Engine, astronaut: Pixels, sent: str, back: str, content_type: str
) -> None:
    photo = np.asarray(cv2.resize(astronaut[10:270, 115:325], (178, 220)), np.uint8)
    for picture in (photo, meshed(photo)):
        data = images.encode(picture, sent)
        reply = client.ask("erasemark", image=image(data, category=2))
        answer = base64.b64decode(reply["image"].pop("data"), validate=True)
        assert reply["image"] == {"content_type": content_type}
        assert headers.sniff(answer).format == back
        expected = engine.descreen(data)
        assert expected.changed == (picture is not photo)
        if not expected.changed and back == sent:
            assert answer == data
        pixels = images.decode(answer)
        assert pixels.shape == photo.shape
        assert np.abs(pixels.astype(int) - expected.image).mean() < (2.5 if back == "jpeg" else 0.1)


def test_a_cleaned_jpeg_is_stored_as_it_was_sent(
    client: Client, engine: Engine, astronaut: Pixels
) -> None:
    """With the width, the height and the orientation of its file."""
    photo = meshed(np.asarray(cv2.resize(astronaut[10:270, 115:325], (178, 220)), np.uint8))
    lying = rotated(images.encode(np.ascontiguousarray(np.rot90(photo)), "jpeg"))
    reply = client.ask("erasemark", image=image(lying, category=2))
    answer = base64.b64decode(reply["image"]["data"], validate=True)
    assert headers.sniff(answer) == headers.sniff(lying) == headers.Header("jpeg", 220, 178, 6)
    expected = engine.descreen(lying)
    assert expected.changed and expected.image.shape == photo.shape
    assert np.abs(images.decode(answer).astype(int) - expected.image).mean() < 2.5


def test_many_clients_get_what_one_gets(served: Served, selfie: bytes, party: bytes) -> None:
    orders: list[tuple[str, dict[str, Any]]] = [
        ("detect", {"image": image(party), "mutipleFace": True}),
        ("compare", {"image1": image(selfie), "image2": image(party)}),
        ("biodetect", {"image": image(selfie)}),
        ("erasemark", {"image": image(selfie)}),
    ]

    def work(_: int) -> list[dict[str, Any]]:
        client = served.client()
        replies = [client.ask(call, **members) for call, members in orders]
        client.close()
        return [{key: reply[key] for key in reply if key != "time"} for reply in replies]

    alone = work(0)
    with ThreadPoolExecutor(8) as pool:
        assert all(replies == alone for replies in pool.map(work, range(8)))
