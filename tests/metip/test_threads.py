"""The loop's thread goes first, on the real system."""

import os
import threading

import pytest

from metip.threads import loop_first

pytestmark = pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="this system has no SCHED_BATCH")


def test_every_other_thread_gives_way_and_those_that_it_starts_do_too() -> None:
    ending, known = threading.Event(), dict[str, int]()
    started = threading.Barrier(2)

    def note(name: str) -> None:
        known[name] = os.sched_getscheduler(0)

    def work() -> None:
        started.wait()
        ending.wait()
        note("other")
        one = threading.Thread(target=note, args=("of the other",))
        one.start()
        one.join()

    other = threading.Thread(target=work)
    other.start()
    started.wait()
    before = os.sched_getscheduler(0)
    loop_first()
    ending.set()
    other.join()
    assert known == {"other": os.SCHED_BATCH, "of the other": os.SCHED_BATCH}
    assert os.sched_getscheduler(0) == before
    later = threading.Thread(target=note, args=("later",))
    later.start()
    later.join()
    assert known["later"] == before


def test_where_it_is_not_allowed_all_goes_on_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    ending = threading.Event()
    other = threading.Thread(target=ending.wait)
    other.start()
    try:
        loop_first()
    finally:
        ending.set()
        other.join()
