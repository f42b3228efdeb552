"""The stages of a call, each a work of its own on what the stage before it gave."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from functools import partial

import orjson
import pybase64

from engine.alignment import align
from engine.evaluation.bench.timing import Work
from engine.images import load
from engine.networks import Networks
from engine.packs import Pack
from engine.quality import assess

DOUBTFUL = 0.9
"""A score at which the default detector's faces are levelled."""


def of_picture(networks: Networks, pack: Pack, data: bytes) -> dict[str, Work]:
    """What an engine does with an encoded picture; without a face only what needs none."""
    pixels = load(data)
    works: dict[str, Work] = {
        "decode": partial(load, data),
        "detect one": partial(networks.detection.largest, pixels),
        "detect all": partial(networks.detection.all, pixels),
    }
    if "descreen" in pack.entries:
        works["descreen"] = partial(networks.descreener.descreen, pixels)
    faces = networks.detection.largest(pixels)
    if not faces:
        return works
    crop = align(pixels, faces[0].landmarks, networks.embedder.size)
    works |= {
        "closer landmarks": partial(networks.detection.closer, pixels, faces[0]),
        "levelling": partial(networks.detection.level, pixels, replace(faces[0], score=DOUBTFUL)),
        "align": partial(align, pixels, faces[0].landmarks, networks.embedder.size),
        "quality": partial(assess, faces[0], crop),
        "embed": partial(networks.embedder.embed, [crop]),
        "map": partial(networks.similarity, 0.5),
    }
    if "liveness" in pack.entries:
        works["liveness"] = partial(networks.liveness.judge, pixels, faces[0])
    return works


def of_request(data: bytes) -> dict[str, Work]:
    """What the server does with a request that holds such a picture, by the same libraries."""
    text = base64.b64encode(data)
    body = json.dumps({"image": {"data": text.decode()}}).encode()
    reply = {"similarity": "0.12345", "ref_thres": "0.497", "errorcode": "0", "errmsg": "ok"}
    return {
        "JSON": partial(orjson.loads, body),
        "HMAC": partial(hmac.digest, b"key", text, hashlib.sha256().name),
        "base64": partial(pybase64.b64decode, text, validate=True),
        "reply": partial(orjson.dumps, reply),
    }
