"""The loop's thread goes first, on the real system."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from metip.threads import loop_first


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
    refused: list[int] = []

    def refuse(thread: int, *_: object) -> None:
        refused.append(thread)
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with waiting() as thread:
        loop_first()
        assert thread.native_id in refused


def test_where_there_is_no_such_policy_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "SCHED_BATCH")
    with waiting() as thread:
        loop_first()
        assert thread.native_id is not None
        assert os.sched_getscheduler(thread.native_id) == os.SCHED_OTHER


@contextmanager
def waiting() -> Iterator[threading.Thread]:
    """A thread that does nothing for the length of the block."""
    ending = threading.Event()
    thread = threading.Thread(target=ending.wait)
    thread.start()
    try:
        yield thread
    finally:
        ending.set()
        thread.join()
