"""Parts whose edges a whole request does not reach."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from shim_client import APP_KEY, Client, image
from shim_server import Served

from engine import Engine
from engine.cores import usable_cores
from shim import Settings, contract, create_app, signing
from shim.admission import Admission
from shim.contract import Refusal
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
