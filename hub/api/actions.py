"""What operators do is recorded before it is done: no record, no action."""

from typing import Any, NoReturn, Protocol

from grpc_status import rpc_status

from hub.api.checking import check
from hub.mesh.inputs import HUB_SYSTEM
from metip.faults import Fault, Reason, status_of
from metip.ledger.v1 import action_service_pb2 as api
from metip.ledger.v1.action_service_pb2_grpc import ActionServiceServicer


class Recorder(Protocol):
    """Writes the record of one action, durably, before it returns. Raises `Fault` JOURNAL when it can't."""

    async def __call__(self, action: str, author: str, purpose: int, detail: str) -> None:
        """`action` such as `call/unmask`; `purpose` a `metip.options.v1.Purpose`; `detail` says what exactly and why, and may name people.

        `author` is `os://<host>/<user>`, or the warrant number of a person who called through the edge, which is personal.
        """


async def no_journal(action: str, author: str, purpose: int, detail: str) -> NoReturn:
    """The recorder of a hub that has no journal: everything that would have to be recorded is refused."""
    raise Fault(Reason.JOURNAL, "this hub keeps no journal, so what needs a record can't be done")


class ActionApi(ActionServiceServicer):
    """Takes actions of operators on this machine."""

    def __init__(self, record: Recorder) -> None:
        self._record = record

    async def RecordAction(self, request: api.RecordActionRequest, context: Any) -> api.RecordActionResponse:  # noqa: N802
        """Records an action; see the contract."""
        await check(request, context)
        try:
            await self._record(request.action, request.author, request.purpose, request.detail)
        except Fault as fault:
            await context.abort_with_status(rpc_status.to_status(status_of(fault, system=HUB_SYSTEM, call_id="")))
        return api.RecordActionResponse()
