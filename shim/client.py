"""What a client of the document sends: a call's body, and its head anew for every try."""

import base64
import json
import time
from typing import Any

from shim import signing


class Signer:
    """Signs for the owner of a key pair, sections 1.6 and 1.7."""

    def __init__(self, app_id: str, app_key: str) -> None:
        self._app_id = app_id
        self._key = signing.secret(app_key)

    def image(self, data: bytes, content_type: str = "jpg", category: int = 1) -> dict[str, Any]:
        """A picture's file as a member of a body."""
        text = base64.b64encode(data)
        token = signing.sign(self._key, text)
        return {
            "content_type": content_type,
            "data": text.decode(),
            "token": token,
            "category": category,
        }

    def body(self, **members: Any) -> bytes:
        """Of any call, as JSON."""
        common = {
            "app_id": self._app_id,
            "person_id": "1",
            "terminal": {"type": "server", "system": "linux", "sdk": "python"},
        }
        return json.dumps({**common, **members}).encode()

    def head(self) -> dict[str, str]:
        """The headers that the document asks for, signed now."""
        timestamp = str(int(time.time() * 1000))
        return {
            "Content-Type": "application/json",
            "Authorization": signing.sign(self._key, timestamp.encode()),
            "x-mx-timestamp": timestamp,
            "x-mx-appid": self._app_id,
        }
