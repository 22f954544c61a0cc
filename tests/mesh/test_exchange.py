"""Messages through a real hub and a real Envoy: accepted at the edge, handed over on the listener that only the hub may use.

The subscriber is the test's own; see `exchange_rig`.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from exchange_rig import INTERFACE, ONCE, PROBE, SYSTEM, ExchangeRig, probe, running_exchange
from mesh_rig import reason_of

from hub.identity import Store
from hub.laptop.layout import DEVELOPER
from metip.exchange.v1 import exchange_service_pb2 as api
from metip.exchange.v1 import message_pb2 as words
from metip.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub
from metip.exchange.v1.receipt_pb2 import Receipt

pytestmark = pytest.mark.asyncio(loop_scope="module")
SUBSCRIPTION = f"{SYSTEM}:{PROBE}"
AUDIT: Any = {"purpose": "PURPOSE_AUDIT", "justification": "a test asks"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ExchangeRig]:
    """One exchange for all tests here; each leaves it as it found it."""
    async with running_exchange(tmp_path_factory.mktemp("x")) as found:
        yield found


async def publish(rig: ExchangeRig, data: bytes, *metadata: tuple[str, str], operation: str = PROBE) -> Receipt:
    """One message through the edge."""
    call: Any = rig.channel().unary_unary(f"/{operation}")
    return Receipt.FromString(await call(data, metadata=metadata, timeout=10))


def service(rig: ExchangeRig) -> Any:
    """The exchange's own service, through the edge."""
    return ExchangeServiceStub(rig.channel())


async def until(condition: Callable[[], bool]) -> None:
    """Waits for a condition, with a bound."""
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110 - other processes are watched, which can set no event here
            await asyncio.sleep(0.02)


def given(rig: ExchangeRig, prefix: str) -> list[tuple[str, ...]]:
    """What the subscriber wrote down of probes whose id begins so."""
    return [one for one in rig.effects() if one[1].startswith(prefix)]


async def test_a_message_is_accepted_handed_over_and_told_apart_from_its_repetition(rig: ExchangeRig) -> None:
    receipt = await publish(rig, probe("one", "line", 1))
    assert receipt.duplicate_of == ""
    await until(lambda: bool(given(rig, "one")))
    again = await publish(rig, probe("one", "line", 1))
    assert (again.message_id, again.duplicate_of) == (receipt.message_id, receipt.message_id)
    states = [one async for one in service(rig).Watch(api.WatchRequest(message_id=receipt.message_id), timeout=10)]
    assert [one.state for one in states[-1].message.deliveries] == [words.STATE_PROCESSED]
    assert given(rig, "one") == [("PublishProbe", "one", "line", "1", receipt.message_id, "1", "first")]


async def test_a_producer_is_who_its_certificate_says_whatever_it_claims(rig: ExchangeRig) -> None:
    forged = (("x-metip-producer", "spiffe://metip.local/adapter/other"), ("x-metip-message-id", "0"), ("x-metip-subscriber", SYSTEM))
    receipt = await publish(rig, probe("forged"), *forged)
    found = await service(rig).Track(api.TrackRequest(message_id=receipt.message_id))
    assert found.message.producer == "spiffe://metip.local/consumer/developer"


@pytest.mark.parametrize("identity", ["consumer/stranger", "adapter/another"])
async def test_a_message_of_somebody_else_is_unknown_to_whoever_may_not_look_into_messages(rig: ExchangeRig, identity: str) -> None:
    receipt = await publish(rig, probe(f"theirs-{identity}"))
    metadata = (("x-forwarded-client-cert", f"Hash=0;URI=spiffe://metip.local/{identity}"),)
    stub: Any = ExchangeServiceStub(rig.hub())
    with pytest.raises(grpc.aio.AioRpcError) as tracked:
        await stub.Track(api.TrackRequest(message_id=receipt.message_id), metadata=metadata)
    with pytest.raises(grpc.aio.AioRpcError) as watched:
        await stub.Watch(api.WatchRequest(message_id=receipt.message_id), metadata=metadata).read()
    assert {tracked.value.code(), watched.value.code()} == {grpc.StatusCode.NOT_FOUND}


@pytest.mark.parametrize("identity", [DEVELOPER, "edge"])
async def test_nobody_but_the_hub_reaches_subscribers_past_the_exchange(rig: ExchangeRig, identity: str) -> None:
    store = Store(rig.home.identity)
    files = (store.ca_certificate, store.key(identity), store.certificate(identity))
    credentials = grpc.ssl_channel_credentials(*(path.read_bytes() for path in files))
    async with grpc.aio.secure_channel(f"localhost:{rig.ports.deliveries}", credentials) as channel:
        call: Any = channel.unary_unary(f"/{PROBE}")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(probe("past"), metadata=(("x-metip-subscriber", SYSTEM),), timeout=5)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert given(rig, "past") == []


