"""Threads, the cores there are for them, and what is printed meanwhile."""

import logging
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Engine, EngineError, cores
from engine.cores import usable_cores
from engine.images import Pixels
from engine.packs import read_pack
from engine.runtime import Runtime
from engine.stdout import stdout_to_log


def test_what_others_print_is_logged(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with stdout_to_log():
        print("Failed to load libcublasLt.so.13")
    print("the answer")
    assert capsys.readouterr().out == "the answer\n"
    assert caplog.record_tuples == [
        ("engine.stdout", logging.WARNING, "Failed to load libcublasLt.so.13")
    ]


@pytest.mark.parametrize("threads", [0, 100_000, True, 2.0])
def test_threads_are_a_number_that_makes_sense(threads: Any) -> None:
    said = f"threads must be a whole number from 1 to 1024, not {threads!r}"
    with pytest.raises(EngineError, match=said) as caught:
        Engine(threads=threads)
    assert caught.type is EngineError


def test_thread_count_does_not_change_the_answer(engine: Engine, astronaut: Pixels) -> None:
    with Engine(providers=["cpu"], threads=1) as single:
        assert single.info()["threads"] == 1
        assert np.allclose(single.embed(astronaut), engine.embed(astronaut), atol=1e-5)


@pytest.fixture
def two_threads() -> Runtime:
    """A runtime that knows where its networks run."""
    runtime = Runtime(["cpu"], threads=2)
    runtime.load(read_pack().entry("detector").read(), "detector")
    return runtime


def test_calls_beside_each_other_do_not_share_the_threads_of_one() -> None:
    assert Runtime(["cpu"], threads=1).at_once == usable_cores()
    assert Runtime(["cpu"], threads=64).at_once == 64


def test_work_runs_side_by_side_while_a_core_is_idle(two_threads: Runtime) -> None:
    meeting = threading.Barrier(2, timeout=10)  # breaks when one comes after the other

    def meet(number: int) -> int:
        meeting.wait()
        return 10 * number

    for _ in range(3):
        assert two_threads.map(meet, [1, 2]) == [10, 20]


def test_what_nobody_has_begun_when_one_fails_is_not_done() -> None:
    before, done = set(threading.enumerate()), []
    runtime = Runtime(["cpu"], threads=2)
    begun, go_on = threading.Event(), threading.Event()

    def work(number: int) -> None:
        if number == 0:
            assert begun.wait(10)
            raise ValueError("item 0")
        begun.set()
        assert go_on.wait(10)
        done.append(number)

    with pytest.raises(ValueError, match="item 0"):
        runtime.map(work, range(4))
    helpers = set(threading.enumerate()) - before
    go_on.set()
    runtime.close()
    for helper in helpers:
        helper.join(10)
    assert done == [1]


def test_work_stays_with_its_caller_while_the_cores_are_busy(two_threads: Runtime) -> None:
    busy, done = threading.Event(), threading.Event()

    def occupy(_: int) -> bool:
        busy.set()
        return done.wait(10)

    with ThreadPoolExecutor(1) as other:
        occupied = other.submit(two_threads.map, occupy, [0])
        assert busy.wait(10)
        threads = two_threads.map(lambda _: threading.get_ident(), range(4))
        done.set()
        assert occupied.result(10) == [True]
    assert set(threads) == {threading.get_ident()}


def test_work_may_have_parts_of_its_own(two_threads: Runtime) -> None:
    """As a picture on its side has, which is looked at in several directions."""

    def whole(number: int) -> list[int]:
        return two_threads.map(lambda part: 10 * number + part, range(3))

    with ThreadPoolExecutor(4) as callers:
        for found in callers.map(lambda _: two_threads.map(whole, range(3)), range(50), timeout=30):
            assert found == [[0, 1, 2], [10, 11, 12], [20, 21, 22]]


def test_work_under_way_is_done_when_its_runtime_is_closed(two_threads: Runtime) -> None:
    begun, closed = threading.Barrier(3, timeout=10), threading.Event()

    def work(number: int) -> list[int]:
        if number < 2:
            begun.wait()
            assert closed.wait(10)
        return two_threads.map(lambda part: 10 * number + part, range(2))

    with ThreadPoolExecutor(1) as caller:
        found = caller.submit(two_threads.map, work, range(3))
        begun.wait()
        two_threads.close()
        closed.set()
        assert found.result(10) == [[0, 1], [10, 11], [20, 21]]


def test_the_first_item_that_fails_is_the_error(two_threads: Runtime) -> None:
    def fail(number: int) -> None:
        time.sleep(0.02 / (number + 1))  # later ones fail sooner
        raise ValueError(f"item {number}")

    with pytest.raises(ValueError, match="item 0"):
        two_threads.map(fail, range(3))
    assert two_threads.map(str, range(3)) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("own", "above", "least"),
    [
        ("100000", "max", 1),
        ("max", "100000", 1),
        ("1", "200000", 1),
        ("150000", "max", 2),
        ("max", "max", sys.maxsize),
    ],
)
def test_quotas_of_the_own_cgroup_and_those_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, above: str, least: int
) -> None:
    """systemd's CPUQuota= limits the service's group alone; files as the kernel shows them."""
    (tmp_path / "cgroup").write_text("9:name=systemd:/\n0::/system.slice/bioauth.service\n")
    cores_at_all = len(os.sched_getaffinity(0))
    service = tmp_path / "groups" / "system.slice" / "bioauth.service"
    service.mkdir(parents=True)
    for folder, quota in ((service, own), (service.parent, above)):
        (folder / "cpu.max").write_text(f"{quota} 100000\n")
    monkeypatch.setattr(cores, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(cores, "MEMBERSHIP", tmp_path / "cgroup")
    assert usable_cores() == min(cores_at_all, least)


@pytest.mark.parametrize(("quota", "least"), [("150000", 2), ("100000", 1), ("-1", sys.maxsize)])
def test_quotas_of_the_older_cgroups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, least: int
) -> None:
    """Files as the kernel shows them."""
    monkeypatch.setattr(cores, "GROUPS", tmp_path)
    monkeypatch.setattr(cores, "MEMBERSHIP", tmp_path / "cgroup")
    unlimited = usable_cores()
    (tmp_path / "cgroup").write_text("4:cpu,cpuacct:/\n")
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_cores() == min(unlimited, least)
