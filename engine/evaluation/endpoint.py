"""A client of the published HTTP API: the real service, this engine's shim, or a rival."""

import http.client
import json
import math
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.errors import EngineError
from shim.address import is_loopback
from shim.client import Signer

TIMEOUT_S = 60
BUSY, ATTEMPTS, LONGEST_WAIT_S = 503, 10, 30
"""A service that has no room now is asked again, as often and after what it says, if no longer."""

BROKEN_OFF, PAUSE_S = 3, 2
"""One that has answered before and does not now, or with a proxy's page, is asked again so often,
with pauses: a long run is not to end for one lost connection."""

VERDICTS = {"true": True, "false": False}
NO_FACE = "11"
IMAGE_ERRORS = ("7", "8", "9", "10")
"""A body too large for its pictures, one too large, empty, or not decodable: the service refuses
the picture, not the client."""


class EndpointError(EngineError):
    """The service did not answer, or refused a call for a reason that is not the picture."""


class Endpoint:
    """Signs and sends calls (Bioauth OpenAPI V2.0). An answer of None is a refusal of
    the picture: no face, or a picture that the service does not take. Raises EndpointError for
    what is no address, when there is no answer, and for one in another form."""

    def __init__(self, url: str, app_id: str, app_key: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise EndpointError(f"{url} is no address of a service: write http://HOST:PORT")
        self.url = url.rstrip("/")
        self._signer = Signer(app_id, app_key)
        self._image = lru_cache(maxsize=64)(self._read)
        self._answered = False
        # A proxy of the environment is for other machines: it would be given pictures of faces.
        here = is_loopback(urlsplit(self.url).hostname or "")
        proxies = [urllib.request.ProxyHandler({})] if here else []
        self._opener = urllib.request.build_opener(*proxies)

    def detect(self, path: Path) -> list[tuple[float, float, float, float]] | None:
        """Boxes x, y, width, height; none found is an empty list, as the library has it."""
        reply = self._call("detect", {"image": self._image(path), "mutipleFace": True})
        if reply is None or reply["errorcode"] != "0":
            return [] if reply and reply["errorcode"] == NO_FACE else None
        with self._as_documented("detect"):
            if not isinstance(reply["faces"], list):
                raise TypeError("faces is no list")
            rects = [face["face"]["rect"] for face in reply["faces"]]
            return [tuple(_finite(r[k]) for k in ("x", "y", "width", "height")) for r in rects]  # type: ignore[misc]

    def compare(self, a: Path, b: Path) -> tuple[float, float] | None:
        """Similarity and the service's own threshold."""
        reply = self._call("compare", {"image1": self._image(a), "image2": self._image(b)})
        if reply is None or reply["errorcode"] != "0":
            return None
        with self._as_documented("compare"):
            return _finite(reply["similarity"]), _finite(reply["ref_thres"])

    def liveness(self, path: Path) -> tuple[float, bool] | None:
        """Score and verdict."""
        reply = self._call("biodetect", {"image": self._image(path)})
        if reply is None or reply["errorcode"] != "0":
            return None
        with self._as_documented("biodetect"):
            return _finite(reply["bio_score"]), VERDICTS[str(reply["is_alive"]).lower()]

    @contextmanager
    def _as_documented(self, name: str) -> Iterator[None]:
        """Raises EndpointError where a success lacks a member, or it is of another kind."""
        try:
            yield
        except (KeyError, TypeError, ValueError) as error:
            raise EndpointError(f"{self.url} answered {name} in another form: {error!r}") from error

    def _read(self, path: Path) -> dict[str, Any]:
        kind = "png" if path.suffix.lower() == ".png" else "jpg"
        return self._signer.image(path.read_bytes(), kind)

    def _call(self, name: str, members: Mapping[str, Any]) -> dict[str, Any] | None:
        data = self._signer.body(**members)
        broken_off = 0
        for left in reversed(range(ATTEMPTS)):
            try:
                answer, wait = self._send(name, data)
            except EndpointError:
                broken_off += 1
                if not self._answered or not left or broken_off > BROKEN_OFF:
                    raise
                time.sleep(PAUSE_S)
                continue
            self._answered = self._answered or bool(answer)
            if wait is None or not left:
                break
            time.sleep(wait)
        if not answer:
            raise EndpointError(_no_errorcode(self.url, name, BUSY))
        code = answer["errorcode"]
        if code in IMAGE_ERRORS:
            return None
        if code not in ("0", NO_FACE):
            message = answer.get("errmsg") or answer.get("errormsg") or ""
            raise EndpointError(f"{self.url} refused {name}: errorcode {code} {message}")
        return answer

    def _send(self, name: str, data: bytes) -> tuple[dict[str, Any], float | None]:
        """The answer, and from a busy service in how many seconds it wants to be asked again; that
        of a proxy for it, which knows nothing of errorcodes, is empty."""
        request = urllib.request.Request(
            f"{self.url}/openapi/face/v2/{name}", data, self._signer.head()
        )
        wait = None
        try:
            try:
                with self._opener.open(request, timeout=TIMEOUT_S) as reply:
                    status, body = reply.status, reply.read()
            except urllib.error.HTTPError as error:  # whose body can break off, too
                status, body = error.code, error.read()
                wait = _wait(error) if status == BUSY else None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise EndpointError(f"{self.url} does not answer: {error}") from error
        try:
            answer: dict[str, Any] = json.loads(body)
            return {**answer, "errorcode": str(answer["errorcode"])}, wait
        except (ValueError, KeyError, TypeError) as error:
            if wait is not None:
                return {}, wait
            raise EndpointError(_no_errorcode(self.url, name, status)) from error


def _no_errorcode(url: str, name: str, status: int) -> str:
    return f"{url} answered {name} with no errorcode (HTTP status {status})"


def _finite(value: Any) -> float:
    """Raises ValueError for what is no number or not finite."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is no finite number")
    return number


def _wait(error: urllib.error.HTTPError) -> float:
    """Seconds, from Retry-After; 1 where that is missing or a date (RFC 9110, 10.2.3)."""
    said = error.headers.get("Retry-After", "")
    return min(float(said), LONGEST_WAIT_S) if said.isascii() and said.isdigit() else 1.0
