"""A message and what became of it, as lines for people: its origin, where each delivery stands, each step as a trail. Pure."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from hub.cli.exchange.filters import state_of
from hub.cli.exchange.finding import last, outlook
from hub.cli.exchange.moments import age, written
from hub.cli.exchange.names import shortened
from hub.cli.printing import FAILED, OK, SKIPPED, WARNED, aligned, clean, count, mark, span
from hub.exchange.life import DONE, WAITING_FOR_A_PERSON, State

MARKS: Final = {State.DELIVERED: OK, State.PROCESSED: OK, State.REFUSED: FAILED, State.PURGED: SKIPPED}
EXCHANGE: Final = "exchange"
DECIDED: Final = {"pending": "released", "processed": "settled as done", "refused": "settled as not done"}
"""What a person did who moved a delivery to a state; elsewhere the state says it."""


def marked(state: str) -> str:
    """A state behind its mark: done, waiting for a person, or under way."""
    try:
        known = State(state)
    except ValueError:
        return state
    sign = MARKS.get(known, WARNED if known in WAITING_FOR_A_PERSON else SKIPPED)
    return f"{mark(sign)} {state}"


def head(one: Any, now: datetime) -> Iterator[str]:
    """A message's own facts."""
    yield f"message    {one.message_id}"
    yield f"operation  {one.operation}"
    yield f"accepted   {written(one.accepted)} UTC, {age(one.accepted, now)} ago"
    if one.producer:
        yield f"producer   {clean(one.producer)}"
    if one.call_id:
        yield f"call id    {clean(one.call_id)}"
    if one.replay_of:
        yield f"replay of  {one.replay_of}"


def standings(one: Any, now: datetime) -> list[str]:
    """Where each delivery of a message stands, a line each."""
    if not one.deliveries:
        return ["nobody subscribes to it, so there is nothing to deliver"]
    names = shortened(each.subscription for each in one.deliveries)
    return aligned([_standing(each, names[each.subscription], now) for each in one.deliveries])


def _standing(one: Any, name: str, now: datetime) -> tuple[str, ...]:
    return (marked(state_of(one.state)), name, count(one.attempts, "attempt"), " ".join(filter(None, (outlook(one, now), last(one)))))


def content(reply: Any) -> Iterator[str]:
    """The content of a message, masked unless it came otherwise."""
    if not reply.content_type:
        yield f"content    {reply.content_bytes} bytes of an operation that is not loaded any more"
        return
    masked = "shown, and that is recorded" if reply.content else "masked"
    yield f"content    {reply.content_type}, {reply.content_bytes} bytes; what is personal is {masked}"
    if reply.masked_content:
        for line in json.dumps(json.loads(reply.content or reply.masked_content), indent=2, ensure_ascii=False).splitlines():
            yield f"  {clean(line)}"


def trails(reply: Any, now: datetime, *, keys: bool = False) -> Iterator[str]:
    """Every step of every delivery, under its delivery."""
    standing = {one.subscription: one for one in reply.message.deliveries}
    steps: dict[str, list[Any]] = {name: [] for name in standing}
    for one in reply.steps:
        steps.setdefault(one.subscription, []).append(one)
    names = shortened(steps)
    for name, found in steps.items():
        yield ""
        yield from _trail(standing.get(name), names[name], found, reply.message.accepted, now, keys=keys)


def _trail(one: Any, name: str, steps: list[Any], accepted: Any, now: datetime, *, keys: bool) -> Iterator[str]:
    if one is None:
        yield f"{name}  (this subscription is no more)"
    else:
        yield f"{marked(state_of(one.state))}  {name}, {count(one.attempts, 'attempt')}"
        if keys and one.ordering_key:
            yield f"  in order with all of key {clean(one.ordering_key)}"
    rows = [(_clock(accepted), "accepted", "", "", "")]
    rows += [_row(step) for step in steps]
    if one is not None:
        rows += _now(one, now)
    yield from aligned(rows, indent="  ")


def _row(step: Any) -> tuple[str, str, str, str, str]:
    state = state_of(step.state)
    if _by_a_person(step):
        return (_clock(step.at), DECIDED.get(state, state), "", f"“{clean(step.reason)}”", f"by {clean(step.by)}")
    if step.attempt:
        took = (step.at.ToDatetime(tzinfo=UTC) - step.began.ToDatetime(tzinfo=UTC)).total_seconds()
        ended = "tried again" if state == State.PENDING.value else state
        return (_clock(step.began), f"attempt {step.attempt}", f"took {span(max(0.0, took))}", last(step), f"→ {ended}")
    return (_clock(step.at), state, "", last(step), "" if step.by == EXCHANGE else f"by {clean(step.by)}")


def _by_a_person(step: Any) -> bool:
    """Whether a person moved it, rather than the exchange or the subscribing system."""
    return step.by not in (EXCHANGE, step.subscription.partition(":")[0])


def _now(one: Any, now: datetime) -> list[tuple[str, str, str, str, str]]:
    """What is under way, or comes next by itself; nothing of a delivery that is done or waits for a person."""
    state = state_of(one.state)
    if state == State.ATTEMPT.value:
        return [("now", f"attempt {one.attempts}", "", "", "is under way")]
    if state == State.PENDING.value:
        return [("next", f"attempt {one.attempts + 1}", outlook(one, now), "", "")]
    return []


def _clock(stamp: Any) -> str:
    return written(stamp, precisely=True)


class Changes:
    """A message that is followed: what changed since it was last told."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def lines(self, one: Any, now: datetime) -> list[str]:
        """A line for each delivery that stands otherwise than it did."""
        names = shortened(each.subscription for each in one.deliveries)
        changed = [each for each in one.deliveries if self._known.get(each.subscription) != each]
        self._known.update({each.subscription: each for each in changed})
        told = aligned([_standing(each, names[each.subscription], now) for each in changed])
        return [f"{now:%H:%M:%S}  {line}" for line in told]


def ended_well(one: Any) -> bool:
    """Whether every delivery of a message is done, and none was refused."""
    good = {state.value for state in DONE - {State.REFUSED}}
    return all(state_of(each.state) in good for each in one.deliveries)
