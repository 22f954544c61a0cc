"""Rows of the estate as people and programs read them: columns, their order, and the same as a document."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hub.cli.printing import FAILED, OK, SKIPPED, WARNED, clean, mark, span

GROUPINGS: Final = ("interface", "operation", "consumer", "system", "subscription")
MARKS: Final = {1: OK, 2: WARNED, 3: FAILED, 4: SKIPPED}
"""Signs of `metip.estate.v1.NodeHealth`, by number."""
HEALTH: Final = {0: "", 1: "well", 2: "partly", 3: "down", 4: "stopped"}
COLUMNS: Final = ("rate", "errors", "p50", "p95", "p99", "in flight", "queued", "parked", "oldest")
MOVED: Final = "new"
"""Where most interfaces stand in the end, so that it need not be said."""
MOST_REASONS: Final = 2
"""Reasons of errors that a row has room for."""


def oldest(row: Any, now: datetime) -> float:
    """Seconds since the oldest waiting message was accepted; 0 where none waits."""
    if not row.counts.HasField("oldest_waiting"):
        return 0.0
    return age(row.counts.oldest_waiting, now)


def age(stamp: Any, now: datetime) -> float:
    """Seconds since a protobuf timestamp."""
    found: timedelta = now - stamp.ToDatetime(tzinfo=UTC)
    return max(0.0, found.total_seconds())


ORDERS: Final[Mapping[str, Callable[[Any, datetime], Any]]] = {
    "rate": lambda row, now: -row.measures.per_second,
    "errors": lambda row, now: (-row.measures.error_share, -row.measures.calls),
    "p50": lambda row, now: -row.measures.p50_ms,
    "p95": lambda row, now: -row.measures.p95_ms,
    "p99": lambda row, now: -row.measures.p99_ms,
    "in-flight": lambda row, now: -row.counts.in_flight,
    "queued": lambda row, now: -row.counts.queued,
    "parked": lambda row, now: -row.counts.parked,
    "oldest": lambda row, now: -oldest(row, now),
    "name": lambda row, now: 0,
}
"""By what rows can be sorted; then by name."""


def in_order(rows: Iterable[Any], order: str, now: datetime) -> list[Any]:
    """Rows in an order."""
    return sorted(rows, key=lambda row: (ORDERS[order](row, now), row.name))


def name(row: Any) -> str:
    """A row's name without what all have in common."""
    if row.name.startswith("spiffe://"):
        return clean(row.name.split("/", 3)[-1])
    return clean(row.name.removeprefix("metip.").replace(":metip.", ":")) or "(no certificate)"


def cells(row: Any, now: datetime) -> tuple[str, ...]:
    """A row of the table."""
    sign = f"{mark(MARKS[row.health])} " if row.health in MARKS else ""
    moved = f" ({state(row.migration)})" if row.migration and state(row.migration) != MOVED else ""
    return (f"{sign}{name(row)}{moved}", *figures(row.measures), *numbers(row.counts, now))


def figures(measures: Any) -> tuple[str, ...]:
    """Rate, errors and times."""
    times = [f"{value:.3g} ms" if measures.calls else "" for value in (measures.p50_ms, measures.p95_ms, measures.p99_ms)]
    return (rate(measures.per_second) if measures.calls else "", errors(measures), *times)


def numbers(counts: Any, now: datetime) -> tuple[str, ...]:
    """What is in which state."""
    known = [str(getattr(counts, one)) if counts.HasField(one) else "" for one in ("in_flight", "queued", "parked")]
    waiting = counts.HasField("oldest_waiting")
    return (*known, span(age(counts.oldest_waiting, now)) if waiting else "")


def rate(per_second: float) -> str:
    """Calls in a second."""
    return f"{per_second:,.0f}/s" if per_second >= 10 else f"{per_second:.2g}/s"


def errors(measures: Any) -> str:
    """The share of errors and what they are; what is no error is not told."""
    if not measures.error_share:
        return ""
    often = [f"{one.reason} {one.calls}" for one in measures.reasons if one.error][:MOST_REASONS]
    share = measures.error_share * 100
    return f"{share:.2g} % {', '.join(often)}" if share < 99.5 else f"100 % {', '.join(often)}"


def state(number: int) -> str:
    """Where an interface stands between the platforms: `canary`."""
    from metip.migration.v1.step_pb2 import State

    return str(State.Name(number)).removeprefix("STATE_").lower()  # type: ignore[arg-type]  # any number that the hub sent


def document(estate: Any, rows: list[Any], by: str, now: datetime) -> dict[str, Any]:
    """What `--json` prints: every figure of the table, without roundings for people."""
    return {
        "at": estate.at.ToDatetime(tzinfo=UTC).isoformat(),
        "window_seconds": round(estate.window.ToTimedelta().total_seconds(), 3),
        "by": by,
        "sources": [{"name": one.name, "problem": one.problem} for one in estate.sources],
        "other_consumers": estate.other_consumers,
        "total": _measures(estate.total) | _counts(estate.counts, now),
        "rows": [_row(row, now) for row in rows],
    }


def _row(row: Any, now: datetime) -> dict[str, Any]:
    said = {"name": row.name, "system": row.system, "health": HEALTH.get(row.health, "")}
    moved = {"migration": state(row.migration)} if row.migration else {}
    return said | moved | _measures(row.measures) | _counts(row.counts, now)


def _measures(measures: Any) -> dict[str, Any]:
    return {
        "per_second": measures.per_second,
        "calls": measures.calls,
        "error_share": measures.error_share,
        "errors": {one.reason: one.calls for one in measures.reasons if one.error},
        "other_reasons": {one.reason: one.calls for one in measures.reasons if not one.error},
        "p50_ms": measures.p50_ms,
        "p95_ms": measures.p95_ms,
        "p99_ms": measures.p99_ms,
    }


def _counts(counts: Any, now: datetime) -> dict[str, Any]:
    known = {one: getattr(counts, one) if counts.HasField(one) else None for one in ("in_flight", "queued", "parked")}
    waiting = counts.HasField("oldest_waiting")
    return {
        "received": counts.received,
        **known,
        "failed": counts.failed,
        "oldest_waiting_seconds": round(age(counts.oldest_waiting, now), 1) if waiting else None,
    }
