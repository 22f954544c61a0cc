"""The state machine is one: however entries are gathered and however often a process starts again, files and results agree."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from engines import NOW, arrival, subscription
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.exchange.jetstream import commands
from hub.exchange.jetstream.replica import Entry, Fate, Outcome, Replica
from hub.exchange.life import Event, State
from hub.exchange.records import BrokenError, Filter, Settlement
from hub.exchange.sqlite.schema import Names
from metip.exchange.v1 import log_pb2 as log

SUBSCRIPTIONS = (subscription("far", backlog=5), subscription("once", write_once=True), subscription("open", parked_blocks=False))
NAMES = [one.name for one in SUBSCRIPTIONS]
OWNERS = ("one/1", "two/1", "one/2")
STORE = 77
PLAN = "00000000-0000-4000-8000-{:012d}"

names = st.sampled_from(NAMES)
places = st.integers(1, 8)
message_ids = places.map(Names(STORE).of)
arrivals = st.builds(lambda key, ordering: arrival(key, ordering), st.sampled_from("abcdefgh"), st.sampled_from(["", "x", "y"]))
settlements = st.builds(
    Settlement,
    places,
    st.integers(1, 3),
    st.sampled_from([Event.ACKNOWLEDGED, Event.CONFIRMED, Event.REFUSED, Event.FAILED, Event.GAVE_UP, Event.DOUBTED]),
    st.just("UNAVAILABLE"),
    st.sampled_from(["", "NO_ROUTE"]),
    st.sampled_from([0.0, NOW + 5]),
)
plans = st.integers(1, 2).map(PLAN.format)
CHANGES: st.SearchStrategy[log.LogCommand] = st.one_of(
    st.just(log.LogCommand(beat=log.LogBeat())),
    st.just(log.LogCommand(leave=log.LogLeave())),
    st.builds(lambda owner: log.LogCommand(expire=log.LogExpire(owner=owner, sequence=3)), st.sampled_from(OWNERS)),
    st.lists(st.sampled_from(SUBSCRIPTIONS), min_size=1, unique=True).map(
        lambda some: log.LogCommand(subscribe=log.LogSubscribe(subscriptions=[commands.packed(log.LogSubscription, one) for one in some]))
    ),
    st.lists(arrivals, min_size=1, max_size=4).map(
        lambda some: log.LogCommand(accept=log.LogAccept(arrivals=[commands.packed(log.LogArrival, one) for one in some]))
    ),
    st.builds(
        lambda name, some, limit: log.LogCommand(
            turn=log.LogTurn(subscription=name, settlements=[commands.packed(log.LogSettlement, one) for one in some], limit=limit)
        ),
        names,
        st.lists(settlements, max_size=3),
        st.integers(0, 4),
    ),
    st.builds(
        lambda one, system: log.LogCommand(confirm=log.LogConfirm(message_id=one, system=system, event="confirmed")),
        message_ids,
        st.sampled_from(["far", "once"]),
    ),
    st.builds(
        lambda one, name, event: log.LogCommand(
            decide=log.LogDecide(deliveries=[log.LogDelivery(message_id=one, subscription=name)], event=event.value, by="P1")
        ),
        message_ids,
        names,
        st.sampled_from([Event.RELEASE, Event.PURGE, Event.PARK]),
    ),
    st.builds(lambda name, paused: log.LogCommand(pause=log.LogPause(subscription=name, paused=paused)), names, st.booleans()),
    st.builds(
        lambda plan: log.LogCommand(
            plan=log.LogPlan(wanted=commands.packed(log.LogFilter, Filter(states=frozenset(State))), plan_id=plan, by="P1", expires=NOW * 2)
        ),
        plans,
    ),
    st.builds(lambda plan: log.LogCommand(replay=log.LogReplay(plan_id=plan, by="P1")), plans),
    st.just(log.LogCommand(retain=log.LogRetain(retention=[log.LogRetention(operation=SUBSCRIPTIONS[0].operation)], limit=2))),
)
HISTORIES = st.lists(
    st.tuples(st.sampled_from(OWNERS), st.booleans(), st.integers(-1, 2), st.lists(CHANGES, max_size=4), st.booleans()), max_size=12
)
"""For each entry: its process, whether it joins, how its number follows, its commands, and whether a file is opened anew before it."""


def _entries(history: list[tuple[str, bool, int, list[log.LogCommand], bool]]) -> list[Entry]:
    start = log.LogSubscribe(subscriptions=[commands.packed(log.LogSubscription, one) for one in SUBSCRIPTIONS])
    said = [log.LogEntry(version=1, owner=OWNERS[0], number=1, at=NOW, commands=[_join(OWNERS[0]), log.LogCommand(subscribe=start)])]
    numbers = dict.fromkeys(OWNERS, 1)
    plans: set[str] = set()
    for owner, joins, step, changes, _ in history:
        numbers[owner] += step
        fresh = [one for one in changes if not (one.HasField("plan") and one.plan.plan_id in plans)]  # the name of a plan is used once
        unique = {one.plan.plan_id: one for one in fresh if one.HasField("plan")}
        fresh = [one for one in fresh if not one.HasField("plan")] + list(unique.values())
        plans.update(unique)
        first = [_join(owner)] if joins else []
        said.append(log.LogEntry(version=1, owner=owner, number=numbers[owner], at=NOW + 3 * len(said) - step, commands=[*first, *fresh]))
    return [Entry(place, f"id-{place}", one) for place, one in enumerate(said, 1)]


def _join(owner: str) -> log.LogCommand:
    return log.LogCommand(join=log.LogJoin(hub=owner.split("/")[0], store=STORE))


def _content(store: Replica) -> dict[str, list[Any]]:
    """Every table, with all keys filed: how far a file had come with that is its own affair."""
    store._file()
    store.all("delete from meta where name = 'filed'")
    tables = [str(row[0]) for row in store.all("select name from sqlite_schema where type = 'table' order by 1")]
    return {table: store.all("select * from " + table) for table in tables}


def _run(store: Replica, entries: list[Entry]) -> list[Outcome]:
    (result,) = store.run([lambda: store.apply(entries)])
    if isinstance(result, Exception):
        raise result
    found: list[Outcome] = result
    return found


def _told(outcome: Outcome) -> list[str]:
    return [repr(one) for one in outcome.results]


@given(HISTORIES)
@settings(max_examples=60, deadline=None)
def test_files_and_results_agree_however_entries_are_gathered(history: list[Any]) -> None:
    entries = _entries(history)
    with TemporaryDirectory() as folder:
        whole, parts = Replica(Path(folder) / "whole"), Replica(Path(folder) / "parts")
        outcomes, again = _run(whole, entries), _run(parts, entries[:1])
        for entry, (*_, anew) in zip(entries[1:], history, strict=True):
            if anew:
                parts.close()
                parts = Replica(Path(folder) / "parts")
            again += _run(parts, [entry])
        assert _content(whole) == _content(parts)
        assert whole.tally + whole.beyond == parts.tally + parts.beyond
        assert [(one.fate, _told(one), one.stirred) for one in outcomes] == [(one.fate, _told(one), one.stirred) for one in again]
        known, living = {place.id for place in whole.places.values()}, set(whole.lives())
        under_way = whole.all("select subscription, owner from delivery where state = 'attempt'")
        assert all(owner in living for number, owner in under_way if number in known)
        whole.close()
        parts.close()


def test_an_entry_of_newer_rules_or_out_of_order_changes_nothing(tmp_path: Path) -> None:
    store = Replica(tmp_path / "exchange.sqlite")
    (first,) = _entries([])
    _run(store, [first])
    before = _content(store)
    newer = log.LogEntry(version=commands.VERSION + 1, owner=OWNERS[0], number=2, commands=[log.LogCommand(leave=log.LogLeave())])
    unknown = log.LogEntry(version=1, owner=OWNERS[0], number=2, commands=[log.LogCommand()])
    for entry in (Entry(2, "", newer), Entry(2, "", unknown), Entry(3, "", first.said), Entry(1, "", first.said)):
        with pytest.raises(BrokenError):
            _run(store, [entry])
    assert _content(store) == before
    assert _run(store, [Entry(2, "", first.said)])[0].fate is Fate.REPEATED
    store.close()
