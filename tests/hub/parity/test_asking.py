"""The other platform is asked what a caller was answered: as whom, about what, and what becomes of it when it does not answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from grpc_status import rpc_status
from pairs_rig import ALL, CONTRACTS, FIRST, NEVER, REPLICA, SAMPLED, SECOND, WRITE, PairsRig, instances, running_pairs, sample
from waiting import until

from hub.exchange.accepting import kinds
from hub.parity import asking
from hub.parity.access import JUSTIFICATION, ON_BEHALF_OF
from hub.parity.sampling import Sampling
from metip.faults import Fault, Reason, status_of
from metip.options.v1.options_pb2 import PURPOSE_MIGRATION_TEST
from metip.parity.v1.sample_pb2 import Sample

pytestmark = pytest.mark.asyncio(loop_scope="function")
KIND = kinds(CONTRACTS)
OPERATION = CONTRACTS.operations[REPLICA.operation.name]


@pytest_asyncio.fixture(loop_scope="function")
async def rig(tmp_path: Path) -> AsyncIterator[PairsRig]:
    """Pairs of a REPLICA operation of which everything is sampled."""
    async with running_pairs(tmp_path) as found:
        found.pairs.sampler.put(Sampling(OPERATION.name, ALL, shadow=SECOND))
        yield found


async def test_both_answers_make_a_pair(rig: PairsRig) -> None:
    offered = rig.offer(REPLICA)
    await until(lambda: rig.taken)
    (pair,) = rig.taken
    assert (pair.operation, pair.call_id, pair.origin, pair.again) == (OPERATION.name, offered.call_id, "REPLICA", None)
    assert (pair.primary.system, pair.primary.platform, pair.primary.reply) == (FIRST, "METIP2", b"\x0a\x03old")
    assert (pair.shadow.system, pair.shadow.platform, pair.shadow.reply) == (SECOND, "METIP", b"\x0a\x03new")
    assert pair.shadow.seconds > 0


async def test_the_comparison_asks_in_its_own_name_and_for_its_own_reason(rig: PairsRig) -> None:
    asked: Any = KIND(OPERATION.request).FromString(REPLICA.case.request.value)
    asked.access.on_behalf_of, asked.access.justification, asked.access.device_id = "PC HALZERWICK", "a stop in the street", "MDT-7"
    offered = sample(REPLICA, 1)
    offered.request = asked.SerializeToString()
    rig.pairs.offer([offered])
    await until(lambda: rig.taken)
    system, path, request, metadata = rig.systems.asked[0]
    found: Any = KIND(OPERATION.request).FromString(request)
    assert (system, path) == (SECOND, OPERATION.path)
    assert (found.access.purpose, found.access.reference) == (PURPOSE_MIGRATION_TEST, "parity/call-1")
    assert (found.access.justification, found.access.on_behalf_of, found.access.device_id) == (JUSTIFICATION, ON_BEHALF_OF, "")
    assert not {"authorization", "x-metip-officer"} & metadata.keys()
    assert metadata["x-request-id"] == "call-1"
    found.access.Clear()
    asked.access.Clear()
    assert found == asked, "nothing else was changed"
    assert rig.taken[0].request == request, "the caller's own reason is not kept"


async def test_the_primary_is_asked_again_for_a_share(rig: PairsRig) -> None:
    rig.pairs.sampler.put(Sampling(OPERATION.name, ALL, ALL // 2, shadow=SECOND))
    for number in range(60):
        rig.offer(REPLICA, number)
    await until(lambda: len(rig.taken) == 60)
    again = [pair.again for pair in rig.taken if pair.again is not None]
    assert 15 < len(again) < 45
    assert {(one.system, one.reply) for one in again} == {(FIRST, b"\x0a\x03old")}
    assert rig.systems.counted() == {SECOND: 60, FIRST: len(again)}


async def test_a_live_primary_of_a_replica_operation_is_not_asked_again(rig: PairsRig) -> None:
    rig.pairs.sampler.put(Sampling(OPERATION.name, ALL, ALL, shadow=SECOND))
    rig.instances[:] = [instances(replica=False)[0], instances()[1]]
    rig.offer(REPLICA)
    await until(lambda: rig.taken)
    assert rig.taken[0].again is None
    assert rig.systems.counted() == {SECOND: 1}


async def test_a_cap_holds_whatever_is_offered(rig: PairsRig) -> None:
    rig.instances[:] = instances(replica=False)
    rig.pairs.sampler.put(Sampling(SAMPLED.operation.name, ALL, ALL, cap_per_hour=10, shadow=SECOND))
    for number in range(50):
        rig.offer(SAMPLED, number)
    await until(lambda: len(rig.taken) + rig.drops(SAMPLED.operation).get("CAP", 0) == 50)
    assert sum(rig.systems.counted().values()) == 10


@pytest.mark.parametrize("operation", [WRITE, NEVER.name], ids=["write", "never"])
async def test_what_may_not_be_asked_is_not_even_when_an_adapter_offers_it(rig: PairsRig, operation: str) -> None:
    rig.pairs.sampler._settings[operation] = Sampling(operation, ALL, cap_per_hour=100, shadow=SECOND)  # as if somebody had put it there
    offered = Sample(operation=operation, call_id="call-1", request=b"", system=FIRST)
    assert rig.pairs.offer([offered]) == 0
    rig.offer(REPLICA, 2)
    await until(lambda: rig.taken)
    assert {path for _, path, _, _ in rig.systems.asked} == {OPERATION.path}


async def test_a_shadow_that_refuses_has_answered(rig: PairsRig) -> None:
    rig.systems.before = refusing(Reason.NO_TRACE)
    rig.offer(REPLICA)
    await until(lambda: rig.taken)
    assert (rig.taken[0].shadow.code, rig.taken[0].shadow.reason, rig.taken[0].shadow.reply) == (5, "NO_TRACE", b"")


@pytest.mark.parametrize(
    ("reason", "cause"),
    [(Reason.PURPOSE_NOT_PERMITTED, "REFUSED"), (Reason.OFFICER_NEEDED, "REFUSED"), (Reason.BUSY, "SHADOW_BUSY")],
)
async def test_a_call_that_the_shadows_adapter_did_not_admit_is_no_pair(rig: PairsRig, reason: Reason, cause: str) -> None:
    rig.systems.before = refusing(reason)
    rig.offer(REPLICA)
    await until(lambda: rig.drops(OPERATION) == {cause: 1})
    assert rig.taken == []


async def test_a_shadow_that_hangs_is_left_alone_and_what_does_not_fit_is_counted(rig: PairsRig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_system: str, _context: Any) -> None:
        await asyncio.sleep(60)

    rig.systems.before = hang
    monkeypatch.setattr("hub.parity.wire.MARGIN", 0.2 - OPERATION.timeout)
    monkeypatch.setattr(asking, "MOST", 100)
    for number in range(200):
        rig.offer(REPLICA, number)
    assert rig.drops(OPERATION)["HUB_FULL"] >= 100 - asking.AT_ONCE
    await until(lambda: len(rig.taken) + sum(rig.drops(OPERATION).values()) == 200)
    assert {pair.shadow.code for pair in rig.taken} == {4}, "late is an answer: evidence against it"
    assert len(rig.taken) < 2 * asking.AT_ONCE
    assert rig.drops(OPERATION)["SHADOW_DOWN"] > 50


async def test_what_is_offered_together_is_not_asked_together(rig: PairsRig) -> None:
    asked = list[float]()

    async def noted(_system: str, _context: Any) -> None:
        asked.append(time.monotonic())

    rig.systems.before = noted
    for number in range(5):
        rig.offer(REPLICA, number)
    await until(lambda: len(rig.taken) == 5)
    # A quarter of the time after the first one, a third of it after the second, and so on.
    assert asked[-1] - asked[0] >= asking.SPREAD


async def test_samples_that_waited_for_too_long_are_not_asked(rig: PairsRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "OLDEST", -1.0)
    rig.offer(REPLICA)
    await until(lambda: rig.drops(OPERATION) == {"TOO_OLD": 1})
    assert rig.systems.asked == []


async def test_what_is_no_request_is_dropped(rig: PairsRig) -> None:
    offered = sample(REPLICA, 1)
    offered.request = b"\xff\xff\xff"
    assert rig.pairs.offer([offered]) == 0
    assert rig.drops(OPERATION) == {"MALFORMED": 1}


async def test_an_operation_that_is_sampled_no_longer_is_not_asked(rig: PairsRig) -> None:
    rig.pairs.sampler.put(Sampling(OPERATION.name, 0))
    rig.offer(REPLICA)
    await asyncio.sleep(0.1)
    assert rig.systems.asked == []


def refusing(reason: Reason) -> Any:
    async def before(_system: str, context: Any) -> None:
        await context.abort_with_status(rpc_status.to_status(status_of(Fault(reason, "as the test wants it"), system="x", call_id="")))

    return before
