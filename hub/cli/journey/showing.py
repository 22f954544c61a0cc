"""A journey for people and as JSON: the tree, when each step began, its record; what is missing, and what was read. Pure."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any, Final

from hub.cli.exchange.moments import written
from hub.cli.printing import FAILED, OK, SKIPPED, WARNED, clean, count, dim, mark, span
from metip.journey.v1 import journey_pb2 as words
from metip.journey.v1 import journey_service_pb2 as api

SIGNS: Final = {
    words.STEP_STATE_DONE: OK,
    words.STEP_STATE_REFUSED: FAILED,
    words.STEP_STATE_FAILED: FAILED,
    words.STEP_STATE_WAITING: SKIPPED,
    words.STEP_STATE_NEEDS_A_PERSON: WARNED,
    words.STEP_STATE_MISSING: WARNED,
}
NAMES: Final = {
    words.SOURCE_LEDGER: ("ledger", "record"),
    words.SOURCE_EXCHANGE: ("exchange", "message"),
    words.SOURCE_ENVOY: ("Envoy's log", "line"),
    words.SOURCE_ADAPTER_LOG: ("adapters' logs", "line"),
}
WITH_ID: Final = frozenset({words.STEP_KIND_CALL, words.STEP_KIND_ACCEPTED})
"""Kinds of steps that begin something with an id of its own."""


def lines(response: Any) -> Iterator[str]:
    """A journey as lines."""
    journey = response.journey
    first = journey.steps[0]
    kind = _word(api.IdKind.Name(response.kind), "ID_KIND_")
    yield f"journey {journey.journey_id}  {dim(f'from a {kind}')}"
    yield f"began   {written(first.at, precisely=True) or 'nobody knows when'} UTC" + ("; not all of it is over" if journey.open else "")
    yield ""
    yield from _tree(journey.steps)
    yield ""
    yield dim("read: " + "; ".join(map(_source, journey.sources)))
    if response.others:
        yield ""
        yield f"the key has {count(len(response.others), 'other journey')}{' and more' if response.more else ''}, the latest first:"
        for one in response.others:
            yield f"  {written(one.at)}  {one.id}  {one.operation}"


def _tree(steps: Any) -> Iterator[str]:
    """Each step under the one that it belongs to, with rails as `tree` draws them."""
    last: dict[str, str] = {}
    for one in steps:
        last[one.parent_id] = one.step_id
    rails: dict[str, str] = {}
    began = _seconds(steps[0].at)
    for one in steps:
        above = rails.get(one.parent_id, "")
        ends = last[one.parent_id] == one.step_id
        rails[one.step_id] = above + ("   " if ends else "│  ") if one.parent_id else ""
        branch = f"{above}{'└─ ' if ends else '├─ '}" if one.parent_id else ""
        yield f"{_offset(one, began):>10}  {branch}{mark(SIGNS.get(one.state, SKIPPED))} {clean(one.line)}{_ids(one)}"


def _ids(step: Any) -> str:
    named = step.message_id if step.kind == words.STEP_KIND_ACCEPTED else step.call_id
    found = [named] if step.kind in WITH_ID and named else []
    if step.HasField("record") and f"record {step.record}" not in step.line:
        found.append(f"record {step.record}")
    return dim(f"  [{', '.join(found)}]") if found else ""


def _offset(step: Any, began: float) -> str:
    """How long after the beginning."""
    at = _seconds(step.at)
    if not at:
        return "?"
    after = at - began
    return f"-{span(-after)}" if after < -0.0005 else f"+{span(max(0.0, after))}"


def _source(one: Any) -> str:
    name, noun = NAMES.get(one.source, ("another source", "thing"))
    if one.problem:
        return f"{name}: {one.problem}"
    since = f", from {written(one.reaches_back_to)} on" if one.HasField("reaches_back_to") else ""
    return f"{name}: {count(one.found, noun)}{since}"


def document(response: Any) -> dict[str, Any]:
    """A journey as JSON."""
    journey = response.journey
    return {
        "journey_id": journey.journey_id,
        "asked_by": _word(api.IdKind.Name(response.kind), "ID_KIND_").replace(" ", "_"),
        "identifiers": list(response.identifiers),
        "open": journey.open,
        "steps": [_step(one) for one in journey.steps],
        "sources": [
            {
                "source": _word(words.Source.Name(one.source), "SOURCE_").replace(" ", "_"),
                "found": one.found,
                "reaches_back_to": _moment(one, "reaches_back_to"),
                "problem": one.problem,
            }
            for one in journey.sources
        ],
        "others": [{"id": one.id, "at": _moment(one, "at"), "operation": one.operation} for one in response.others],
        "more": response.more,
    }


def _step(one: Any) -> dict[str, Any]:
    plain = ("step_id", "parent_id", "who", "what", "where", "outcome", "line", "call_id", "message_id", "attempt")
    found: dict[str, Any] = {name: getattr(one, name) for name in plain}
    found["kind"] = _word(words.StepKind.Name(one.kind), "STEP_KIND_").replace(" ", "_")
    found["state"] = _word(words.StepState.Name(one.state), "STEP_STATE_").replace(" ", "_")
    found["at"] = _moment(one, "at")
    found["milliseconds"] = one.milliseconds if one.HasField("milliseconds") else None
    found["record"] = one.record if one.HasField("record") else None
    found["told_by"] = [_word(words.Source.Name(source), "SOURCE_").replace(" ", "_") for source in one.told_by]
    return found


def _moment(one: Any, name: str) -> str | None:
    return getattr(one, name).ToDatetime(tzinfo=UTC).isoformat() if one.HasField(name) else None


def _seconds(stamp: Any) -> float:
    found: float = stamp.seconds + stamp.nanos / 1e9
    return found


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower().replace("_", " ")
