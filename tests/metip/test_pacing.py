"""When groups begin, on a clock of the test's own."""

from metip.pacing import PROBED, RECENTLY, Pace

BUSY = 10


def paced() -> Pace:
    return Pace(BUSY, shortest=0.004, longest=0.012)


def grown(pace: Pace, callers: int, groups: int, every: float = 0.002, start: float = 0.0) -> float:
    """So many groups of so many callers each, one after the other; the time after them."""
    for number in range(groups):
        for _ in range(callers):
            pace.ask()
        pace.pause(start + number * every)
        pace.begin(start + number * every)
    return start + groups * every


def test_a_large_group_does_not_hide_that_many_ask() -> None:
    pace, every = paced(), RECENTLY + 0.001
    now = grown(pace, 30, 10, every=every)
    for _ in range(3):
        pace.ask()
    assert pace.pause(now - every + 0.001) > 0, "just after a group that took all who had come"


def test_who_comes_alone_waits_for_nobody() -> None:
    pace = paced()
    for number in range(50):
        pace.ask()
        assert pace.pause(number * 0.01) == 0.0
        pace.begin(number * 0.01)


def test_while_many_ask_groups_are_apart_the_more_the_longer_and_never_longer_than_the_longest() -> None:
    pauses = []
    for callers in (2, 4, 8, 400):
        pace = paced()
        now = grown(pace, callers, 20)
        pace.ask()
        pauses.append(pace.pause(now))
    assert pauses == sorted(pauses)
    assert 0 < pauses[0] < pauses[-1] <= 0.012


def test_where_as_many_wait_as_ever_come_a_group_begins_at_once() -> None:
    pace = paced()
    now = grown(pace, 8, 20)
    told = [pace.ask() for _ in range(7)]
    assert pace.pause(now) > 0
    assert not any(told)
    assert pace.ask()
    assert pace.pause(now) == 0.0


def test_every_so_often_a_group_gathers_for_its_whole_time_which_finds_those_who_came_since() -> None:
    pace = paced()
    now = grown(pace, 8, 20)
    while not pace._gathered >= PROBED:
        now = grown(pace, 8, 1, start=now)
    for _ in range(40):
        assert not pace.ask()
    assert pace.pause(now) > 0
    pace.begin(now)
    assert pace._largest == 40


def test_that_many_came_once_is_forgotten() -> None:
    pace = paced()
    now = grown(pace, 200, 1)
    grown(pace, 5, 3 * PROBED, start=now)
    assert pace._largest == 5


def test_after_a_silence_nobody_waits() -> None:
    pace = paced()
    now = grown(pace, 8, 40)
    pace.ask()
    assert pace.pause(now + 2 * RECENTLY) == 0.0
