"""Invented journeys: what each source would tell of a search that asks three systems, and of a message that goes to two; as evidence."""

import random
from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from hub.journey.evidence import Evidence, Kept, Noted, Passed, Reach, Recorded, Source, Standing, Stepped, Work
from hub.journey.sources import Window
from metip.tracing import trace_id_of

SEARCH, PART, MESSAGE = "metip.one.v1.SearchService/Search", "metip.two.v1.PartService/Find", "metip.three.v1.NoteService/PublishNote"
WORK = {SEARCH: Work(personal=True, far=False), PART: Work(personal=True), MESSAGE: Work(personal=True, message=True, far=False)}
HUB, TABLET = "spiffe://metip.local/hub", "spiffe://metip.local/consumer/tablet"
SYSTEMS = ("two", "four", "five")
REACHED = dict.fromkeys(Source, Reach())
NOW = 1_800_000_000.0
LATER = NOW + 3600.0


def call_id(seed: int) -> str:
    """An id as Envoy makes them."""
    return str(UUID(int=random.Random(seed).getrandbits(128), version=4))


def search(seed: int = 1, at: float = NOW, first_record: int = 10, trace: str = "") -> Evidence:
    """A search by a tablet that asks three systems; `trace` is one that the tablet brought along."""
    root = call_id(seed)
    trace = trace or trace_id_of(root)
    parts = [call_id(seed * 1000 + number) for number in range(len(SYSTEMS))]
    passed = [Passed(at, SEARCH, root, TABLET, True, "OK", 120, system="one", upstream="unix:/run/one-0.sock", trace=trace)]
    records = [Recorded(first_record, at + 0.119, SEARCH, TABLET, "OK", root, trace, took=0.118, platform="one")]
    noted = [Noted(at + 0.12, "one", SEARCH, "OK", 118.5, root, TABLET)]
    for number, (one, system) in enumerate(zip(parts, SYSTEMS, strict=True), 1):
        begun, consumer = at + 0.01 * number, "spiffe://metip.local/adapter/one"
        outcome = "TIMED_OUT" if system == "five" else "OK"
        status = "DEADLINE_EXCEEDED" if system == "five" else "OK"
        passed.append(
            Passed(begun, PART, one, consumer, True, status, 50, system=system, upstream=f"unix:/{system}", trace=trace, parent=root)
        )
        records.append(
            Recorded(first_record + number, begun + 0.05, PART, consumer, outcome, one, trace, parent=root, took=0.05, platform=system)
        )
        noted.append(Noted(begun + 0.05, system, PART, outcome, 49.0, one, consumer, far_ms=40.0))
    return _sorted(Evidence(tuple(records), tuple(passed), tuple(noted), (), REACHED, WORK, LATER))


def message(seed: int = 2, at: float = NOW, first_record: int = 100, trace: str = "") -> Evidence:
    """A message to two systems, one of which has it at the second attempt; and its replay for the other."""
    root, name, again = call_id(seed), call_id(seed + 500), call_id(seed + 501)
    trace = trace or trace_id_of(root)
    four, five = f"four:{MESSAGE}", f"five:{MESSAGE}"
    passed = [Passed(at, MESSAGE, root, TABLET, True, "OK", 5, system="exchange", upstream="unix:/hub", trace=trace)]
    steps = [
        Stepped(four, at + 0.1, at + 0.02, "processed", 1, "OK", "", "exchange"),
        Stepped(five, at + 0.1, at + 0.05, "pending", 1, "UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "exchange"),
        Stepped(five, at + 1.2, at + 1.1, "delivered", 2, "OK", "", "exchange"),
        Stepped(five, at + 5.0, 0.0, "processed", 0, "", "", "five"),
    ]
    standings = (Standing(five, "processed", 2, 0.0, "", ""), Standing(four, "processed", 1, 0.0, "OK", ""))
    kept = [Kept(name, MESSAGE, TABLET, root, trace, at + 0.003, deliveries=standings, steps=tuple(steps))]
    records = [Recorded(first_record, at + 0.003, MESSAGE, TABLET, "OK", root, trace, platform="exchange", message_id=name)]
    noted = []

    def attempt(message_id: str, system: str, number: int, begun: float, outcome: str, status: str) -> None:
        passed.append(
            Passed(begun, MESSAGE, root, HUB, True, status, 40, system=system, upstream=f"unix:/{system}", trace=trace,
                   message_id=message_id, attempt=number)
        )  # fmt: skip
        records.append(
            Recorded(first_record + len(records), begun + 0.03, MESSAGE, TABLET, outcome, root, trace, took=0.03, platform=system,
                     message_id=message_id, recipient=system)
        )  # fmt: skip
        noted.append(Noted(begun + 0.04, system, MESSAGE, outcome, 35.0, root, TABLET, far_ms=20.0))

    attempt(name, "four", 1, at + 0.02, "OK", "OK")
    attempt(name, "five", 1, at + 0.05, "UPSTREAM_UNAVAILABLE", "UNAVAILABLE")
    attempt(name, "five", 2, at + 1.1, "OK", "OK")
    replay = Stepped(four, at + 60.1, at + 60.0, "processed", 1, "OK", "", "exchange")
    kept.append(Kept(again, MESSAGE, TABLET, root, trace, at + 59.9, name, (Standing(four, "processed", 1, 0.0, "OK", ""),), (replay,)))
    records.append(
        Recorded(first_record + len(records), at + 59.9, MESSAGE, TABLET, "OK", root, trace, platform="exchange", message_id=again)
    )
    attempt(again, "four", 1, at + 60.0, "OK", "OK")
    return _sorted(Evidence(tuple(records), tuple(passed), tuple(noted), tuple(kept), REACHED, WORK, LATER))


def together(*some: Evidence) -> Evidence:
    """Several as one."""
    return _sorted(
        replace(
            some[0],
            records=tuple(one for each in some for one in each.records),
            passed=tuple(one for each in some for one in each.passed),
            noted=tuple(one for each in some for one in each.noted),
            messages=tuple(one for each in some for one in each.messages),
        )
    )


def _sorted(one: Evidence) -> Evidence:
    return replace(
        one,
        records=tuple(sorted(one.records, key=lambda record: record.index)),
        passed=tuple(sorted(one.passed, key=lambda line: (line.at, line.call_id, line.message_id, line.attempt, line.upstream))),
        noted=tuple(sorted(one.noted, key=lambda line: (line.at, line.call_id, line.system, line.operation))),
        messages=tuple(sorted(one.messages, key=lambda kept: kept.message_id)),
    )


class Archive:
    """Sources that hold what evidence says, and answer as the real ones do: by ids, words and times, and nothing else."""

    def __init__(self, held: Evidence) -> None:
        self._held = held

    async def records(self, calls: Collection[str], links: Collection[str]) -> list[Recorded]:
        linked = set(links)
        return [one for one in self._held.records if one.call_id in calls or one.message_id in linked or one.trace in linked]

    async def record(self, index: int) -> Recorded | None:
        return next((one for one in self._held.records if one.index == index), None)

    async def messages(self, ids: Collection[str]) -> list[Kept]:
        return [one for one in self._held.messages if one.message_id in ids]

    async def handed_over(self, calls: Collection[str], traces: Collection[str], window: Window) -> list[str]:
        found = [
            one.message_id
            for one in self._held.messages
            if not one.replay_of and (one.call_id in calls or one.trace in traces) and within(one.accepted, window)
        ]
        return found + [one.message_id for one in self._held.messages if one.replay_of in found]

    async def passed(self, words: Sequence[str], window: Window) -> list[Passed]:
        return [one for one in self._held.passed if within(one.at, window) and any(word in written(one) for word in words)]

    async def noted(self, calls: Sequence[str], window: Window) -> list[Noted]:
        return [one for one in self._held.noted if within(one.at, window) and one.call_id in calls]

    async def reach(self) -> dict[Source, Reach]:
        return dict(self._held.reach)


def written(one: Passed) -> str:
    """What the line would hold: a trace only where the caller brought one along."""
    trace = one.trace if one.trace != trace_id_of(one.call_id) else ""
    return " ".join((one.call_id, trace, one.parent, one.message_id))


def within(at: float, window: Window) -> bool:
    return not window[0] or window[0] - 2.0 <= at <= window[1] + 400.0
