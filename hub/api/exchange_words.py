"""The exchange's values as its contract has them, and back."""

from google.protobuf.timestamp_pb2 import Timestamp

from hub.exchange import records
from hub.exchange.life import State
from metip.exchange.v1 import exchange_service_pb2 as api
from metip.exchange.v1 import message_pb2 as words
from metip.exchange.v1 import note_pb2 as notes
from metip.exchange.v1 import owner_pb2 as owners
from metip.tracing import trace_id

NUMBERS = {state: words.State.Value(f"STATE_{state.name}") for state in State}
STATES = {number: state for state, number in NUMBERS.items()}


def stamp(at: float) -> Timestamp | None:
    """A Unix time; None for 0, which means that there is none."""
    if not at:
        return None
    seconds, rest = divmod(at, 1)
    return Timestamp(seconds=int(seconds), nanos=int(rest * 1e9))


def delivery(one: records.Delivery) -> words.DeliveryState:
    """Where a delivery stands."""
    return words.DeliveryState(
        message_id=one.message_id,
        subscription=one.subscription,
        state=NUMBERS[one.state],
        attempts=one.attempts,
        next_attempt=stamp(one.next_at) if not one.held_back else None,
        status=one.status,
        reason=one.reason,
        accepted=stamp(one.accepted),
        ordering_key=one.ordering_key,
        held_back=one.held_back,
    )


def message_state(message: records.Message, deliveries: list[records.Delivery]) -> words.MessageState:
    """Where a message stands."""
    return words.MessageState(
        message_id=message.message_id,
        operation=message.operation,
        accepted=stamp(message.accepted),
        producer=message.producer,
        call_id=message.call_id,
        deliveries=[delivery(one) for one in deliveries],
        replay_of=message.replay_of,
        trace_id=trace_id(message.traceparent, message.call_id or message.message_id),
    )


def step(one: records.Step) -> words.Step:
    """One step."""
    return words.Step(
        subscription=one.subscription,
        state=NUMBERS[one.state],
        attempt=one.attempt,
        began=stamp(one.began),
        at=stamp(one.at),
        status=one.status,
        reason=one.reason,
        by=one.by,
    )


def account(one: records.Account, unreachable_since: float) -> words.SubscriptionState:
    """A subscription's accounts."""
    return words.SubscriptionState(
        subscription=one.subscription,
        system=one.system,
        operation=one.operation,
        paused=one.paused,
        unreachable_since=stamp(unreachable_since),
        counts=counts(one.counts),
        oldest_waiting=stamp(one.oldest_waiting),
    )


def counts(found: dict[State, int]) -> list[words.StateCount]:
    """Deliveries by state, in the order of their lives."""
    return [words.StateCount(state=NUMBERS[state], deliveries=found[state]) for state in State if found.get(state)]


def group(one: records.Group) -> api.WaitingGroup:
    """Deliveries that wait for one cause."""
    return api.WaitingGroup(
        subscription=one.cause.subscription,
        state=NUMBERS[one.cause.state],
        status=one.cause.status,
        reason=one.cause.reason,
        deliveries=one.deliveries,
        oldest=stamp(one.oldest),
        example_message_id=one.example,
        notes=[note(each) for each in one.notes],
    )


def note(one: records.Note) -> notes.GroupNote:
    """What somebody said of a group."""
    return notes.GroupNote(at=stamp(one.at), by=one.by, words=one.words)


def cause_of(said: notes.NoteGroupRequest) -> records.Cause:
    """The group that is spoken of."""
    return records.Cause(said.subscription, STATES[said.state], said.status, said.reason)


def plan(one: records.Plan, *, needs_approval: bool) -> api.PlanReplayResponse:
    """A planned replay."""
    return api.PlanReplayResponse(plan_id=one.plan_id, counts=counts(one.counts), needs_approval=needs_approval, expires=stamp(one.expires))


def move(one: records.Move) -> owners.OwnerMove:
    """A move of messages."""
    return owners.OwnerMove(
        move_id=one.move_id,
        post=one.post,
        scope=one.scope.value,
        to=one.to,
        stage=one.stage.value,
        number=one.number,
        began=stamp(one.began),
        deliveries=one.deliveries,
        waits_for=one.waits_for,
    )


def owner(one: records.Ownership) -> owners.Owner:
    """Who owns the messages of an operation."""
    systems = [
        owners.OwnerSystem(
            system=system,
            keys=one.keys.get(system, 0),
            ejected=one.ejected.get(system, 0),
            unfinished=one.unfinished.get(system, 0),
        )
        for system in one.systems
    ]
    return owners.Owner(post=one.post, operation=one.operation, owner=one.owner, number=one.number, systems=systems)


def filter_of(said: words.DeliveryFilter) -> records.Filter:
    """What a filter finds."""
    return records.Filter(
        subscription=said.subscription,
        operation=said.operation,
        states=frozenset(STATES[state] for state in said.states if state in STATES),
        key=said.key,
        reason=said.reason,
        accepted_from=_seconds(said.accepted_from),
        accepted_before=_seconds(said.accepted_before),
        message_ids=tuple(said.message_ids),
    )


def _seconds(stamped: Timestamp) -> float:
    return stamped.seconds + stamped.nanos / 1e9
