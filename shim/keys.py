"""Who may ask: the HMAC key of every app id."""

from collections.abc import Mapping
from pathlib import Path

from shim import signing
from shim.keysfile import load

DEMO = {"6222980101038034": "1234567890ABCDEFGH"}  # the document's sample pair, section 1.6 and 6


class KeyStore:
    """The HMAC key of every app id. Reading is safe while another thread reloads."""

    def __init__(self, pairs: Mapping[str, str], path: Path | None = None) -> None:
        self._path = path
        self._secrets = _secrets(pairs)

    @classmethod
    def open(cls, path: Path) -> "KeyStore":
        """Read a keys file. Raises KeysError."""
        return cls(load(path), path)

    def get(self, app_id: str) -> bytes | None:
        """The HMAC key of an app id, or None when nobody has that id."""
        return self._secrets.get(app_id)

    def reload(self) -> None:
        """Read the file again. Raises KeysError and keeps the old keys when it cannot be used."""
        if self._path is not None:
            self._secrets = _secrets(load(self._path))

    def __len__(self) -> int:
        return len(self._secrets)


def _secrets(pairs: Mapping[str, str]) -> dict[str, bytes]:
    return {app_id: signing.secret(app_key) for app_id, app_key in pairs.items()}
