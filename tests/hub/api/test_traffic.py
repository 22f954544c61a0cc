"""The traffic service on a socket: each rpc, each refusal, and what is recorded of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from directing import CONSUMER, FIRST, INTERFACE, OPERATION, SECOND, Directed
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from traffic_client import OPERATOR, TrafficRig, traffic_of

from hub.api.traffic import TrafficApi
from hub.traffic.settings import Maintenance, Pin, Shares
from hub.traffic.words import message_of
from metip.traffic.v1 import traffic_service_pb2 as api
from metip.traffic.v1.traffic_service_pb2_grpc import add_TrafficServiceServicer_to_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
HALVES = Shares(INTERFACE, tuple(sorted(((FIRST, 50), (SECOND, 50)))))
STANDING = api.ChangeStanding


@pytest_asyncio.fixture(loop_scope="module")
async def hub(tmp_path: Path) -> Directed:
    """A hub's traffic control."""
    found = Directed(tmp_path)
    await found.restart()
    return found


@pytest_asyncio.fixture(loop_scope="module")
async def rig(hub: Directed, tmp_path: Path) -> AsyncIterator[TrafficRig]:
    """Its service."""
    server = grpc.aio.server()
    add_TrafficServiceServicer_to_server(TrafficApi(hub.traffic), server)
    server.add_insecure_port(f"unix:{tmp_path / 'hub.sock'}")
    await server.start()
    async with traffic_of(tmp_path / "hub.sock") as found:
        yield found
    await server.stop(None)


async def refused(call: object) -> tuple[grpc.StatusCode, error_details_pb2.ErrorInfo, list[str]]:
    """How a call is refused: status, reason, and the problems that it names."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call  # type: ignore[misc]
    status = rpc_status.from_call(error.value)  # type: ignore[arg-type]
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status is not None
    found = {detail.TypeName(): detail for detail in status.details}
    found["google.rpc.ErrorInfo"].Unpack(info)
    if "google.rpc.BadRequest" in found:
        found["google.rpc.BadRequest"].Unpack(bad)
    return error.value.code(), info, [one.description for one in bad.field_violations]


async def test_a_change_is_made_shown_listed_and_undone(hub: Directed, rig: TrafficRig) -> None:
    answer = await rig.change(HALVES, Pin(INTERFACE, CONSUMER, FIRST), what="halves", lasting=0)
    assert (answer.change.number, answer.change.author, answer.change.standing) == (
        1,
        "os://desk/tester",
        STANDING.CHANGE_STANDING_IN_FORCE,
    )
    assert len(answer.preview.sentences) == 2
    assert answer.milliseconds > 0
    overview = await rig.overview()
    assert [(one.setting.WhichOneof("kind"), one.change, one.author) for one in overview.settings] == [
        ("pin", 1, "os://desk/tester"),
        ("shares", 1, "os://desk/tester"),
    ]
    sharing = next(one for one in overview.sharings if one.interface == INTERFACE)
    assert dict(sharing.weights) == dict(sharing.in_envoy)
    assert {system: weight for system, weight in sharing.weights.items() if weight} == {FIRST: 50, SECOND: 50}
    undone = await rig.undo(0)
    assert (undone.change.undoes, undone.change.what) == (1, "undo 1: halves")
    assert [(one.number, STANDING.Name(one.standing).removeprefix("CHANGE_STANDING_"), one.undone_by) for one in await rig.changes()] == [
        (2, "IN_FORCE", 0),
        (1, "UNDONE", 2),
    ]
    assert not (await rig.overview()).settings
    assert [record[2]["change"] for record in hub.records] == [1, 2]


async def test_a_preview_records_nothing(hub: Directed, rig: TrafficRig) -> None:
    request = api.PreviewChangeRequest(edits=[api.Edit(put=message_of(HALVES))])
    answer = await rig.stub.PreviewChange(request)
    assert answer.preview.resources == ["~route operations"]
    assert answer.preview.steps[0].after.shares.weights[SECOND] == 50
    assert hub.records == []


async def test_every_problem_is_a_field_of_the_refusal(rig: TrafficRig) -> None:
    code, info, problems = await refused(rig.change(Shares(INTERFACE, (("nobody", 1),)), Pin(INTERFACE, f"{CONSUMER}/x", SECOND)))
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert len(problems) == 2


async def test_what_can_not_be_undone_says_why(rig: TrafficRig) -> None:
    await rig.change(HALVES)
    await rig.change(Shares(INTERFACE, ((SECOND, 1),)))
    assert (await refused(rig.undo(1)))[0] is grpc.StatusCode.FAILED_PRECONDITION
    assert (await refused(rig.undo(9)))[0] is grpc.StatusCode.NOT_FOUND


async def test_nobody_changes_anything_without_a_name(rig: TrafficRig) -> None:
    request = api.ChangeTrafficRequest(edits=[api.Edit(put=message_of(HALVES))], what="halves", because="a test")
    assert (await refused(rig.stub.ChangeTraffic(request)))[0] is grpc.StatusCode.UNAUTHENTICATED
    settle = api.SettleOverridesRequest(because="a test")
    assert (await refused(rig.stub.SettleOverrides(settle)))[0] is grpc.StatusCode.UNAUTHENTICATED
    assert (await refused(rig.stub.SettleOverrides(settle, metadata=OPERATOR)))[0] is grpc.StatusCode.NOT_FOUND


async def test_what_can_not_be_recorded_is_refused(hub: Directed, rig: TrafficRig) -> None:
    hub.unrecorded = True
    code, info, _ = await refused(rig.change(HALVES))
    assert (code, info.reason) == (grpc.StatusCode.UNAVAILABLE, "JOURNAL")
    assert hub.share == 0


async def test_a_change_without_a_reason_or_with_no_edit_is_refused(rig: TrafficRig) -> None:
    request = api.ChangeTrafficRequest(what="halves")
    code, _, problems = await refused(rig.stub.ChangeTraffic(request, metadata=OPERATOR))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert len(problems) == 2


async def test_whoever_watches_sees_each_change(rig: TrafficRig) -> None:
    watch = rig.stub.WatchTraffic(api.WatchTrafficRequest())
    assert not (await watch.read()).overview.settings
    await rig.change(HALVES)
    assert [one.setting.WhichOneof("kind") for one in (await watch.read()).overview.settings] == ["shares"]
    watch.cancel()


async def test_the_history_can_be_asked_about_one_thing(rig: TrafficRig) -> None:
    await rig.change(HALVES)
    await rig.change(Maintenance(OPERATION.name, "closed"))
    found = await rig.stub.ListTrafficChanges(api.ListTrafficChangesRequest(about=f"maintenance {OPERATION.name}"))
    assert [one.number for one in found.changes] == [2]
