"""Parts whose edges a whole request does not reach."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from shim_client import APP_ID, APP_KEY, Client, headers, image
from shim_server import Served

from engine import Engine
from engine.cores import usable_cores
from shim import Settings, contract, create_app, signing
from shim.admission import Admission
from shim.contract import Problem, Refusal
from shim.gate import Gate
from shim.keys import DEMO, KeyStore


def test_the_check_vector() -> None:
    key = signing.secret(APP_KEY)
    expected = "0ACD0641AACDA5F5E60CE10CA9EC298280C0E3A5312EE33991A75DE4015B8059"
    assert signing.sign(key, b"1476414567061") == expected
    assert signing.matches(key, b"1476414567061", expected.lower())
    for other in ("", "é", expected[:-1], expected + "0", "\U0001f600" * 64):
        assert not signing.matches(key, b"1476414567061", other)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.497, "0.49700"), (0.49699999, "0.49699"), (0.4970001, "0.49700"), (1.0, "1.00000"),
     (0.0, "0.00000"), (1e-9, "0.00000"), (0.999999, "0.99999")],
)  # fmt: skip
def test_similarity_never_contradicts_the_threshold(value: float, shown: str) -> None:
    members = contract.similarity(value, 0.497)
    assert members == {"similarity": shown, "ref_thres": "0.497"}
    assert (float(shown) >= 0.497) == (value >= 0.497)


@pytest.mark.parametrize("threshold", [0.0, 1.5, -0.25, -0.2345678])
@pytest.mark.parametrize("off", [-1e-7, 0.0, 1e-7])
def test_bio_score_never_contradicts_the_verdict(threshold: float, off: float) -> None:
    score = threshold + off
    shown = contract.liveness(score, threshold, score > threshold)["bio_score"]
    assert (float(shown) > threshold) == (score > threshold)
    assert shown != "-0.00000"


def test_bio_score_of_a_face_that_cannot_be_judged() -> None:
    """It scores high and is not alive: a client that looks at the score alone refuses it too."""
    assert contract.liveness(5.4, -1.122, is_alive=False)["bio_score"] == "-1.12200"
    assert contract.liveness(-5.4, -1.122, is_alive=False)["bio_score"] == "-5.40000"


def test_members_come_in_the_order_of_the_document() -> None:
    faces = contract.envelope(contract.DETECT, "0", "ok", contract.faces([]))
    assert list(faces) == ["errorcode", "errormsg", "faces"]
    alike = contract.envelope(contract.COMPARE, "0", "ok", contract.similarity(0.6, 0.497))
    assert list(alike) == ["similarity", "ref_thres", "errorcode", "errmsg"]


def test_rectangles_have_an_area() -> None:
    (face,) = contract.faces([(3.9, 0.2, 0.05, 0.5)])["faces"]
    assert face == {"face": {"rect": {"x": 3, "y": 0, "width": 1, "height": 1}}}


def test_rectangles_end_where_the_box_does_and_come_largest_first_as_they_are_sent() -> None:
    """In whole pixels another one may be the largest."""
    wide, far = (0.0, 0.0, 10.9, 10.0), (0.5, 0.9, 10.6, 10.2)
    rects = [face["face"]["rect"] for face in contract.faces([wide, far])["faces"]]
    assert rects == [
        {"x": 0, "y": 0, "width": 11, "height": 11},
        {"x": 0, "y": 0, "width": 10, "height": 10},
    ]


def test_the_time_is_the_servers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the document's is, in a place that is not Greenwich."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "CST-8")
        time.tzset()
        before, shown, after = datetime.now(), contract.no_face()["time"], datetime.now()
    time.tzset()
    assert f"{before:%Y%m%d%H%M%S}" <= shown <= f"{after:%Y%m%d%H%M%S}"


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


def test_a_client_made_before_any_keys(served: Served, selfie: bytes) -> None:
    stranger = Client(served.url, "0000000000000000", APP_KEY)
    assert stranger.post("detect", image=image(selfie))[2]["errorcode"] == "5"


def test_one_request_a_core_uses_the_engine_unless_more_are_asked_for(engine: Engine) -> None:
    for settings, places in ((Settings(), usable_cores() + 32), (Settings(slots=3, queue=4), 7)):
        service = create_app(engine, settings, KeyStore(DEMO)).extensions["shim"]
        assert service.admission.places == places


def test_turns_come_in_order() -> None:
    admission = Admission(slots=1, queue=10, timeout_s=20)
    order: list[int] = []
    hold = threading.Event()
    works = [hold.wait, *(lambda number=number: order.append(number) for number in range(8))]
    threads = []
    for count, work in enumerate(works):
        threads.append(threading.Thread(target=admission.run, args=(work,)))
        threads[-1].start()
        # Not admission.waiting, which counts those too that have yet to take their turn.
        while admission._pool._work_queue.qsize() < count or not admission.running:
            time.sleep(0.001)
    hold.set()
    for thread in threads:
        thread.join()
    assert order == list(range(8))
    assert (admission.waiting, admission.running) == (0, 0)


def test_a_full_waiting_room_and_a_long_wait() -> None:
    admission = Admission(slots=1, queue=1, timeout_s=3)
    hold = threading.Event()

    def busy(started: float) -> float:
        with pytest.raises(Refusal) as refusal:
            admission.run(lambda: pytest.fail("it was refused and must not run"))
        assert refusal.value.problem is contract.BUSY
        return time.monotonic() - started

    with ThreadPoolExecutor(2) as pool:
        pool.submit(admission.run, lambda: hold.wait(20))
        while not admission.running:
            time.sleep(0.001)
        assert (admission.running, admission.waiting) == (1, 0)
        waits = pool.submit(busy, time.monotonic())
        while not admission.waiting:
            time.sleep(0.001)
        assert busy(time.monotonic()) < 0.9  # there was no place for it
        assert waits.result() >= 3
        hold.set()
    assert admission.run(lambda: 7) == 7
