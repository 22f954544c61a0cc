"""Calls that both platforms answer, on real processes: two records, one reply, and nothing that a caller could notice."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import apsw
import grpc
import pytest
import pytest_asyncio
from cases import RecordedCase, case_files, read_case, request_message
from command_line import metip
from google.protobuf.message import Message
from journals_of_mesh import records, rows, traced
from leaks import leaks_of
from mesh_rig import MeshRig, reason_of, until
from mirrored_mesh import Sampled, running_mirrored, sampling_of
from samples import send

from adapters.kit.serving import installed_contracts
from hub.cli.messages import Messages
from metip.cases.v1.case_pb2 import Fault
from metip.contracts import DeliveryClass
from metip.ledger.v1 import record_pb2 as ledger
from metip.options.v1 import options_pb2 as options

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

CONTRACTS = installed_contracts(date.min)
MESSAGES = Messages(CONTRACTS)
SECOND = CONTRACTS.back_ends[0].system
CASES = [
    case
    for case in map(read_case, case_files())
    if case.case.sample
    and SECOND in CONTRACTS.serving(case.operation.name)
    and case.system != SECOND
    and case.operation.delivery_class is DeliveryClass.READ
    and case.operation.comparable
]
REPLICA, SAMPLED, RECORDED, *_ = CASES
FIRST = REPLICA.system
WRITE = next(name for name in CONTRACTS.back_ends[0].serves if CONTRACTS.operations[name].delivery_class is not DeliveryClass.READ)
NEVER = next(
    one.name
    for one in CONTRACTS.operations.values()
    if one.mirror == "NEVER" and one.delivery_class is DeliveryClass.READ and one.officer_required
)
POLICIES = {REPLICA.operation.name: "REPLICA", SAMPLED.operation.name: "SAMPLED", RECORDED.operation.name: "RECORDED"}
HUB = "/hub"
CALLS = 15


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """The estate; both systems are simulators, and say so."""
    async with running_mirrored(tmp_path_factory.mktemp("p"), (FIRST, SECOND), POLICIES) as rig:
        yield rig


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sampled(mesh: MeshRig) -> AsyncIterator[Sampled]:
    """The samples of its hub."""
    async with sampling_of(mesh) as found:
        yield found


@asynccontextmanager
async def sampling(sampled: Sampled, case: RecordedCase, **more: Any) -> AsyncIterator[str]:
    """All calls of an operation are sampled for the length of the block, adapters know it, and the shadow answers."""
    name = case.operation.name
    await sampled.put(name, shadow=SECOND, **more)
    before = (await sampled.count(name)).compared

    async def compared() -> bool:
        await ask(sampled.rig, case)
        await asyncio.sleep(0.2)
        return (await sampled.count(name)).compared > before

    await until(compared, within=40.0)
    await asyncio.sleep(0.2)
    await settled(sampled, name)
    try:
        yield name
    finally:
        await sampled.put(name, 0)


async def settled(sampled: Sampled, name: str, offered: int = 0) -> None:
    """Until so many calls were offered, and each that was is compared or dropped."""

    async def done() -> bool:
        one = await sampled.count(name)
        return one.offered >= offered and one.offered <= one.compared + _drops(one)

    await until(done, within=40.0)


async def ask(mesh: MeshRig, case: RecordedCase, *more: tuple[str, str]) -> bytes:
    """The reply, with the instants in it left out."""
    channel = mesh.channels[0] if mesh.channels else mesh.channel()
    reply = MESSAGES.kind(case.operation.reply).FromString(await send(mesh, case, channel, metadata=[*mesh.token(), *more]))
    _forget_instants(reply)
    return reply.SerializeToString(deterministic=True)


def _forget_instants(message: Message) -> None:
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for one in value if field.is_repeated else (value,):
            if one.DESCRIPTOR.full_name == "google.protobuf.Timestamp":
                one.Clear()
            else:
                _forget_instants(one)


def records_of(mesh: MeshRig, trace: str) -> list[ledger.Record]:
    """Records of one call and of what was asked again because of it."""
    found = [one for one in records(mesh.home.journals) if one.kind == ledger.KIND_OPERATION]
    ids = {one.call_id for one in found if one.trace_id == trace}
    return [one for one in found if one.call_id in ids]


async def test_a_sampled_call_makes_a_pair_and_two_records_each_under_its_own_name(mesh: MeshRig, sampled: Sampled) -> None:
    async with sampling(sampled, REPLICA) as name:
        before = await sampled.count(name)
        trace, header = traced()
        await ask(mesh, REPLICA, header)
        await until(lambda: _async(len(records_of(mesh, trace)) >= 2))
        await settled(sampled, name, before.offered + 1)
        after = await sampled.count(name)
    first, second = sorted(records_of(mesh, trace), key=lambda one: one.consumer.endswith(HUB))
    assert first.call_id == second.call_id
    assert not first.consumer.endswith(HUB)
    assert first.purpose != options.PURPOSE_MIGRATION_TEST
    assert second.consumer.endswith(HUB)
    assert second.purpose == options.PURPOSE_MIGRATION_TEST
    assert (second.force, second.unit) == ("", ""), "nobody's identity is pretended"
    assert second.outcome == "OK"
    assert {one.platform for one in (first, second)} == {FIRST, SECOND} or first.platform != second.platform
    assert (after.offered - before.offered, after.compared - before.compared) == (1, 1)


async def test_what_the_comparison_asks_is_not_compared_itself(mesh: MeshRig, sampled: Sampled) -> None:
    async with sampling(sampled, REPLICA) as name:
        before = await sampled.count(name)
        for _ in range(20):
            await ask(mesh, REPLICA)
        await settled(sampled, name, before.offered + 20)
        await asyncio.sleep(0.5)
        assert (await sampled.count(name)).offered - before.offered == 20


async def test_the_primary_is_asked_again_for_a_share_of_samples(mesh: MeshRig, sampled: Sampled) -> None:
    async with sampling(sampled, REPLICA, again_per_million=1_000_000) as name:
        before = await sampled.count(name)
        trace, header = traced()
        await ask(mesh, REPLICA, header)
        await until(lambda: _async(len(records_of(mesh, trace)) >= 3))
        await settled(sampled, name, before.offered + 1)
        assert (await sampled.count(name)).again - before.again == 1
    assert Counter(one.consumer.endswith(HUB) for one in records_of(mesh, trace)) == {False: 1, True: 2}


async def test_a_callers_reply_is_the_same_with_the_tap_on_and_off(mesh: MeshRig, sampled: Sampled) -> None:
    off = await ask(mesh, REPLICA)  # what it says to the last byte is a test of the kit's
    async with sampling(sampled, REPLICA):
        assert await ask(mesh, REPLICA) == off


@pytest.mark.parametrize(("dial", "setting"), [("hang", ""), ("delay", "2s"), ("status", "500"), ("weeded", "")])
async def test_a_caller_sees_nothing_of_a_shadow_that_is_slow_or_wrong(mesh: MeshRig, sampled: Sampled, dial: str, setting: str) -> None:
    off = await ask(mesh, REPLICA)
    async with sampling(sampled, REPLICA) as name:
        before = await sampled.count(name)
        async with mesh.dials({SECOND: [Fault(dial=dial, setting=setting)]}):
            took = []
            for _ in range(CALLS):
                began = time.perf_counter()
                assert await ask(mesh, REPLICA) == off
                took.append(time.perf_counter() - began)
            assert sorted(took)[CALLS // 2] < 0.5
            await settled(sampled, name, before.offered + CALLS)
        after = await sampled.count(name)
        assert after.offered - before.offered == CALLS
        assert after.compared - before.compared + _drops(after) - _drops(before) == CALLS, "each was compared or counted as dropped"


async def test_samples_for_a_shadow_that_is_gone_are_dropped_and_counted(mesh: MeshRig, sampled: Sampled) -> None:
    off = await ask(mesh, REPLICA)
    async with sampling(sampled, REPLICA) as name:
        before = await sampled.count(name)
        await mesh.kill(f"adapter-{SECOND}")
        for _ in range(20):
            assert await ask(mesh, REPLICA) == off
        await settled(sampled, name, before.offered + 20)
        assert _drops(await sampled.count(name)) > _drops(before)
        await until(lambda: mesh.healthy(f"{SECOND}/{REPLICA.operation.interface}"))


async def test_callers_are_answered_while_the_hub_is_gone_and_what_was_dropped_is_told_when_it_is_back(
    mesh: MeshRig, sampled: Sampled
) -> None:
    async with sampling(sampled, REPLICA) as name:
        await mesh.kill("hub")
        for _ in range(20):
            await ask(mesh, REPLICA)

        async def told() -> bool:
            await ask(mesh, REPLICA)
            await asyncio.sleep(0.2)
            try:
                one = await sampled.count(name)
            except grpc.aio.AioRpcError:
                return False
            return one.compared > 0 and any(drop.cause == "HUB_AWAY" for drop in one.drops)

        await until(told, within=40.0)


@pytest.mark.parametrize("name", [WRITE, NEVER, RECORDED.operation.name], ids=["write", "never", "recorded"])
async def test_what_its_contract_forbids_is_not_sampled_whatever_is_asked(sampled: Sampled, name: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await sampled.put(name, cap_per_hour=1000, shadow=SECOND)
    assert (caught.value.code(), reason_of(caught.value)) == (grpc.StatusCode.FAILED_PRECONDITION, "PRECONDITION")


async def test_a_live_sample_needs_a_cap(sampled: Sampled) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await sampled.put(SAMPLED.operation.name, shadow=SECOND)
    assert "needs a cap" in (caught.value.details() or "")


async def test_a_person_with_every_purpose_may_not_state_the_comparisons(mesh: MeshRig) -> None:
    request: Any = request_message(REPLICA)
    request.access.purpose = options.PURPOSE_MIGRATION_TEST
    call: Any = mesh.channel().unary_unary(REPLICA.operation.path)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(request.SerializeToString(), timeout=10, metadata=mesh.token())
    assert reason_of(caught.value) == "PURPOSE_NOT_PERMITTED"


async def test_a_recording_is_made_replayed_gone_on_with_and_erased(mesh: MeshRig, sampled: Sampled) -> None:
    home, name, why = mesh.home.root, RECORDED.operation.name, ("--reason", "a test of recordings")
    began = await metip(home, "parity", "record", name, "--for", "5m", "--share", "100%", "--system", FIRST, "--json", *why)
    assert began.code == 0, began.err
    recording = began.json["id"]
    assert began.json["operations"] == [name]
    before = (await sampled.count(name)).recorded

    async def kept(number: int) -> bool:
        await ask(mesh, RECORDED)
        await asyncio.sleep(0.3)
        return (await sampled.count(name)).recorded - before >= number

    await until(lambda: kept(5), within=30)
    asked = await _asked_by_hub(mesh, name)
    assert asked == 0, "to record asks nobody"
    first = await metip(home, "parity", "replay", recording, "--against", SECOND, "--json", *why)
    assert first.code == 0, first.out + first.err
    assert first.json["done"]
    assert first.json["compared"] == first.json["total"] >= 5
    await until(lambda: kept(first.json["total"] + 2), within=30)
    second = await metip(home, "parity", "replay", recording, "--against", SECOND, "--json", *why)
    assert second.json["compared"] == second.json["total"] - first.json["total"] >= 1, "it goes on where it stopped"
    assert await _asked_by_hub(mesh, name) == second.json["total"]
    _nothing_in_clear(mesh)
    stopped = await metip(home, "parity", "stop", recording, "--json", *why)
    assert not stopped.json["running"]
    erased = await metip(home, "parity", "erase", recording, "--json", *why)
    assert erased.json["calls"] == 0
    refused = await metip(home, "parity", "replay", recording, "--against", SECOND, *why)
    assert refused.code == 1
    listed = await metip(home, "parity", "recordings", "--json")
    assert [one["id"] for one in listed.json["recordings"] if one["erased"]] == [recording]
    kept_of_hub = [ledger.Record.FromString(record) for _, record, _ in rows(mesh.home.journals / "hub.sqlite")]
    actions = [one.operation for one in kept_of_hub if one.kind == ledger.KIND_ACTION]
    for action in ("record_start", "record_stop", "record_open", "record_erase"):
        assert f"parity/{action}" in actions


async def test_what_is_sampled_is_shown(mesh: MeshRig, sampled: Sampled) -> None:
    name, why = REPLICA.operation.name, ("--reason", "a test of the command")
    put = await metip(mesh.home.root, "parity", "sample", name, "--share", "0.5%", "--shadow", SECOND, *why)
    assert put.code == 0, put.err
    shown = await metip(mesh.home.root, "parity", "sampling", "--json")
    assert [(one["operation"], one["per_million"], one["waiting"]) for one in shown.json["samplings"]] == [(name, 5000, "")]
    assert name in (await metip(mesh.home.root, "parity", "sampling")).out
    await metip(mesh.home.root, "parity", "sample", name, "--share", "0%", *why)
    refused = await metip(mesh.home.root, "parity", "sample", WRITE, "--share", "1%", *why)
    assert refused.code == 1
    assert "side effects" in refused.err + refused.out


async def test_the_books_agree_each_answer_to_a_caller_and_to_the_comparison_has_its_record(mesh: MeshRig) -> None:
    async def settled_up() -> bool:
        books = (await metip(mesh.home.root, "ledger", "status", "--json")).json["reconciliation"]
        assert books["missing_calls"] == []
        return bool(books["answered"]) and books["waiting"] == 0

    await until(settled_up, within=40.0)


def _nothing_in_clear(mesh: MeshRig) -> None:
    """The hub's files of samples hold nothing personal."""
    for name in ("recordings.sqlite", "recordings.sqlite-wal", "sampling.sqlite", "sampling.sqlite-wal"):
        path = mesh.home.state / name
        if path.exists():
            assert path.stat().st_mode & 0o077 == 0
            assert [*leaks_of(name, path.read_bytes())] == []
    with apsw.Connection(str(mesh.home.state / "recordings.sqlite"), flags=apsw.SQLITE_OPEN_READONLY) as database:
        sealed = [bytes(row[0]) for row in database.execute("select sealed from calls")]
    assert sealed
    assert not any(RECORDED.case.request.value[-12:] in one for one in sealed)


async def _asked_by_hub(mesh: MeshRig, operation: str) -> int:
    return sum(
        one.operation == operation and one.consumer.endswith(HUB)
        for one in records(mesh.home.journals)
        if one.kind == ledger.KIND_OPERATION
    )


async def _async(value: bool) -> bool:
    return value


def _drops(count: Any) -> int:
    return sum(one.count for one in count.drops)
