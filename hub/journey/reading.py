"""What Envoy's log and the adapters' logs tell, read into evidence."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import grpc

from hub.contracts import Contracts, Operation
from hub.journey.evidence import Noted, Passed, Reach, Work
from hub.journey.logs import LogFiles, written_at
from hub.mesh.edge_log import Line, Reached, read_line
from metip.tracing import trace_id

NOT_KEPT_HERE: Final = "is not kept here"
UNREADABLE: Final = "can't be read"
PLATFORM: Final = frozenset({"hub", "exchange"})
EXCHANGE: Final = "exchange"
MOST: Final = 1000
"""Lines of one journey."""
BEFORE: Final = 2.0
LONGEST_CALL: Final = 400.0
"""Seconds that a call may take at the most, and its line with it."""
STATUSES: Final = {code.value[0]: code.name for code in grpc.StatusCode}
Explain = Callable[[Line], str]
"""Why Envoy answered by itself."""


def works(contracts: Contracts) -> dict[str, Work]:
    """What a story needs of each operation's contract. An interface that consults others has no far system of its own."""
    without = {one.interface for one in contracts.operations.values() if one.consults}
    without |= {one.name for one in contracts.interfaces if one.private or one.system in PLATFORM}
    return {name: _work(one, without) for name, one in contracts.operations.items()}


def _work(one: Operation, without: set[str]) -> Work:
    message = one.delivery is not None
    return Work(one.personal, message, far=not message and one.interface not in without)


class EnvoyLog:
    """Envoy's log. `hub` is the identity under which the hub hands messages over and compares."""

    def __init__(self, path: Path | None, hub: str, works: Mapping[str, Work], explain: Explain) -> None:
        self._files = LogFiles(path, _ended) if path is not None else None
        self._hub, self._works, self._explain = hub, works, explain

    def reach(self) -> Reach:
        """How far it reaches."""
        return reach_of(self._files)

    def passed(self, words: Sequence[str], since: float, before: float) -> list[Passed]:
        """Calls of which a line holds one of the words; where no time is given, of the latest lines."""
        if self._files is None:
            return []
        lines = self._files.holding(words, since=since and since - BEFORE, before=before and before + LONGEST_CALL, most=MOST)
        try:
            return [one for one in map(self._read, lines) if one is not None]
        except OSError:  # `reach` says so
            return []

    def _read(self, text: str) -> Passed | None:
        try:
            line = read_line(text)
        except ValueError:
            return None
        operation = line.path.strip("/")
        by_hub = bool(self._hub) and line.consumer == self._hub
        message = self._works.get(operation, Work()).message
        if not line.call_id or (by_hub and message and not line.message_id):  # a delivery of before the message was written too
            return None
        answered, sent = line.reached is Reached.ANSWERED, line.reached is not Reached.EDGE
        outcome = self._explain(line) if not answered and not sent else _status(line)
        return Passed(
            at=line.at,
            operation=operation,
            call_id=line.call_id,
            consumer=line.consumer,
            answered=answered,
            outcome=outcome,
            ms=line.ms,
            sent=sent,
            system=EXCHANGE if message and not by_hub else _system(line.cluster),
            upstream=line.upstream,
            trace=trace_id(line.traceparent, line.call_id),
            parent=line.parent,
            message_id=line.message_id if by_hub else "",
            attempt=line.attempt if by_hub else 0,
            comparing=by_hub and not message,
        )


class AdapterLogs:
    """The logs of the adapters of this machine, one file a process; each may be gone, or lie elsewhere."""

    def __init__(self, folder: Path | None, hub: str, but: Iterable[str] = ()) -> None:
        """`but` names files of the folder that are none."""
        self._folder, self._hub, self._but = folder, hub, frozenset(but)

    def reach(self) -> Reach:
        """How far they reach: they are a help where they are, and nothing depends on them."""
        return Reach() if self._folder is not None and self._folder.is_dir() else Reach(NOT_KEPT_HERE)

    def noted(self, calls: Sequence[str], since: float, before: float) -> list[Noted]:
        """The lines of some calls, written within that time. What can't be read is passed over."""
        if self._folder is None or not calls or not since:
            return []
        return list(islice(self._lines(calls, since, before), MOST))

    def _lines(self, calls: Sequence[str], since: float, before: float) -> Iterator[Noted]:
        assert self._folder is not None, "its caller asked"
        for path in sorted(self._folder.glob("*.log")):
            if path.name in self._but:
                continue
            try:
                for text in LogFiles(path).holding(calls, since=since - BEFORE, before=before + LONGEST_CALL, most=MOST):
                    found = self._read(text)
                    if found is not None:
                        yield found
            except OSError:
                continue

    def _read(self, text: str) -> Noted | None:
        try:
            said: Any = json.loads(text)
            if said.get("event") != "operation" or "system" not in said:
                return None
            far = said.get("far_ms")
            return Noted(
                at=written_at(said),
                system=str(said["system"]),
                operation=str(said["operation"]),
                outcome=str(said["outcome"]),
                ms=float(said["ms"]),
                call_id=str(said["call_id"]),
                consumer=str(said.get("consumer", "")),
                far_ms=None if far is None else float(far),
                comparing=bool(self._hub) and said.get("consumer") == self._hub,
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def reach_of(files: LogFiles | None) -> Reach:
    """How far a log reaches."""
    if files is None:
        return Reach(NOT_KEPT_HERE)
    try:
        since = files.since()
    except OSError:
        return Reach(UNREADABLE)
    return Reach(since=since) if since else Reach("is empty")


def _ended(said: Any) -> float:
    """When a line of Envoy's was written: at the end of its call, though it names the beginning."""
    return written_at(said) + int(said.get("ms") or 0) / 1000


def _status(line: Line) -> str:
    if line.grpc_status is not None:
        return STATUSES.get(line.grpc_status, str(line.grpc_status))
    return "OK" if 200 <= line.http_status < 300 else line.flags or f"HTTP_{line.http_status}"


def _system(cluster: str) -> str:
    """Whose instances a cluster has: `<system>/<interface>`, or an interface, whose package names its owner."""
    if "/" in cluster:
        return cluster.partition("/")[0]
    parts = cluster.split(".")
    return parts[1] if len(parts) > 2 and parts[0] == "metip" else cluster
