"""The wire, as data: endpoints, the error table and the members of every reply.

Section numbers are those of the published Bioauth OpenAPI V2.0. Nothing here does I/O. The members
of a reply are spelled in this file alone; those of a request are in validation.py.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from typing import Any

MAX_BODY = 10 * 1024 * 1024  # bytes, section 1.8, errorcode 7
MAX_IMAGE = 2 * 1024 * 1024  # characters of base64, section 1.4, errorcode 8
MAX_FACES = 16  # section 2.2
LOWEST_SCORE = "-12.00000"  # the lowest bio_score there is: what a picture without a face gets

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One of the four calls: where it lives and how its requests and replies are spelled."""

    name: str
    images: tuple[str, ...] = ("image",)
    message: str = "errmsg"

    @property
    def path(self) -> str:
        return f"/openapi/face/v2/{self.name}"


DETECT = Endpoint("detect", message="errormsg")
COMPARE = Endpoint("compare", images=("image1", "image2"))
BIODETECT = Endpoint("biodetect")
ERASEMARK = Endpoint("erasemark")
ENDPOINTS = {endpoint.path: endpoint for endpoint in (DETECT, COMPARE, BIODETECT, ERASEMARK)}

# What a required header is called in a CGI environment, section 1.6.
HEADERS = (
    "HTTP_HOST",
    "HTTP_AUTHORIZATION",
    "CONTENT_LENGTH",
    "CONTENT_TYPE",
    "HTTP_X_MX_TIMESTAMP",
    "HTTP_X_MX_APPID",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A row of the error table, section 1.8."""

    status: int
    code: str
    message: str


MISSING_HEADER = Problem(400, "1", "request loss header field")
EMPTY_FIELD = Problem(400, "2", "request body has empty field")
NOT_JSON = Problem(400, "3", "request body to json failed")
BAD_DATA = Problem(400, "4", "request data exception")
BAD_SIGNATURE = Problem(401, "5", "signature verification failed")
BAD_TOKEN = Problem(401, "6", "token verification failed")
BODY_TOO_LARGE = Problem(413, "7", "request entity too large")
IMAGE_TOO_LARGE = Problem(413, "8", "image size greater than 2M")
EMPTY_IMAGE = Problem(415, "9", "image data is empty")
BAD_IMAGE = Problem(415, "10", "image parse exception")
NO_FACE = Problem(417, "11", "face not found")
NOT_FOUND = Problem(404, "404", "not found")
FAULT = Problem(500, "500", "internal server error")
BUSY = Problem(503, "503", "server busy")


class Refusal(Exception):  # noqa: N818 - it names the outcome
    """Raised where a row of the error table fails; becomes the reply in one place.

    app_id: whose request it is, where its signature held before something else failed.
    """

    def __init__(
        self, problem: Problem, members: Body | None = None, app_id: str | None = None
    ) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.app_id = app_id
        self.members = members or {}


def envelope(
    endpoint: Endpoint | None, code: str, message: str, members: Body, aliases: bool = False
) -> Body:
    """The whole reply: the endpoint's members, errorcode and the message as it spells it, in the
    order of the document's examples.

    aliases adds the document's other spelling of the message and of an image's content_type.
    """
    field = endpoint.message if endpoint else "errmsg"
    status = {"errorcode": code, field: message}
    body = {**status, **members} if endpoint is DETECT else {**members, **status}
    if aliases:
        body["errmsg" if field == "errormsg" else "errormsg"] = message
        if "image" in body:
            body["image"] = {**body["image"], "conten_type": body["image"]["content_type"]}
    return body


def faces(boxes: Sequence[tuple[float, float, float, float]]) -> Body:
    """Section 2.4: boxes (x, y, width, height in pixels, inside the picture), as integers; the
    largest first, as they are sent."""
    rects = [_rect(*box) for box in boxes]
    rects.sort(key=lambda rect: rect["width"] * rect["height"], reverse=True)
    return {"faces": [{"face": {"rect": rect}} for rect in rects]}


def _rect(x: float, y: float, width: float, height: float) -> dict[str, int]:
    left, top = int(x), int(y)
    right, bottom = int(x + width), int(y + height)
    return {"x": left, "y": top, "width": max(1, right - left), "height": max(1, bottom - top)}


def similarity(value: float, threshold: float) -> Body:
    """Section 3.4. Cut off, not rounded, so that a client's own comparison agrees with ours."""
    return {
        "similarity": _decimals(value, 5, ROUND_DOWN),
        "ref_thres": _decimals(threshold, 3, ROUND_DOWN),
    }


def liveness(score: float, threshold: float, is_alive: bool) -> Body:
    """Section 4.4. A client that looks at the score finds the verdict, is_alive: of a face that is
    refused for another reason the score is the threshold at most, and decimals are rounded away
    from it."""
    if is_alive:
        shown = _decimals(score, 5, ROUND_CEILING)
    else:
        shown = _decimals(min(score, threshold), 5, ROUND_FLOOR)
    return _liveness(shown, "Have face", is_alive)


def no_face() -> Body:
    """What biodetect says beside errorcode 11: a client that looks at either finds the same."""
    return _liveness(LOWEST_SCORE, "No face", is_alive=False)


def _liveness(score: str, found: str, is_alive: bool) -> Body:
    return {
        "bio_score": score,
        "time": _now(),
        "face_detect_result": found,
        "is_alive": "true" if is_alive else "false",
    }


def picture(content_type: str, data: str) -> Body:
    """Section 5.4: a picture as base64, content_type "png" or "jpg"."""
    return {"time": _now(), "image": {"content_type": content_type, "data": data}}


def _now() -> str:
    return time.strftime("%Y%m%d%H%M%S")


def _decimals(value: float, places: int, rounding: str) -> str:
    # repr is the shortest decimal that means this float: 0.497 stays 0.497 and is not cut to
    # 0.496. Adding zero turns "-0.00000" into "0.00000".
    exact = Decimal(repr(float(value)))
    return f"{exact.quantize(Decimal(1).scaleb(-places), rounding) + 0:f}"
