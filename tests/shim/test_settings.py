"""Settings as they are read from the environment, each up to its ends."""

import os
import re
from pathlib import Path

import pytest
from shim_server import ROOT

from shim import ops
from shim.channel import IDLE_S, UNREAD, UNREAD_S
from shim.discard import DISCARD_S, MAX_DISCARD
from shim.incoming import BODY_S, HEAD_S, SLOWEST, STALL_S
from shim.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("BIOAUTH_"):
            monkeypatch.delenv(name)


def test_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.from_environment() == Settings()
    for name, value in {
        "PORT": "9000",
        "HOST": "::1",
        "ALIASES": "yes",
        "PROVIDERS": "cuda, cpu",
        "QUEUE_TIMEOUT_S": "0.5",
        "PACK": "",
        "KEYS": "~/keys.toml",
    }.items():
        monkeypatch.setenv(f"BIOAUTH_{name}", value)
    monkeypatch.setenv("BIOAUTH_queue", "7")  # logged as no setting, so it must be none
    settings = Settings.from_environment()
    assert settings == Settings(
        port=9000,
        host="::1",
        aliases=True,
        providers="cuda, cpu",
        queue_timeout_s=0.5,
        keys=Path("~/keys.toml").expanduser(),
    )
    assert settings.effective_ops_port == 10000


@pytest.mark.parametrize(("port", "ops"), [(0, 0), (1, 1001), (64535, 65535), (64536, 63536)])
def test_a_port_beside_each_port(port: int, ops: int) -> None:
    settings = Settings(port=port)
    assert settings.effective_ops_port == ops and not settings.shares_a_port


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("queue", (0, 1024)), ("slots", (1, 1024)), ("threads", (1, 1024)), ("port", (0, 65535))],
)
def test_the_ends_of_what_can_be_set(
    monkeypatch: pytest.MonkeyPatch, name: str, numbers: tuple[int, int]
) -> None:
    least, most = numbers
    variable = f"BIOAUTH_{name.upper()}"
    for number in (least, most):
        monkeypatch.setenv(variable, str(number))
        assert getattr(Settings.from_environment(), name) == number
    for number in (least - 1, most + 1):
        monkeypatch.setenv(variable, str(number))
        with pytest.raises(SettingsError) as error:
            Settings.from_environment()
        assert str(error.value) == f"{variable} must be a whole number from {least} to {most}."


def test_settings_nobody_makes_are_those_of_the_readme() -> None:
    """And times that only the code has are those that it tells of."""
    table = (ROOT / "README.md").read_text().split("| setting | default |")[1].split("\n\n")[0]
    stated = dict(re.findall(r"^\| `BIOAUTH_(\w+)` \| `([^`]*)` \|", table, re.MULTILINE))
    settings = Settings()
    for name, value in stated.items():
        if name not in ("PACK", "FMR"):
            assert float(getattr(settings, name.lower())) == float(value), name
    assert {"QUEUE", "QUEUE_TIMEOUT_S", "DRAIN_S", "MAX_SKEW_S", "ALIASES", "OPS"} <= set(stated)
    assert (settings.host, settings.port) == ("127.0.0.1", 8081)
    assert (HEAD_S, BODY_S, SLOWEST, STALL_S) == (15, 120, 4096, 3)
    assert (MAX_DISCARD, DISCARD_S) == (64 << 20, 30)
    assert (IDLE_S, UNREAD_S, UNREAD, ops.IDLE_S) == (75, 60, 1 << 20, 10)
