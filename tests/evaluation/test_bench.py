"""The benchmark itself: what it measures is there and makes sense; how fast, no test can say."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Engine
from engine.evaluation.__main__ import main
from engine.evaluation.bench import pictures
from engine.evaluation.bench.limit import replay, runs_of
from engine.evaluation.bench.timing import interleaved, ratio
from engine.network import Network

CALLS = {
    "detect the largest, selfie",
    "detect all, group of 12",
    "detect the largest, 12 MP",
    "compare selfie, ID",
    "compare selfie, poor photo",
    "compare selfie, meshed ID",
    "compare 12 MP, 12 MP",
    "liveness, selfie",
    "descreen, meshed ID",
}


@pytest.fixture(scope="module")
def shown() -> dict[str, pictures.Picture]:
    return pictures.fixed()


def test_the_pictures_are_what_they_are_called(
    engine: Engine, shown: dict[str, pictures.Picture]
) -> None:
    sizes = {name: picture.pixels.shape[1::-1] for name, picture in shown.items()}
    assert sizes == {
        "selfie": (1280, 960),
        "id": (358, 441),
        "meshed": (358, 441),
        "poor": (40, 40),
        "group": (1280, 1772),
        "phone": (4000, 3000),
    }
    assert len(engine.detect(shown["group"].data)) == 12
    assert 0.8 * pictures.BODY < len(shown["phone"].data) * 4 / 3 <= pictures.BODY
    for name in ("id", "phone"):
        assert engine.compare(shown["selfie"].pixels, shown[name].pixels).is_match
    before = engine.info()["networks"]["embedding"]["runs"]
    engine.compare(shown["selfie"].pixels, shown["poor"].pixels)
    assert engine.info()["networks"]["embedding"]["runs"] == before + 4  # in doubt
    assert engine.descreen(shown["meshed"].pixels).changed
    again = pictures.fixed()
    assert all(again[name].data == picture.data for name, picture in shown.items())


def test_the_limit_is_the_networks_that_a_call_needs(
    engine: Engine, shown: dict[str, pictures.Picture]
) -> None:
    plain = Network.run
    runs = runs_of(lambda: engine.compare(shown["selfie"].pixels, shown["id"].pixels))
    assert Network.run is plain
    before = engine.info()["networks"]
    replay(runs)
    after = engine.info()["networks"]
    new = {role: after[role]["runs"] - before[role]["runs"] for role in after}
    assert new["embedding"] == 2 and new["detector"] >= 2
    assert new["liveness"] == new["descreen"] == 0
    assert len(runs) == sum(new.values())


def test_works_take_turns_and_ratios_are_per_round() -> None:
    order: list[str] = []
    works = {name: lambda name=name: order.append(name) for name in "abc"}
    times = interleaved(works, 3)  # type: ignore[arg-type]
    assert "".join(order) == "cab" + "abc" + "bca" + "cab"
    assert all(len(seconds) == 3 for seconds in times.values())
    assert ratio({"a": [1.0, 4.0, 9.0], "b": [1.0, 2.0, 3.0]}, "a", "b").median == 2


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("bench")
    asked = ["--quick", "--out", str(out), "--models", str(out), "--instances", "2"]
    assert main(["bench", *asked]) == 0
    page = (out / "report.html").read_text("utf-8")
    assert "Under load, over HTTP" in page and "Targets" in page
    found: dict[str, Any] = json.loads((out / "metrics.json").read_text("utf-8"))
    return found


def test_calls_are_held_against_their_limit(figures: dict[str, Any]) -> None:
    assert set(figures["calls"]) == CALLS
    for forms in figures["calls"].values():
        assert {"limit", "engine, arrays", "engine, bytes"} <= set(forms)
        assert all(form["ms"] > 0 for form in forms.values())
        for form in forms.values():
            share = form["to_limit"]
            assert 0 < share["low"] <= share["median"] <= share["high"]
        assert forms["limit"]["to_limit"]["median"] == 1


def test_a_peer_that_cannot_run_is_left_out_with_the_reason(figures: dict[str, Any]) -> None:
    assert "give --models DIR" in figures["skipped"]["FaceAnalysis"]
    assert all("FaceAnalysis" not in forms for forms in figures["calls"].values())


def test_the_server_is_measured_from_outside(figures: dict[str, Any]) -> None:
    http = figures["http"]
    clients = {"1 client", "4 clients", "16 clients", "16 clients, 2 instances"}
    assert set(http["load"]) == {"limit", "limit, 1 thread"} | clients
    for load in http["load"].values():
        assert 0 < load["p50_ms"] <= load["p95_ms"] <= load["p99_ms"] and load["per_second"] > 0
    assert 0 < http["idle_mb"] <= http["memory"]["peak_mb"]
    assert http["memory"]["requests"] == 40 and http["start_s"]["median"] > 0


def test_stages_add_up_to_a_call(figures: dict[str, Any]) -> None:
    everything = {"decode", "detect one", "align", "embed", "map", "JSON", "HMAC", "base64"}
    for stages in figures["stages"].values():
        assert everything <= set(stages) and all(np.isfinite(ms) for ms in stages.values())


def test_targets_say_whether_they_were_met(figures: dict[str, Any]) -> None:
    targets = {target["what"]: target for target in figures["targets"]}
    assert targets["FaceAnalysis / engine, compare"]["met"] is None
    start = targets["cold start to ready, s"]
    assert start["met"] == (start["measured"] <= start["limit"])
    throughput = targets["HTTP throughput / limit's, 16 clients"]
    assert throughput["met"] == (throughput["measured"] >= throughput["limit"])


def test_a_server_that_does_not_start_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--quick", "--out", str(tmp_path), "--pack", str(tmp_path)]) == 1
    assert "error: " in capsys.readouterr().err
