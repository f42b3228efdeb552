"""The gate by itself: heads, and timestamps that are fresh and used once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from shim_client import APP_ID, APP_KEY, headers

from shim import contract, signing
from shim.contract import Problem, Refusal
from shim.gate import Gate
from shim.keys import DEMO, KeyStore


def environ(app_id: str = APP_ID, **changes: str) -> dict[str, str]:
    fields = {name.upper().replace("-", "_"): value for name, value in headers(2, app_id).items()}
    plain = {name: fields.pop(name) for name in ("CONTENT_LENGTH", "CONTENT_TYPE")}
    made = {f"HTTP_{name}": value for name, value in fields.items()}
    path = {"PATH_INFO": "/openapi/face/v2/detect", "REQUEST_METHOD": "POST", "HTTP_HOST": "h"}
    return {**made, **plain, **path, **changes}


def stamped(timestamp: str) -> dict[str, str]:
    signature = signing.sign(signing.secret(APP_KEY), timestamp.encode())
    return environ(HTTP_X_MX_TIMESTAMP=timestamp, HTTP_AUTHORIZATION=signature)


def verdict(gate: Gate, head: dict[str, str]) -> Problem | None:
    try:
        gate.judge(head)
    except Refusal as refusal:
        return refusal.problem
    return None


def test_no_freshness_is_asked_for_by_default() -> None:
    gate = Gate(KeyStore(DEMO))
    for timestamp in ("1476414567061", "1476414567061", "yesterday"):
        assert verdict(gate, stamped(timestamp)) is None


def test_the_freshness_window(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(KeyStore(DEMO), max_skew_s=60)
    now = 1_800_000_000_000
    monkeypatch.setattr(time, "time", lambda: now / 1000)
    for timestamp in (now, now - 60_000, now + 60_000):
        assert verdict(gate, stamped(str(timestamp))) is None
        assert verdict(gate, stamped(str(timestamp))) is contract.BAD_SIGNATURE  # a replay
    stale = [str(sent) for sent in (now - 60_001, now + 60_001, now // 1000)]
    for text in (*stale, "yesterday", f"{now}.0", "9" * 99):
        assert verdict(gate, stamped(text)) is contract.BAD_SIGNATURE


def test_timestamps_are_forgotten_once_they_are_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(KeyStore(DEMO), max_skew_s=60)
    start, begun = time.time(), time.monotonic()
    for second in range(300):
        monkeypatch.setattr(time, "time", lambda now=start + second: now)
        monkeypatch.setattr(time, "monotonic", lambda now=begun + second: now)
        assert verdict(gate, stamped(str(int(time.time() * 1000)))) is None
    assert gate._seen is not None and len(gate._seen._used) <= 122


def test_a_clock_that_is_set_back_brings_no_timestamp_back(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, now = Gate(KeyStore(DEMO), max_skew_s=5), time.time()
    for step, expected in ((0, None), (100, None), (0, contract.BAD_SIGNATURE)):
        monkeypatch.setattr(time, "time", lambda moment=now + step: moment)
        sent = stamped(str(int((now + step) * 1000)))
        assert verdict(gate, sent) is expected


def test_a_timestamp_from_ahead_is_used_up_for_as_long_as_it_is_fresh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate, now, begun = Gate(KeyStore(DEMO), max_skew_s=60), time.time(), time.monotonic()
    sent = stamped(str(int((now + 59) * 1000)))
    assert verdict(gate, sent) is None
    for later in (90, 118):
        monkeypatch.setattr(time, "time", lambda moment=now + later: moment)
        monkeypatch.setattr(time, "monotonic", lambda moment=begun + later: moment)
        assert verdict(gate, sent) is contract.BAD_SIGNATURE


def test_a_timestamp_of_many_digits_is_none() -> None:
    gate = Gate(KeyStore(DEMO), max_skew_s=60)
    for digits in (17, 400, 4000):
        assert verdict(gate, stamped("9" * digits)) is contract.BAD_SIGNATURE


def test_a_timestamp_is_accepted_once_of_many_at_a_time() -> None:
    """With more threads than ever judge, all of which begin together."""
    gate, start = Gate(KeyStore(DEMO), max_skew_s=60), threading.Barrier(16)
    sent = stamped(str(int(time.time() * 1000)))

    def judge(_: int) -> Problem | None:
        start.wait(20)
        return verdict(gate, sent)

    with ThreadPoolExecutor(16) as pool:
        verdicts = list(pool.map(judge, range(16)))
    assert sorted(one is None for one in verdicts) == [False] * 15 + [True]


def test_a_timestamp_is_used_up_for_its_sender_alone() -> None:
    gate, now = Gate(KeyStore({**DEMO, "shop": "key"}), max_skew_s=60), str(int(time.time() * 1000))
    signature = signing.sign(signing.secret("key"), now.encode())
    other = environ("shop", HTTP_X_MX_TIMESTAMP=now, HTTP_AUTHORIZATION=signature)
    assert verdict(gate, stamped(now)) is None
    assert verdict(gate, other) is None
    assert verdict(gate, other) is contract.BAD_SIGNATURE


def test_a_refusal_tells_whose_request_it_is_once_the_signature_held() -> None:
    full = Gate(KeyStore(DEMO), is_full=lambda: True)
    strict = Gate(KeyStore(DEMO), max_skew_s=5)
    wrong = environ(HTTP_AUTHORIZATION="0" * 64)
    for gate, head, app_id in (
        (full, environ(), APP_ID),
        (strict, stamped("1476414567061"), APP_ID),
        (strict, wrong, None),
        (full, wrong, None),
    ):
        with pytest.raises(Refusal) as refused:
            gate.judge(head)
        assert refused.value.app_id == app_id


def test_a_stopping_server_is_busy_for_those_who_may_ask() -> None:
    gate = Gate(KeyStore(DEMO), max_skew_s=60)
    gate.draining = True
    head = environ()
    assert verdict(gate, head) is contract.BUSY
    assert verdict(gate, environ("nobody")) is contract.BAD_SIGNATURE
    gate.draining = False
    assert verdict(gate, head) is None  # its timestamp was not used up
    assert verdict(gate, head) is contract.BAD_SIGNATURE