async def test_a_message_without_its_key_is_refused_by_field(rig: ExchangeRig) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await publish(rig, probe(""))
    assert (refused.value.code(), reason_of(refused.value)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")


async def test_a_message_waits_for_the_time_that_it_names_and_delays_no_other(rig: ExchangeRig) -> None:
    due = time.time() + 1.0
    await publish(rig, probe("late", not_before=due))
    await publish(rig, probe("latter"))
    await until(lambda: bool(given(rig, "latter")))
    assert not any(one[1] == "late" for one in rig.effects())
    await until(lambda: any(one[1] == "late" for one in rig.effects()))
    assert time.time() >= due


async def test_bulk_is_accepted_in_order_and_what_is_wrong_is_refused_by_its_place(rig: ExchangeRig) -> None:
    async def parts() -> AsyncIterator[api.PublishBatchRequest]:
        yield api.PublishBatchRequest(operation=PROBE, messages=[probe("b0", "bulk", 0), b"\xff\xff", probe("b1", "bulk", 1)])
        yield api.PublishBatchRequest(messages=[probe("b0", "bulk", 0), probe("b2", "bulk", 2)])

    found = await service(rig).PublishBatch(parts(), timeout=20)
    assert [bool(one) for one in found.message_ids] == [True, False, True, True, True]
    assert (found.duplicates, [(one.place, one.reason) for one in found.refused]) == (1, [(1, "MALFORMED")])
    await until(lambda: len(given(rig, "b")) == 3)
    assert [one[1] for one in given(rig, "b")] == ["b0", "b1", "b2"]


async def test_bulk_of_an_operation_that_the_consumer_may_not_publish_is_refused(rig: ExchangeRig) -> None:
    async def parts() -> AsyncIterator[api.PublishBatchRequest]:
        yield api.PublishBatchRequest(operation=f"{INTERFACE}/PublishNothing", messages=[b""])

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await service(rig).PublishBatch(parts(), timeout=20)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_poisoned_message_parks_holds_back_its_own_line_only_and_goes_on_when_it_is_released(rig: ExchangeRig) -> None:
    rig.mode("poison bad")
    bad = await publish(rig, probe("bad", "sick", 0))
    await publish(rig, probe("behind", "sick", 1))
    await publish(rig, probe("healthy", "well", 0))
    await until(lambda: bool(given(rig, "healthy")))
    token, stub = rig.token(), service(rig)
    request = api.ListDeliveriesRequest(access=AUDIT, filter=words.DeliveryFilter(key="sick"))

    async def sick() -> list[tuple[int, str]]:
        found = await stub.ListDeliveries(request, metadata=token, timeout=5)
        return [(one.state, one.reason) for one in found.deliveries]

    async with asyncio.timeout(10):
        while (await sick())[0][0] != words.STATE_PARKED:  # noqa: ASYNC110 - the exchange is asked
            await asyncio.sleep(0.02)
    assert await sick() == [(words.STATE_PARKED, "NO_TRACE"), (words.STATE_PENDING, "")]
    waiting = await stub.GroupWaiting(api.GroupWaitingRequest(), timeout=5)
    assert [(one.subscription, one.reason, one.deliveries) for one in waiting.groups] == [(SUBSCRIPTION, "NO_TRACE", 1)]
    rig.mode("")
    name = api.DeliveryName(message_id=bad.message_id, subscription=SUBSCRIPTION)
    moved = await stub.Decide(api.DecideRequest(access=AUDIT, decision=api.DECISION_RELEASE, deliveries=[name]), metadata=token, timeout=5)
    assert moved.moved == 1
    await until(lambda: bool(given(rig, "behind")))
    assert [one[1] for one in rig.effects() if one[2] == "sick"] == ["bad", "behind"]
    shown = await stub.GetMessage(api.GetMessageRequest(access=AUDIT, message_id=bad.message_id), metadata=token, timeout=5)
    assert [(words.State.Name(one.state), one.by) for one in shown.steps] == [
        ("STATE_PARKED", "exchange"),
        ("STATE_PENDING", "P123456"),
        ("STATE_PROCESSED", "exchange"),
    ]
    assert shown.masked_content == '{"id": "bad", "line": "sick"}'


async def test_an_operator_needs_a_token_a_purpose_and_for_a_decision_a_reason(rig: ExchangeRig) -> None:
    stub, name = service(rig), api.DeliveryName(message_id="00000000-0000-8000-8000-000000000001", subscription=SUBSCRIPTION)

    async def refusal(access: Any, metadata: list[tuple[str, str]]) -> tuple[grpc.StatusCode, str]:
        request = api.DecideRequest(access=access, decision=api.DECISION_PURGE, deliveries=[name])
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Decide(request, metadata=metadata, timeout=5)
        return refused.value.code(), reason_of(refused.value)

    assert await refusal(AUDIT, []) == (grpc.StatusCode.UNAUTHENTICATED, "OFFICER_NEEDED")
    wrong = {**AUDIT, "purpose": "PURPOSE_STREET_STOP"}
    assert await refusal(wrong, rig.token()) == (grpc.StatusCode.PERMISSION_DENIED, "PURPOSE_NOT_PERMITTED")
    silent = {"purpose": "PURPOSE_AUDIT"}
    assert await refusal(silent, rig.token()) == (grpc.StatusCode.FAILED_PRECONDITION, "JUSTIFICATION_NEEDED")
    assert await refusal(AUDIT, rig.token()) == (grpc.StatusCode.NOT_FOUND, "NO_TRACE")


async def test_a_replay_of_a_write_once_message_waits_for_a_second_person(rig: ExchangeRig) -> None:
    await publish(rig, probe("once", operation=ONCE), operation=ONCE)
    await until(lambda: bool(given(rig, "once")))
    stub, first, second = service(rig), rig.token("P1"), rig.token("P2")
    request = api.PlanReplayRequest(access=AUDIT, filter=words.DeliveryFilter(key="once"))
    plan = await stub.PlanReplay(request, metadata=first, timeout=5)
    assert plan.needs_approval
    assert [(one.state, one.deliveries) for one in plan.counts] == [(words.STATE_PROCESSED, 1)]
    replay, approve = api.ReplayRequest(access=AUDIT, plan_id=plan.plan_id), api.ApproveReplayRequest(access=AUDIT, plan_id=plan.plan_id)
    for attempt, code in (
        (stub.Replay(replay, metadata=first), grpc.StatusCode.FAILED_PRECONDITION),
        (stub.ApproveReplay(approve, metadata=first), grpc.StatusCode.PERMISSION_DENIED),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await attempt
        assert refused.value.code() is code
    await stub.ApproveReplay(approve, metadata=second, timeout=5)
    done = await stub.Replay(replay, metadata=first, timeout=5)
    assert (done.replayed, done.left) == (1, 0)
    await until(lambda: len(given(rig, "once")) == 2)
    assert [one[6] for one in given(rig, "once")] == ["first", "again"]


async def test_a_subscriber_that_is_away_misses_nothing_and_is_said_to_be_away(tmp_path: Path) -> None:
    async with running_exchange(tmp_path) as rig:
        await rig.supervisor.stop("subscriber-0")
        for number in range(50):
            await publish(rig, probe(f"away{number}", "line", number))
        stub = service(rig)

        async def account() -> Any:
            found = await stub.ListSubscriptions(api.ListSubscriptionsRequest(), timeout=5)
            return next(one for one in found.subscriptions if one.subscription == SUBSCRIPTION)

        async with asyncio.timeout(15):
            while not (await account()).HasField("unreachable_since"):  # noqa: ASYNC110 - the exchange is asked
                await asyncio.sleep(0.05)
        assert sum(one.deliveries for one in (await account()).counts) == 50
        rig.start_subscriber(1)
        await until(lambda: len(rig.effects()) == 50)
        assert [one[3] for one in rig.effects()] == [str(number) for number in range(50)]


async def test_a_hub_that_is_killed_between_acceptance_and_delivery_loses_nothing(tmp_path: Path) -> None:
    async with running_exchange(tmp_path) as rig:
        await rig.supervisor.stop("subscriber-0")
        receipts = [await publish(rig, probe(f"kept{number}")) for number in range(20)]
        rig.kill("hub")
        rig.start_subscriber(1)
        await until(lambda: len({one[4] for one in rig.effects()}) == 20)
        assert {one[4] for one in rig.effects()} == {one.message_id for one in receipts}


async def test_a_second_hub_on_the_same_messages_does_not_start(rig: ExchangeRig) -> None:
    second = rig.home.root / "second.yaml"
    second.write_text(rig.home.hub_settings.read_text().replace(str(rig.home.hub_socket), str(rig.home.run / "second.sock")))
    command = (sys.executable, "-m", "hub", "--settings", str(second), "--contracts", str(rig.home.root / "contracts.binpb"))
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert b"another hub has the messages" in said
