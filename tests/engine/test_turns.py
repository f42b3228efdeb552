"""Turns: so many threads at a time, in the order in which they came."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.turns import Turns


def wait_until(count: int, turns: Turns) -> None:
    while len(turns._waiting) < count:
        time.sleep(0.001)


def test_no_more_than_that_many_are_inside() -> None:
    turns, inside, most = Turns(3), [0], [0]
    counting = threading.Lock()

    def work(_: int) -> None:
        with turns:
            with counting:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.002)
            with counting:
                inside[0] -= 1

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(work, range(60)))
    assert most == [3] and inside == [0]


def test_first_come_first_served() -> None:
    turns, order = Turns(1), []

    def work(number: int) -> None:
        with turns:
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    with turns:
        for number, thread in enumerate(threads):
            thread.start()
            wait_until(number + 1, turns)
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_what_fails_gives_its_turn_on() -> None:
    turns = Turns(1)
    with pytest.raises(ValueError, match="of no use"), turns:
        raise ValueError("of no use")
    with turns:
        pass


def test_who_is_interrupted_while_waiting_takes_no_turn() -> None:
    turns, leave = Turns(1), threading.Event()

    def work() -> None:
        with turns:
            leave.wait(10)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    holder = threading.Thread(target=work)
    holder.start()
    while not turns._inside:
        time.sleep(0.001)
    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt), turns:
            pytest.fail("let in while another was inside")
    finally:
        signal.signal(signal.SIGALRM, previous)
    leave.set()
    holder.join()
    with turns:
        assert turns._inside == 1 and not turns._waiting


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_forked_off_has_all_turns() -> None:
    turns = Turns(1)
    with turns:
        if not (child := os.fork()):
            signal.alarm(5)  # waiting for ever would end it so
            with turns:
                os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
