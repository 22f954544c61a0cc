"""Traffic control, as operators reach it on the hub's own socket."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, Final, TypeVar

from grpc_status import rpc_status

from hub.api.checking import check
from hub.api.operators import OPERATOR
from hub.api.traffic_words import change_message, overview, preview_message
from hub.exchange.accepting import metadata_of
from hub.mesh.admin import WEIGHT_KEY, EnvoyGoneError
from hub.mesh.going import weights_of
from hub.mesh.inputs import HUB_SYSTEM
from hub.recording import TRAFFIC_OVERRIDE
from hub.traffic.changes import Applied, RefusedError, StandsOnError, TrafficError, UnknownChangeError
from hub.traffic.overrides import Override
from hub.traffic.running import TrafficControl
from hub.traffic.settings import Shares, State
from hub.traffic.words import setting_of
from metip.call import CALL_ID_HEADER, OPERATOR_HEADER
from metip.faults import Fault, Reason, status_of
from metip.traffic.v1 import traffic_service_pb2 as api
from metip.traffic.v1.traffic_service_pb2_grpc import TrafficServiceServicer

T = TypeVar("T")
DEFAULT_LIMIT: Final = 20
MOST: Final = 1000
REASONS: Final = {UnknownChangeError: Reason.NO_TRACE, StandsOnError: Reason.PRECONDITION, RefusedError: Reason.UPSTREAM_REFUSED}
"""How each kind of refusal is told; any other is a matter of the request."""


class TrafficApi(TrafficServiceServicer):
    """Answers from the director."""

    def __init__(self, control: TrafficControl) -> None:
        self._control = control

    async def GetTraffic(self, request: api.GetTrafficRequest, context: Any) -> api.GetTrafficResponse:  # noqa: N802
        """Gives what is in force; see the contract."""
        return api.GetTrafficResponse(overview=await self._overview())

    async def PreviewChange(self, request: api.PreviewChangeRequest, context: Any) -> api.PreviewChangeResponse:  # noqa: N802
        """Says what a change would do; see the contract."""
        await check(request, context)
        found = await self._told(context, lambda: self._control.director.preview(_edit(request.edits)))
        return api.PreviewChangeResponse(preview=preview_message(found))

    async def ChangeTraffic(self, request: api.ChangeTrafficRequest, context: Any) -> api.ChangeTrafficResponse:  # noqa: N802
        """Makes a change; see the contract."""
        await check(request, context)
        author = await self._operator(context)
        until = request.until.ToNanoseconds() / 1e9 if request.HasField("until") else None
        at = request.at.ToNanoseconds() / 1e9 if request.HasField("at") else None

        async def work() -> Applied:
            return await self._control.director.change(request.what, author, request.because, _edit(request.edits), until, at=at)

        return api.ChangeTrafficResponse(**self._answer(await self._told(context, work)))

    async def UndoChange(self, request: api.UndoChangeRequest, context: Any) -> api.UndoChangeResponse:  # noqa: N802
        """Puts back what a change changed; see the contract."""
        await check(request, context)
        author = await self._operator(context)

        async def work() -> Applied:
            number = request.number or self._latest()
            return await self._control.director.undo(number, author, request.because)

        return api.UndoChangeResponse(**self._answer(await self._told(context, work)))

    async def SettleOverrides(self, request: api.SettleOverridesRequest, context: Any) -> api.SettleOverridesResponse:  # noqa: N802
        """Takes in, or takes back, what was set by hand; see the contract."""
        await check(request, context)
        author = await self._operator(context)

        async def work() -> api.SettleOverridesResponse:
            return await self._settled(set(request.keys), author, request.because, adopt=request.adopt)

        return await self._told(context, work)

    async def ListTrafficChanges(  # noqa: N802
        self, request: api.ListTrafficChangesRequest, context: Any
    ) -> api.ListTrafficChangesResponse:
        """Lists changes; see the contract."""
        await check(request, context)
        limit, about = request.limit or DEFAULT_LIMIT, request.about
        found = self._control.store.latest(MOST if about else limit)
        wanted = [one for one in found if not about or any(about in " ".join(step.key) for step in one.steps)]
        return api.ListTrafficChangesResponse(changes=map(change_message, wanted[:limit]))

    async def WatchTraffic(  # noqa: N802
        self, request: api.WatchTrafficRequest, context: Any
    ) -> AsyncIterator[api.WatchTrafficResponse]:
        """Shows what is in force as it changes; see the contract."""
        while True:
            moved = self._control.moved
            yield api.WatchTrafficResponse(overview=await self._overview())
            await moved.wait()

    async def _overview(self) -> api.Overview:
        director, active = self._control.director, None
        if director.overrides.admin is not None and any(one.key[0] == "drain" for one in director.state.settings):
            with suppress(EnvoyGoneError):
                active = await director.overrides.admin.in_progress()
        return overview(director, self._control.store, active)

    async def _settled(self, named: set[str], author: str, because: str, *, adopt: bool) -> api.SettleOverridesResponse:
        director = self._control.director
        await director.overrides.look()
        wanted = [one for one in director.overrides.current if not named or one.key in named]
        strange = sorted(named - {one.key for one in wanted})
        if not wanted or strange:
            raise UnknownChangeError((f"nobody set by hand {', '.join(strange) or 'anything'}",))
        if not adopt:
            keys = {one.key for one in wanted}
            await director.recorder(TRAFFIC_OVERRIDE, author, json.dumps({"taken_back": sorted(keys), "because": because}))
            taken = await director.overrides.take_back(keys)
            return api.SettleOverridesResponse(keys=taken)
        strangers = [one.key for one in wanted if not one.key.startswith(WEIGHT_KEY)]
        if strangers:
            raise TrafficError((f"only weights can be taken in, not {', '.join(strangers)}; say it with `metip traffic` instead",))
        applied = await director.change(
            "take in weights set by hand in Envoy", author, because, lambda state: self._taken_in(state, wanted)
        )
        if not applied.number:  # they say what the hub says already
            await director.overrides.take_back([one.key for one in wanted])
        change = change_message(self._control.store.change(applied.number)) if applied.number else None
        return api.SettleOverridesResponse(keys=[one.key for one in wanted], change=change)

    def _taken_in(self, state: State, wanted: Iterable[Override]) -> State:
        contracts, inputs = self._control.director.known.contracts, self._control.director.control.inputs
        by_hand = {one.key.removeprefix(WEIGHT_KEY): int(float(one.value)) for one in wanted}
        for interface in {name.rpartition("/")[2] for name in by_hand}:
            shares = weights_of(contracts, contracts.interface(interface), inputs.traffic)
            state = state.put(Shares(interface, tuple(sorted((system, by_hand.get(name, weight)) for system, name, weight in shares))))
        return state

    def _latest(self) -> int:
        found = next((one for one in self._control.store.latest(MOST) if one.standing.value == "in_force" and not one.undoes), None)
        if found is None:
            raise UnknownChangeError(("no change is in force",))
        return found.number

    def _answer(self, applied: Applied) -> dict[str, Any]:
        change = change_message(self._control.store.change(applied.number)) if applied.number else None
        return {"change": change, "preview": preview_message(applied.preview), "milliseconds": applied.seconds * 1000}

    async def _operator(self, context: Any) -> str:
        stated = metadata_of(context).get(OPERATOR_HEADER, "")
        if not OPERATOR.fullmatch(stated):
            await self._refuse(context, Fault(Reason.CONSUMER_UNKNOWN, f"the operator is not named in {OPERATOR_HEADER}"))
        return stated

    async def _told(self, context: Any, work: Callable[[], Awaitable[T]]) -> T:
        """What comes of it; a refusal ends the call."""
        try:
            return await work()
        except TrafficError as error:
            reason = next((reason for kind, reason in REASONS.items() if isinstance(error, kind)), Reason.INVALID_REQUEST)
            fields = tuple(("edits", problem) for problem in error.problems) if reason is Reason.INVALID_REQUEST else ()
            await self._refuse(context, Fault(reason, str(error), fields=fields))
        except Fault as fault:
            await self._refuse(context, fault)
        raise AssertionError("a refusal ends the call")

    async def _refuse(self, context: Any, fault: Fault) -> None:
        call_id = metadata_of(context).get(CALL_ID_HEADER, "")
        await context.abort_with_status(rpc_status.to_status(status_of(fault, system=HUB_SYSTEM, call_id=call_id)))


def _edit(edits: Iterable[api.Edit]) -> Callable[[State], State]:
    wanted = [(one.WhichOneof("kind"), setting_of(one.put if one.HasField("put") else one.drop)) for one in edits]

    def edit(state: State) -> State:
        for kind, setting in wanted:
            state = state.put(setting) if kind == "put" else state.drop(setting.key)
        return state

    return edit
