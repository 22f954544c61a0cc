"""Guards of steps forward: each fails for its own reason, says what is missing and how to get it, and is excused only where it may be."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time

import pytest
from migrating import ASKED, AUTHOR, CONTRACTS, START, WRITTEN, rules

from hub.migration.figures import Tally
from hub.migration.guards import Facts, admissible, excused, judge
from hub.migration.plan import BARS, Bar, Hours
from hub.migration.states import NEVER_OVERRIDDEN, Guard, Position, State, at
from hub.parity.evidence import Evidence, FieldVerdict, Finding

HOUR = 3600.0
COMPARED = replace(
    rules(ASKED), bars=BARS, operations=tuple(replace(one, mirror="REPLICA") for one in CONTRACTS.interface(ASKED).operations)
)


def evidence(compared: int, differing: int = 0, lower: float = 0.9999, **more: object) -> Evidence:
    parity = 1 - differing / compared if compared else 0.0
    return Evidence(**{  # type: ignore[arg-type]
        "interface": ASKED, "since": START, "compared": compared, "differing": differing, "parity": parity, "lower": lower, "fields": (),
        "primary_errors": 0, "shadow_errors": 0, "primary_p99_ms": 40.0, "shadow_p99_ms": 30.0, **more,
    })  # fmt: skip


def calls(count: int, ms: float = 30.0, errors: int = 0) -> Tally:
    found = Tally()
    for place in range(count):
        found.take(14 if place < errors else 0, ms)
    return found


SHADOW = Facts(COMPARED, at(State.SHADOW), START, START + 2 * HOUR, evidence(1_200), author=AUTHOR, approver="bob")
CANARY = replace(
    SHADOW, here=at(State.CANARY, 50), now=START + 30 * 24 * HOUR, evidence=evidence(60_000), old=calls(500, 40), new=calls(500)
)
PRIMARY = replace(CANARY, here=at(State.PRIMARY), evidence=evidence(200_000))
FIRST, ALL, END = at(State.CANARY, 1), at(State.PRIMARY), at(State.NEW)
DIFFERENT = FieldVerdict("x/GetThing", "name", Finding.FINDING, {}, 1200, 12, 0.01, 0, 0, 0, 0, 0, 1.0, START, START)
WRITES = replace(rules(WRITTEN), operations=rules(WRITTEN).writes)
FAILING: dict[str, tuple[Facts, Position, Guard, str, str]] = {
    "nobody serves it": (replace(SHADOW, absent=("owner",)), FIRST, Guard.SERVED, "nobody of owner serves it now", "metip status"),
    "nobody approved it": (replace(SHADOW, approver=""), FIRST, Guard.APPROVER, "nobody approved it", "--approver NAME"),
    "its author approved it": (replace(SHADOW, approver="alice"), FIRST, Guard.APPROVER, "alice is its author", "somebody else"),
    "its signature is wrong": (
        replace(SHADOW, approval=("the signature is not valid",)),
        FIRST,
        Guard.APPROVER,
        "not valid",
        "metip migrate approve",
    ),
    "it writes": (replace(SHADOW, rules=WRITES), FIRST, Guard.WHOLE, "never split by the per cent", "--to primary"),
    "past the next ring": (SHADOW, at(State.CANARY, 5), Guard.RING, "5 % is past the next ring, 1 %", "--to canary --percent 1"),
    "all at once": (SHADOW, ALL, Guard.RING, "100 % is past the next ring, 1 %", "--to canary --percent 1"),
    "too few comparisons": (
        replace(SHADOW, evidence=evidence(400)),
        FIRST,
        Guard.COMPARISONS,
        "600 comparisons are missing: 400 of 1,000",
        "at this rate in 3 h",
    ),
    "no comparison at all": (
        replace(SHADOW, evidence=evidence(0, lower=0.0)),
        FIRST,
        Guard.COMPARISONS,
        "1,000 comparisons are missing",
        "none came yet",
    ),
    "nothing may be compared": (replace(SHADOW, rules=WRITES), ALL, Guard.COMPARISONS, "mirror NEVER", "--attest REFERENCE"),
    "too many differences": (
        replace(SHADOW, evidence=evidence(1200, 12, 0.98, fields=(DIFFERENT,))),
        FIRST,
        Guard.PARITY,
        "at least 98.000%; the bar is 99.500%",
        "mend or accept GetThing name: metip parity report",
    ),
    "too little proof": (
        replace(SHADOW, evidence=evidence(1000, 0, 0.99)),
        FIRST,
        Guard.PARITY,
        "at least 99.000%",
        "764 comparisons without a difference",
    ),
    "errors in the shadow": (
        replace(SHADOW, evidence=evidence(1200, shadow_errors=40)),
        FIRST,
        Guard.ERRORS,
        "40 of 1,200 calls",
        "log of adapter owner",
    ),
    "errors in the canary": (replace(CANARY, new=calls(500, errors=12)), ALL, Guard.ERRORS, "12 of 500 calls", "log of adapter owner"),
    "slow in the shadow": (
        replace(SHADOW, evidence=evidence(1200, shadow_p99_ms=900.0)),
        FIRST,
        Guard.LATENCY,
        "within 900 ms, the old one's within 40 ms; 100 ms are allowed",
        "slow",
    ),
    "slow in the canary": (replace(CANARY, new=calls(500, 200)), ALL, Guard.LATENCY, "100 ms are allowed", "slow"),
    "too few calls": (replace(CANARY, new=calls(20)), ALL, Guard.LATENCY, "answered 20 calls", "wait for calls"),
    "nobody counts": (replace(CANARY, new=calls(0), unwatched=True), ALL, Guard.ERRORS, "nobody counts calls", "edge.access_log"),
    "an acceptance is over": (
        replace(SHADOW, expired=("GetThing name",)),
        FIRST,
        Guard.ACCEPTED,
        "the acceptance of GetThing name is over",
        "metip parity accept",
    ),
    "something is in doubt": (replace(CANARY, doubts=3), ALL, Guard.DOUBT, "3 in doubt", "metip messages list --state in_doubt"),
    "too soon": (replace(CANARY, now=START + HOUR), ALL, Guard.CLEAN, "60 min without a step back; 24 h are needed", "wait for 23 h"),
    "fourteen days are not over": (replace(PRIMARY, now=START + 13 * 24 * HOUR), END, Guard.CLEAN, "14 days are needed", "wait for 24 h"),
    "somebody is tied": (
        replace(PRIMARY, tied=("spiffe://x/consumer/room",)),
        END,
        Guard.UNTIED,
        "stays on the old platform",
        "metip migrate pin --release",
    ),
    "at another hour": (
        replace(
            SHADOW,
            rules=replace(COMPARED, hours=Hours(time(7), time(7, 30), "numbers begin anew")),
            now=datetime(2026, 11, 26, 12, 0, tzinfo=UTC).timestamp(),
        ),
        FIRST,
        Guard.HOUR,
        "between 07:00 to 07:30 (numbers begin anew), and not now",
        "--at 07:00",
    ),
}


@pytest.mark.parametrize(("facts", "there"), [(SHADOW, FIRST), (CANARY, ALL), (PRIMARY, END)], ids=["canary", "primary", "new"])
def test_a_step_with_everything_in_place_passes(facts: Facts, there: Position) -> None:
    assert [one for one in judge(facts, there) if not one.passed] == []


@pytest.mark.parametrize(("facts", "there", "guard", "found", "remedy"), FAILING.values(), ids=FAILING)
def test_a_guard_that_fails_says_what_is_missing_and_how_to_get_it(
    facts: Facts, there: Position, guard: Guard, found: str, remedy: str
) -> None:
    one = next(one for one in judge(facts, there) if one.guard is guard)
    assert not one.passed
    assert found in one.found
    assert remedy in one.remedy
    assert not admissible(judge(facts, there))


@pytest.mark.parametrize(("facts", "there", "guard"), [one[:3] for one in FAILING.values()], ids=FAILING)
def test_an_emergency_excuses_what_loses_no_call_and_doubles_no_write(facts: Facts, there: Position, guard: Guard) -> None:
    judged = excused(judge(facts, there))
    one = next(one for one in judged if one.guard is guard)
    assert one.overridden == (guard not in NEVER_OVERRIDDEN)
    assert not one.passed, "it is recorded as failed all the same"


def test_each_guard_has_a_case_in_which_it_fails() -> None:
    assert {one[2] for one in FAILING.values()} == set(Guard)


@pytest.mark.parametrize(("utc", "may"), [(6, False), (7, True)], ids=["winter", "later"])
def test_hours_are_londons(utc: int, may: bool) -> None:
    hours = Hours(time(7), time(7, 30))
    assert hours.has(datetime(2026, 12, 1, utc, 10, tzinfo=UTC).timestamp()) is may
    assert hours.has(datetime(2026, 7, 1, utc - 1, 10, tzinfo=UTC).timestamp()) is may
    assert Hours(time(22), time(4)).has(datetime(2026, 12, 1, 1, 0, tzinfo=UTC).timestamp())


def test_more_needs_more() -> None:
    steps = [*(at(State.CANARY, percent) for percent in (1, 10, 25, 50)), at(State.PRIMARY), at(State.NEW)]
    bars: list[Bar] = [COMPARED.bar(there) for there in steps]
    assert [one.comparisons for one in bars] == sorted({one.comparisons for one in bars})
    assert [one.parity for one in bars] == sorted(one.parity for one in bars)
    assert bars[0] == Bar(1_000, 0.995)


def test_the_bound_of_comparisons_without_a_difference_reaches_the_bar() -> None:
    wilson: Callable[[int], float] = lambda n: n / (n + 1.959964**2)  # noqa: E731
    for bar in BARS.values():
        assert wilson(bar.comparisons) >= bar.parity, "a bar that no evidence of its size could reach would never be passed"
