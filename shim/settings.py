"""What an operator can set, all of it through environment variables named BIOAUTH_*."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from flask import Config

PREFIX = "BIOAUTH"
_OPS_OFFSET = 1000


class SettingsError(Exception):
    """A setting has a value that cannot be used. The message names it and says what can."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, with its default.

    keys: TOML file of key pairs, see keys.py. Needed, except in demo mode.
    pack: folder of the model pack; None is the default pack.
    providers: onnxruntime execution providers by name, separated by commas; None lets the engine
        choose.
    threads: CPU threads that one request may keep busy; None lets the engine choose.
    fmr: the false match rate that ref_thres stands for, one of the pack's table; None is 1e-3.
    bpcer: the share of live captures that biodetect refuses, one of the pack's table; None takes
        the pack's own threshold.
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
    providers: tuple[str, ...] | None = None
    threads: int | None = None
    fmr: float | None = None
    bpcer: float | None = None
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
        config = Config(str(Path.cwd()))
        config.from_prefixed_env(PREFIX)
        names = {item.name for item in fields(cls)}
        return cls(
            **{
                name: _PARSERS[name](name, value)
                for name, value in ((key.lower(), value) for key, value in config.items())
                if name in names and value != ""
            }
        )

    @property
    def effective_ops_port(self) -> int:
        """The port of /healthz, /readyz and /metrics."""
        if self.ops_port is not None:
            return self.ops_port
        if self.port == 0:
            return 0
        return self.port + (_OPS_OFFSET if self.port + _OPS_OFFSET <= 65535 else -_OPS_OFFSET)


def unknown() -> list[str]:
    """Variables named BIOAUTH_* that set nothing: most likely typing errors."""
    names = {f"{PREFIX}_{item.name.upper()}" for item in fields(Settings)}
    return sorted(
        name for name in os.environ if name.startswith(PREFIX + "_") and name not in names
    )


def _fail(name: str, wanted: str) -> SettingsError:
    return SettingsError(f"{PREFIX}_{name.upper()} must be {wanted}.")


def _text(name: str, value: Any) -> str:
    return str(value)


def _path(name: str, value: Any) -> Path:
    return Path(str(value)).expanduser()


def _names(name: str, value: Any) -> tuple[str, ...]:
    return tuple(part.strip() for part in str(value).split(",") if part.strip())


def _switch(name: str, value: Any) -> bool:
    text = str(value).lower()
    if text not in ("1", "0", "true", "false", "yes", "no", "on", "off"):
        raise _fail(name, "1 or 0")
    return text in ("1", "true", "yes", "on")


def _whole(lowest: int, highest: int) -> Any:
    def parse(name: str, value: Any) -> int:
        if type(value) is not int or not lowest <= value <= highest:
            raise _fail(name, f"a whole number from {lowest} to {highest}")
        return value

    return parse


def _seconds(name: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 86400:
        raise _fail(name, "a number of seconds from 0 to 86400")
    return float(value)


def _rate(name: str, value: Any) -> float:
    if type(value) is not float or not 0 < value < 1:
        raise _fail(name, "a rate between 0 and 1, such as 0.05 or 5e-4")
    return value


_PARSERS: dict[str, Any] = {
    "keys": _path,
    "pack": _path,
    "providers": _names,
    "threads": _whole(1, 1024),
    "fmr": _rate,
    "bpcer": _rate,
    "host": _text,
    "port": _whole(0, 65535),
    "ops": _switch,
    "ops_host": _text,
    "ops_port": _whole(0, 65535),
    "aliases": _switch,
    "max_skew_s": _seconds,
    "slots": _whole(1, 1024),
    "queue": _whole(0, 1024),
    "queue_timeout_s": _seconds,
    "drain_s": _seconds,
}
