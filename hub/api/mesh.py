"""The state of the mesh, as operations reach it."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from hub.access.reading import message_of
from hub.api.checking import check
from hub.configuring import Configuring
from hub.contracts import reviews_due
from hub.mesh.ads import AdsService
from hub.mesh.control import Control
from hub.mesh.history import Change, Outcome
from metip.hub.v1 import mesh_service_pb2 as api
from metip.hub.v1.mesh_service_pb2_grpc import MeshServiceServicer
from metip.hub.v1.registry_service_pb2 import Instance

DEFAULT_LIMIT = 20
OUTCOMES = {
    Outcome.ACCEPTED: api.CHANGE_OUTCOME_ACCEPTED,
    Outcome.REFUSED: api.CHANGE_OUTCOME_REFUSED,
    Outcome.REJECTED: api.CHANGE_OUTCOME_REJECTED,
    Outcome.TIMED_OUT_WAITING: api.CHANGE_OUTCOME_UNANSWERED,
}


class MeshApi(MeshServiceServicer):
    """Answers from the publisher and its streams."""

    def __init__(self, control: Control, ads: AdsService, configuring: Configuring, started: datetime, today: Callable[[], date]) -> None:
        self._control = control
        self._ads = ads
        self._configuring = configuring
        self._started = started
        self._today = today

    async def GetMesh(self, request: api.GetMeshRequest, context: Any) -> api.GetMeshResponse:  # noqa: N802
        """Gives the state; see the contract."""
        return api.GetMeshResponse(
            envoys=[
                api.ConnectedEnvoy(
                    node=envoy.node_id,
                    protocol=envoy.protocol,
                    since=_stamp(envoy.since),
                    accepted={kind.word: version for kind, version in envoy.acked.items()},
                    last_refusal=f"{envoy.last_nack.type.word}s: {envoy.last_nack.message}" if envoy.last_nack is not None else "",
                )
                for envoy in self._ads.envoys()
            ],
            instances=[
                Instance(id=one.id, system=one.system, interfaces=one.interfaces, address=one.address, version=one.version)
                for one in self._control.inputs.instances
            ],
            snapshot=self._control.publisher.current().digest,
            started=_stamp(self._started),
            access=self._policy(),
            certificates=[
                api.CertificateState(use=one.use, spiffe_id=one.spiffe_id, not_after=_stamp(one.not_after), expires_soon=one.expires_soon)
                for one in self._configuring.certificates(self._control.inputs.edge)
            ],
            reviews_due=[
                api.ReviewDue(element=one.element, reference=one.reference, review_by=one.review_by.isoformat(), days=one.days)
                for one in reviews_due(self._control.inputs.contracts, self._today())
            ],
        )

    async def ListChanges(self, request: api.ListChangesRequest, context: Any) -> api.ListChangesResponse:  # noqa: N802
        """Lists changes; see the contract."""
        await check(request, context)
        latest = self._control.publisher.history.latest(request.limit or DEFAULT_LIMIT)
        return api.ListChangesResponse(changes=[_change(change) for change in latest])

    def _policy(self) -> api.AccessState:
        now = self._configuring.standing
        return api.AccessState(
            digest=now.digest,
            number=now.number,
            approval_required=self._configuring.settings.approvals.required,
            author=now.author,
            approver=now.approver,
            since=_stamp(self._configuring.since),
            waiting=now.waiting,
            idle=now.idle,
            policy=message_of(now.policy),
        )


def _change(change: Change) -> api.Change:
    marks = (("+", change.difference.added), ("~", change.difference.changed), ("-", change.difference.removed))
    return api.Change(
        id=change.id,
        cause=change.cause.what,
        author=change.cause.author,
        started=_stamp(change.started),
        finished=_stamp(change.finished),
        outcome=OUTCOMES[change.outcome],
        reasons=[*change.reasons, *map(str, change.rejections), *map(str, change.silences)],
        resources=[f"{mark}{kind.word} {name}" for mark, names in marks for kind, name in names],
    )


def _stamp(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp
