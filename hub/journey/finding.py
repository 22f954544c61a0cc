"""Gathers what belongs to one journey, from any id of it: what one source tells names what the others are asked next, until nothing is new.

What belongs together: calls of one trace, calls that name another as the one that made them, messages that a call handed over, replays of a
message, and every record of these. A business key is only where one begins: different journeys may share it.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from hub.journey.evidence import Evidence, Kept, Noted, Passed, Recorded, Work, trace_of
from hub.journey.sources import Sources, Window
from metip.tracing import TRACE_ID, trace_id_of

ROUNDS: Final = 12
MOST_CALLS: Final = 300
MOST_MESSAGES: Final = 100
AROUND: Final = 30.0
"""Seconds around an instant in which lines are looked for, where a journey is longer than an hour."""
TOGETHER: Final = 3600.0
ONE_CALL: Final = 5.0
"""Seconds after a call's end within which its messages were accepted."""


@dataclass
class Names:
    """Ids that belong to a journey."""

    calls: set[str] = field(default_factory=set)
    traces: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)

    def add(self, *, call: str = "", trace: str = "", message: str = "") -> None:
        """Adds those that are not empty."""
        for kind, one in ((self.calls, call), (self.traces, trace), (self.messages, message)):
            if one:
                kind.add(one)

    def of(self, one: Recorded | Passed | Kept) -> None:
        """Adds what something names."""
        self.add(call=one.call_id, trace=trace_of(one), message=one.message_id)
        if isinstance(one, Kept):
            self.add(message=one.replay_of)
        else:
            self.add(call=one.parent)

    def copy(self) -> "Names":
        """As they are now."""
        return Names(set(self.calls), set(self.traces), set(self.messages))


async def gathered(
    sources: Sources, start: Names, work: Mapping[str, Work], *, first: Iterable[Recorded] = (), clock: Callable[[], float] = time.time
) -> Evidence:
    """Everything that is found. `first` are records that are known already."""
    gathering = _Gathering(sources, start)
    for record in first:
        gathering.take(record)
    for _ in range(ROUNDS):
        before = gathering.names.copy()
        await gathering.round()
        if gathering.names == before or gathering.partial:
            break
    else:
        gathering.partial = True
    return await gathering.evidence(work, clock())


class _Gathering:
    def __init__(self, sources: Sources, start: Names) -> None:
        self._sources, self.names = sources, start
        self._begun, self._asked = start.copy(), Names()
        self._records: dict[int, Recorded] = {}
        self._messages: dict[str, Kept] = {}
        self._passed: dict[Passed, None] = {}
        self.partial = False

    def take(self, record: Recorded) -> None:
        """Takes a record and what it names."""
        self._records[record.index] = record
        self.names.of(record)

    async def round(self) -> None:
        """Asks every source for what is new."""
        names, asked = self.names, self._asked
        for trace in list(names.traces):
            names.add(call=_call_of(trace))
        calls, traces, messages = names.calls - asked.calls, names.traces - asked.traces, names.messages - asked.messages
        self._asked = names.copy()
        for record in await self._sources.records(sorted(calls), sorted(traces | messages)):
            self.take(record)
        for kept in await self._sources.messages(sorted(messages)):
            self._messages[kept.message_id] = kept
            names.of(kept)
        if calls or traces:
            for line in await self._lines():
                self._take_line(line)
            names.messages.update(await self._handed_over())
        self.partial = len(names.calls) > MOST_CALLS or len(names.messages) > MOST_MESSAGES

    async def _lines(self) -> list[Passed]:
        """What Envoy wrote of these calls. A call of a trace is found by that; one that came without a trace is found by its own id."""
        names = self.names
        words = sorted(names.traces | self._begun.calls | {one for one in names.calls if trace_id_of(one) in names.traces})
        return [line for window in self._windows() for line in await self._sources.passed(words, window)]

    def _take_line(self, line: Passed) -> None:
        """Takes a line, unless it only names one of the journey's calls as what it was made by: anybody may say so."""
        if trace_of(line) in self.names.traces or line.call_id in self.names.calls:
            self._passed[line] = None
            self.names.of(line)

    async def _handed_over(self) -> list[str]:
        calls, traces = sorted(self.names.calls), sorted(self.names.traces)
        windows = _joined([(one.at - 1.0, one.at + one.ms / 1000 + ONE_CALL) for one in self._passed if not one.message_id], 0.0)
        windows += [] if windows else self._windows()
        return [found for window in windows for found in await self._sources.handed_over(calls, traces, window)]

    def _windows(self) -> list[Window]:
        """Times in which lines are looked for; one without bounds where no time is known."""
        instants = [one.at for one in self._records.values()] + [one.accepted for one in self._messages.values()]
        instants += [one.at for one in self._passed] + [step.at for one in self._messages.values() for step in one.steps]
        if not instants:
            return [(0.0, 0.0)]
        first, last = min(instants), max(instants)
        if last - first <= TOGETHER:
            return [(first - AROUND, last + AROUND)]
        return _joined([(one - AROUND, one + AROUND) for one in instants], AROUND)

    async def evidence(self, work: Mapping[str, Work], now: float) -> Evidence:
        """All that was found; Envoy and the exchange are asked once more, now that all ids and all times are known."""
        for line in await self._lines():
            self._take_line(line)
        calls = sorted({one.call_id for one in self._records.values()} | {one.call_id for one in self._passed} - {""})
        noted: dict[Noted, None] = {}
        for window in self._windows():
            noted |= dict.fromkeys(await self._sources.noted(calls[:MOST_CALLS], window))
        return Evidence(
            records=tuple(self._records[index] for index in sorted(self._records)),
            passed=tuple(sorted(self._passed, key=lambda one: (one.at, one.call_id, one.message_id, one.attempt, one.upstream))),
            noted=tuple(sorted(noted, key=lambda one: (one.at, one.call_id, one.system, one.operation))),
            messages=tuple(replace(self._messages[one]) for one in sorted(self._messages)),
            reach=await self._sources.reach(),
            work=work,
            now=now,
            partial=self.partial,
        )


def _call_of(trace: str) -> str:
    """The call whose own trace it would be."""
    if not TRACE_ID.fullmatch(trace):
        return ""
    return "-".join((trace[:8], trace[8:12], trace[12:16], trace[16:20], trace[20:]))


def _joined(windows: list[Window], apart: float) -> list[Window]:
    """Windows that meet, or nearly, as one."""
    found: list[Window] = []
    for first, last in sorted(windows):
        if found and first <= found[-1][1] + apart:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found
