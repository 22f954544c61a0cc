"""Fault dials: what can be set, how often they strike, and when they go back by themselves."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.simulation.dials import STANDARD, Dial, Dials, seconds

SEED = 2026
OWN = {"lie": "answers about somebody else"}


def dials(seed: int = SEED) -> Dials:
    """Dials with one of the simulator's own."""
    return Dials(OWN, seed=seed)


# What is written, in seconds.
TIMES = [
    ("250ms", 0.25),
    ("2s", 2.0),
    ("1.5s", 1.5),
    ("0s", 0.0),
    ("0.5ms", 0.0005),
    ("", None),
    ("2", None),
    ("2m", None),
    ("-2s", None),
    (" 2s", None),
    ("2s ", None),
    ("2s\n", None),
    (".5s", None),
    ("1e3s", None),
    ("infs", None),
]


@pytest.mark.parametrize(("text", "value"), TIMES, ids=[repr(text) for text, _ in TIMES])
def test_a_time_is_milliseconds_or_seconds(text: str, value: float | None) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("name", [*STANDARD, *OWN])
def test_each_dial_strikes_once_it_is_set_and_not_before(name: str) -> None:
    found = dials()
    assert found.strike(name) is None
    found.set([Dial(name, "1s")])
    assert [found.strike(name) for _ in range(3)] == ["1s"] * 3
    assert all(found.strike(other) is None for other in found.known if other != name)


def test_a_dial_that_is_on_or_off_strikes_with_an_empty_setting() -> None:
    found = dials()
    found.set([Dial("hang")])
    assert found.strike("hang") == ""


def test_a_dial_goes_back_by_itself_after_its_times() -> None:
    found = dials()
    found.set([Dial("hang", times=2)])
    assert [found.strike("hang") for _ in range(4)] == ["", "", None, None]
    assert found.current == ()


def test_a_dial_that_is_set_again_starts_anew() -> None:
    found = dials()
    found.set([Dial("hang", times=2)])
    found.strike("hang")
    found.set([Dial("hang", times=2)])
    assert [found.strike("hang") for _ in range(3)] == ["", "", None]


def test_clearing_puts_every_dial_back_and_keeps_the_counts() -> None:
    found = dials()
    found.exchanges["Ask"] += 1
    found.set([Dial("hang"), Dial("drop")])
    found.clear()
    assert (found.current, found.strike("hang"), found.exchanges["Ask"]) == ((), None, 1)


def test_what_is_not_named_stays_as_it_is() -> None:
    found = dials()
    found.set([Dial("hang")])
    found.set([Dial("drop")])
    assert {dial.name for dial in found.current} == {"hang", "drop"}


def test_all_problems_are_named_at_once_and_nothing_is_set() -> None:
    found = dials()
    wanted = [
        Dial("hang"),
        Dial("nonsense"),
        Dial("delay", "soon"),
        Dial("drop", share=0.0),
        Dial("truncate", share=1.5),
        Dial("lie", share=math.nan),
    ]
    with pytest.raises(ValueError) as caught:
        found.set(wanted)
    assert str(caught.value).split("; ") == [
        "there is no dial 'nonsense'",
        f"there are {', '.join(found.known)}",
        "delay needs a time such as 2s, not 'soon'",
        "drop: the share must be above 0 and at most 1",
        "truncate: the share must be above 0 and at most 1",
        "lie: the share must be above 0 and at most 1",
    ]
    assert found.current == ()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_share_strikes_about_so_often(share: float) -> None:
    found = dials()
    found.set([Dial("hang", share=share)])
    struck = sum(found.strike("hang") is not None for _ in range(2000))
    assert struck == pytest.approx(2000 * share, rel=0.15)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), share=st.floats(0.01, 1.0), times=st.integers(0, 5))
def test_the_same_seed_strikes_the_same_exchanges_and_never_more_than_its_times(seed: int, share: float, times: int) -> None:
    runs = []
    for _ in range(2):
        found = dials(seed)
        found.set([Dial("hang", share=share, times=times)])
        runs.append([found.strike("hang") for _ in range(30)])
    assert runs[0] == runs[1]
    assert times == 0 or sum(struck is not None for struck in runs[0]) <= times
