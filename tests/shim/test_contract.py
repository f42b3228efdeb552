"""The conformance kit, over a socket and straight into the application."""

from collections import Counter

import pytest
from in_process import into
from shim_client import APP_ID, APP_KEY
from shim_server import Served

from engine import Engine
from shim import Settings, create_app
from shim.conformance import cases, judge
from shim.conformance.builder import build
from shim.conformance.transport import Send, over_socket
from shim.keys import DEMO, KeyStore

CASES = cases.load()


def failures(send: Send) -> list[str]:
    found = []
    for case in CASES:
        wrong = judge.differences(case, send(build(case, APP_ID, APP_KEY)))
        found += [f"{case.name}: {phrase}" for phrase in wrong]
    return found


def test_every_case_over_a_socket(served: Served) -> None:
    assert not failures(over_socket(served.url))


def test_every_case_in_process(engine: Engine) -> None:
    # Any WSGI server will do: the application judges heads by itself when the server has not.
    assert not failures(into(create_app(engine, Settings(), KeyStore(DEMO))))


def test_names_tell_cases_apart() -> None:
    assert not [name for name, count in Counter(case.name for case in CASES).items() if count > 1]


@pytest.mark.parametrize("code", [str(code) for code in range(1, 12)])
def test_every_row_has_cases_on_every_call(code: str) -> None:
    calls = {case.endpoint.name for case in CASES if case.reply["errorcode"] == code}
    everywhere = {"detect", "compare", "biodetect", "erasemark"}
    assert calls == (everywhere - {"erasemark"} if code == "11" else everywhere)


def test_aliases_are_added_on_demand(engine: Engine) -> None:
    send = into(create_app(engine, Settings(aliases=True), KeyStore(DEMO)))
    good = {case.endpoint.name: case for case in CASES if case.name.endswith(": a good request")}
    assert set(good) == {"detect", "compare", "biodetect", "erasemark"}
    for name, case in good.items():
        wrong = judge.differences(case, send(build(case, APP_ID, APP_KEY)))
        alias = "errmsg" if name == "detect" else "errormsg"
        expected = [f"the reply lacks [] and has ['{alias}'] too many"]
        if name == "erasemark":
            expected.append("image lacks [] and has ['conten_type'] too many")
        assert wrong == expected
