"""Scenarios of the exchange, generic over systems: every sample message is followed to every subscriber, and one is replayed.

What a far system makes of a message is its own business: that it was parked, with its cause, is as good an end as that it was processed.
What may not happen is that nobody knows where it is.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from typing import Any, Final

from hub.cli.gathering import processes
from hub.cli.printing import count
from hub.cli.staging import Answer, Outcome, Stage

EXCHANGE: Final = "metip.exchange.v1.ExchangeService"
PATIENCE: Final = 20.0
BACK_WITHIN: Final = 60.0
"""Seconds for a hub that was killed: some three on a machine with nothing else to do, many more on one that is full."""
POLL: Final = 0.1
ACCESS: Final = {"purpose": "PURPOSE_AUDIT", "justification": "the demo shows how a message is followed and replayed"}
PROCESSED: Final = "PROCESSED"
RESTING: Final = (PROCESSED, "REFUSED", "PARKED", "IN_DOUBT", "EXPIRED", "DELIVERED")


async def delivered(on: Stage) -> AsyncIterator[Outcome]:
    """Each sample message is accepted, and comes to rest at each of its subscribers."""
    for sample in on.samples:
        if sample.operation.delivery is None or sample.status != "OK":
            continue
        accepted = await on.ask(sample.operation, sample.request)
        if accepted.refusal is not None:
            yield Outcome(f"{sample.operation.name} is accepted", False, accepted.words())
            continue
        receipt: Any = accepted.replies[0]
        again = " (the same message as before)" if receipt.duplicate_of else ""
        yield Outcome(f"{sample.operation.name} is accepted{again}", True, f"message {receipt.message_id}", accepted.took)
        watched = await requested(on, "Watch", message_id=receipt.message_id)
        for outcome in ends(watched):
            yield outcome


async def followed(on: Stage) -> AsyncIterator[Outcome]:
    """What came of all of them, those that the systems published themselves among them: nothing is lost with the hub's process."""
    begun = time.monotonic()
    listed = await requested(on, "ListSubscriptions")
    while listed.refusal is not None and time.monotonic() - begun < BACK_WITHIN:
        await asyncio.sleep(POLL)
        listed = await requested(on, "ListSubscriptions")
    if listed.refusal is not None:
        hub = next((f"{one.state}, {count(one.restarts, 'restart')}" for one in processes(on.where.home) if one.name == "hub"), "not there")
        yield Outcome("the exchange is back", False, f"{listed.words()}; the hub: {hub}")
        return
    yield Outcome("the exchange is back", True, "", time.monotonic() - begun)
    for one in reply(listed).subscriptions:
        counts = {_word(on, state.state): state.deliveries for state in one.counts}
        moving = counts.get("PENDING", 0) + counts.get("ATTEMPT", 0)
        told = ", ".join(f"{number} {word.lower().replace('_', ' ')}" for word, number in counts.items()) or "nothing yet"
        yield Outcome(f"{one.subscription}: {count(sum(counts.values()), 'message')}", moving < sum(counts.values()) or not counts, told)


async def replayed(on: Stage) -> AsyncIterator[Outcome]:
    """A message that was processed is replayed: planned, carried out with a reason, delivered once more, and told apart from the first."""
    wanted = {"states": ["STATE_PROCESSED"]}
    found = await requested(on, "ListDeliveries", access=ACCESS, filter=wanted, page_size=1)
    if found.refusal is not None or not reply(found).deliveries:
        yield Outcome("a processed message is found", False, found.words())
        return
    first = reply(found).deliveries[0]
    plan = await requested(on, "PlanReplay", access=ACCESS, filter={"message_ids": [first.message_id], "subscription": first.subscription})
    if plan.refusal is not None:
        yield Outcome("a replay is planned", False, plan.words())
        return
    said = reply(plan)
    yield Outcome(f"a replay of {first.message_id} to {first.subscription} is planned", True, f"plan {said.plan_id}", plan.took)
    done = await requested(on, "Replay", access=ACCESS, plan_id=said.plan_id)
    if said.needs_approval:
        yield Outcome("it waits for a second person", done.refusal is not None, done.words())
        return
    right = done.refusal is None and reply(done).replayed == 1
    yield Outcome("it is carried out, once however often it is asked", right, done.words(), done.took)


def ends(watched: Answer, must: Collection[str] = ()) -> list[Outcome]:
    """Where each delivery came to rest. That of a system in `must` has to be processed; any other is at rest however it ended."""
    if watched.refusal is not None and not watched.replies:
        return [Outcome("it is followed", False, watched.words())]
    message = reply(watched, last=True).message
    found = []
    for one in message.deliveries:
        word = type(one).DESCRIPTOR.fields_by_name["state"].enum_type.values_by_number[one.state].name.removeprefix("STATE_")
        cause = f" ({one.reason})" if one.reason else ""
        told = f"{word.lower().replace('_', ' ')}{cause}, {count(one.attempts, 'attempt')}"
        system = one.subscription.partition(":")[0]
        found.append(Outcome(f"  {system}", word == PROCESSED if system in must else word in RESTING, told))
    return found


async def requested(on: Stage, method: str, **fields: Any) -> Answer:
    """What the exchange answers."""
    operation = on.messages.contracts.operations[f"{EXCHANGE}/{method}"]
    request: Any = on.messages.kind(operation.request)(**fields)
    return await on.ask(operation, request, within=PATIENCE if operation.server_streams else None)


def reply(answer: Answer, *, last: bool = False) -> Any:
    """The first reply, or the last."""
    return answer.replies[-1 if last else 0]


def _word(on: Stage, number: int) -> str:
    states = on.messages.pool.FindEnumTypeByName("metip.exchange.v1.State")
    return str(states.values_by_number[number].name.removeprefix("STATE_"))
