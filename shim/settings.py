"""What an operator can set, all of it through environment variables named BIOAUTH_*."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shim.address import overlap

PREFIX = "BIOAUTH"
_OPS_OFFSET = 1000


class SettingsError(Exception):
    """A setting has a value that cannot be used. The message names it and says what can."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, with its default.

    keys: TOML file of key pairs, see keysfile.py. Needed, except in demo mode.
    pack: folder of the model pack, or "fast"; None is the default pack.
    providers: onnxruntime execution providers by name, separated by commas; None lets the engine
        choose.
    threads: CPU threads that one request may keep busy; None lets the engine choose.
    fmr: the false match rate that ref_thres stands for, one of the pack's table; None is 1e-3.
    bpcer: the share of live captures that biodetect refuses, one of the pack's table; None takes
        the pack's own threshold.
    liveness_threshold: that threshold itself, in place of bpcer.
    host, port: where the four calls are served; port 0 takes a free one.
    ops_host, ops_port: where /healthz, /readyz and /metrics are served; None is port + 1000, or a
        free one when port is 0.
    ops: whether those three are served at all.
    aliases: add the document's second spellings to every reply (section 5.3 against 5.4).
    max_skew_s: seconds a timestamp may differ from now, each accepted once; 0 checks neither.
    slots: requests that use the engine at a time; None is one per usable core.
    queue: requests that may wait for a slot; the next one is answered 503.
    queue_timeout_s: seconds one waits before it is answered 503.
    drain_s: seconds that running requests have to finish once the server was told to stop.
    """

    keys: Path | None = None
    pack: Path | None = None
    providers: str | None = None
    threads: int | None = None
    fmr: float | None = None
    bpcer: float | None = None
    liveness_threshold: float | None = None
    host: str = "127.0.0.1"
    port: int = 8081
    ops: bool = True
    ops_host: str = "127.0.0.1"
    ops_port: int | None = None
    aliases: bool = False
    max_skew_s: float = 0
    slots: int | None = None
    queue: int = 32
    queue_timeout_s: float = 10
    drain_s: float = 20

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read BIOAUTH_*. Raises SettingsError for a value that is no good."""
        given = {name: os.environ.get(_variable(name), "") for name in _PARSERS}
        given = {name: "" if _is_link(name, text) else text for name, text in given.items()}
        if given["bpcer"] and given["liveness_threshold"]:
            raise SettingsError("Set BIOAUTH_BPCER or BIOAUTH_LIVENESS_THRESHOLD, not both.")
        return cls(**{name: _PARSERS[name](name, text) for name, text in given.items() if text})

    @property
    def shares_a_port(self) -> bool:
        """Whether /healthz, /readyz and /metrics ask for the very address of the four calls, under
        whatever name."""
        same = self.ops and self.port == self.effective_ops_port != 0
        return same and overlap(self.host, self.ops_host)

    @property
    def effective_ops_port(self) -> int:
        """The port of /healthz, /readyz and /metrics."""
        if self.ops_port is not None:
            return self.ops_port
        if self.port == 0:
            return 0
        return self.port + (_OPS_OFFSET if self.port + _OPS_OFFSET <= 65535 else -_OPS_OFFSET)


def keys_file() -> Path | None:
    """BIOAUTH_KEYS alone, whatever the other settings are. Raises SettingsError."""
    text = os.environ.get(_variable("keys"), "")
    return _path("keys", text) if text else None


def unknown() -> list[str]:
    """Variables named BIOAUTH_* that set nothing: typing errors, and links to a service."""
    names = {_variable(name): name for name in _PARSERS}
    return sorted(
        variable
        for variable, text in os.environ.items()
        if variable.startswith(PREFIX + "_")
        if variable not in names or _is_link(names[variable], text)
    )


def _is_link(name: str, text: str) -> bool:
    """Kubernetes sets NAME_PORT=tcp://ADDRESS:PORT beside every service called NAME, this one too,
    and so do links of Docker's."""
    return name in ("port", "ops_port") and "://" in text


def _variable(name: str) -> str:
    return f"{PREFIX}_{name.upper()}"


def _fail(name: str, wanted: str) -> SettingsError:
    return SettingsError(f"{_variable(name)} must be {wanted}.")


def _text(name: str, text: str) -> str:
    return text


def _names(name: str, text: str) -> str:
    if not text.strip(" ,"):
        raise _fail(name, "execution providers, with commas between: such as cuda, or openvino,cpu")
    return text


def _path(name: str, text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise _fail(name, "a path whose ~ is somebody's home") from None


def _switch(name: str, text: str) -> bool:
    text = text.lower()
    if text not in ("1", "0", "true", "false", "yes", "no", "on", "off"):
        raise _fail(name, "1 or 0")
    return text in ("1", "true", "yes", "on")


def _whole(lowest: int, highest: int) -> Callable[[str, str], int]:
    def parse(name: str, text: str) -> int:
        with suppress(ValueError):
            if lowest <= (number := int(text)) <= highest:
                return number
        raise _fail(name, f"a whole number from {lowest} to {highest}")

    return parse


def _seconds(name: str, text: str) -> float:
    with suppress(ValueError):
        if 0 <= (number := float(text)) <= 86400:
            return number
    raise _fail(name, "a number of seconds from 0 to 86400")


def _window(name: str, text: str) -> float:
    with suppress(ValueError):
        if (number := float(text)) == 0 or 1 <= number <= 86400:
            return number
    raise _fail(name, "0, or a number of seconds from 1 to 86400")


def _rate(name: str, text: str) -> float:
    with suppress(ValueError):
        if 0 < (number := float(text)) < 1:
            return number
    raise _fail(name, "a rate between 0 and 1, such as 0.05 or 5e-4")


def _score(name: str, text: str) -> float:
    with suppress(ValueError):
        if -12 <= (number := float(text)) < 12:
            return number
    raise _fail(name, "a bio_score, from -12 to below 12")


_PARSERS: dict[str, Callable[[str, str], Any]] = {
    "keys": _path,
    "pack": _path,
    "providers": _names,
    "threads": _whole(1, 1024),
    "fmr": _rate,
    "bpcer": _rate,
    "liveness_threshold": _score,
    "host": _text,
    "port": _whole(0, 65535),
    "ops": _switch,
    "ops_host": _text,
    "ops_port": _whole(0, 65535),
    "aliases": _switch,
    "max_skew_s": _window,
    "slots": _whole(1, 1024),
    "queue": _whole(0, 1024),
    "queue_timeout_s": _seconds,
    "drain_s": _seconds,
}
