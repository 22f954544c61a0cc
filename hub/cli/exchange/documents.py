"""What the exchange says, as JSON: states by the words that options take, times as RFC 3339, numbers as numbers, what is unset left out.

The ordering key is personal, so that it is told only where somebody asked for it.
"""

import json
import re
from typing import Any, Final

from hub.cli.exchange.filters import state_of

CODE: Final = re.compile(r"[A-Z0-9][A-Z0-9_.:/-]{0,49}")
"""What a reason looks like that a program gave; a person's is in words, and may name somebody."""


def delivery(one: Any, *, keys: bool = False) -> dict[str, Any]:
    """Where a delivery stands."""
    found = {
        "message_id": one.message_id,
        "subscription": one.subscription,
        "state": state_of(one.state),
        "attempts": one.attempts,
        "accepted": stamp(one.accepted),
        "next_attempt": stamp(one.next_attempt) if one.HasField("next_attempt") else None,
        "status": one.status,
        "reason": one.reason,
        "held_back": one.held_back,
        "ordering_key": one.ordering_key if keys else "",
    }
    return _set(found, "message_id", "subscription", "state", "attempts", "accepted")


def nameless(one: Any) -> dict[str, Any]:
    """Where a delivery stands, without anything that may name a person: no key, and no reason that is in somebody's words."""
    found = delivery(one)
    if "reason" in found and not CODE.fullmatch(found["reason"]):
        found["reason"] = "IN_WORDS"
    return found


def message(one: Any, *, keys: bool = False) -> dict[str, Any]:
    """Where a message stands."""
    found = {
        "message_id": one.message_id,
        "operation": one.operation,
        "accepted": stamp(one.accepted),
        "producer": one.producer,
        "call_id": one.call_id,
        "replay_of": one.replay_of,
        "deliveries": [delivery(each, keys=keys) for each in one.deliveries],
    }
    return _set(found, "message_id", "operation", "accepted", "deliveries")


def whole(reply: Any, *, keys: bool = False) -> dict[str, Any]:
    """A message with its content and every step."""
    return {
        **message(reply.message, keys=keys),
        "content_type": reply.content_type,
        "content_bytes": reply.content_bytes,
        "content": json.loads(reply.content or reply.masked_content) if reply.masked_content else None,
        "steps": [step(one) for one in reply.steps],
    }


def step(one: Any) -> dict[str, Any]:
    """One step of a delivery."""
    found = {
        "subscription": one.subscription,
        "state": state_of(one.state),
        "at": stamp(one.at),
        "attempt": one.attempt,
        "began": stamp(one.began) if one.HasField("began") else None,
        "status": one.status,
        "reason": one.reason,
        "by": one.by,
    }
    return _set(found, "subscription", "state", "at", "by")


def subscription(one: Any) -> dict[str, Any]:
    """A subscription's accounts."""
    found = {
        "subscription": one.subscription,
        "system": one.system,
        "operation": one.operation,
        "paused": one.paused,
        "unreachable_since": stamp(one.unreachable_since) if one.HasField("unreachable_since") else None,
        "oldest_waiting": stamp(one.oldest_waiting) if one.HasField("oldest_waiting") else None,
        "counts": counts(one.counts),
        "total": sum(each.deliveries for each in one.counts),
    }
    return _set(found, "subscription", "system", "operation", "paused", "counts", "total")


def counts(found: Any) -> dict[str, int]:
    """Deliveries by state."""
    return {state_of(one.state): int(one.deliveries) for one in found}


def group(one: Any) -> dict[str, Any]:
    """What waits for a person for one cause."""
    return {
        "subscription": one.subscription,
        "state": state_of(one.state),
        "status": one.status,
        "reason": one.reason,
        "deliveries": int(one.deliveries),
        "oldest": stamp(one.oldest),
        "example_message_id": one.example_message_id,
        "notes": [note(each) for each in one.notes],
    }


def note(one: Any) -> dict[str, Any]:
    """What somebody said of a group."""
    return {"at": stamp(one.at), "by": one.by, "words": one.words}


def stamp(at: Any) -> str:
    """A time as RFC 3339."""
    return str(at.ToJsonString())


def _set(found: dict[str, Any], *always: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value or name in always}
