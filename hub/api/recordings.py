"""Recordings, as operators start, end, replay and erase them: each is recorded in the ledger before it is done."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from hub.api.checking import check
from hub.api.sampling import operator, refuse
from hub.parity.keeping import Recording
from hub.parity.recordings import RETENTION, Recordings, UnknownError, recordable
from hub.parity.replaying import Progress, Replayer, StoppedError
from hub.parity.running import Pairs
from hub.parity.sampling import ForbiddenError
from metip.faults import Fault, Reason
from metip.options.v1.options_pb2 import PURPOSE_MIGRATION_TEST
from metip.parity.v1 import recording_service_pb2 as api
from metip.parity.v1.recording_service_pb2_grpc import RecordingServiceServicer


class RecordingApi(RecordingServiceServicer):
    """Answers operators on this machine."""

    def __init__(self, pairs: Pairs, recordings: Recordings, replayer: Replayer) -> None:
        self._pairs, self._recordings, self._replayer = pairs, recordings, replayer

    async def StartRecording(self, request: api.StartRecordingRequest, context: Any) -> api.StartRecordingResponse:  # noqa: N802
        """Begins a recording; see the contract."""
        await check(request, context)
        try:
            operations, system = recordable(self._pairs.contracts, request.interface, request.system)
            lasting = request.lasting.ToTimedelta().total_seconds()
            retention = request.retention.ToTimedelta().total_seconds() if request.HasField("retention") else RETENTION
            share = f"{request.per_million} in a million for {lasting:.0f} s, kept for {retention:.0f} s"
            await self._record("parity/record_start", request, context, f"{request.interface}, answers of {system}, {share}")
            one = await self._recordings.begin(operations, system, request.per_million, lasting, retention)
            return api.StartRecordingResponse(recording=self._said(one))
        except (Fault, ForbiddenError) as error:
            await refuse(_fault(error), context)
            raise

    async def StopRecording(self, request: api.StopRecordingRequest, context: Any) -> api.StopRecordingResponse:  # noqa: N802
        """Ends a recording; see the contract."""
        await check(request, context)
        try:
            await self._recordings.found(request.recording)
            await self._record("parity/record_stop", request, context, request.recording)
            return api.StopRecordingResponse(recording=self._said(await self._recordings.stop(request.recording)))
        except (Fault, UnknownError) as error:
            await refuse(_fault(error), context)
            raise

    async def ListRecordings(self, request: api.ListRecordingsRequest, context: Any) -> api.ListRecordingsResponse:  # noqa: N802
        """Lists recordings; see the contract."""
        return api.ListRecordingsResponse(recordings=map(self._said, await self._recordings.all()))

    async def EraseRecording(self, request: api.EraseRecordingRequest, context: Any) -> api.EraseRecordingResponse:  # noqa: N802
        """Erases a recording; see the contract."""
        await check(request, context)
        try:
            await self._recordings.found(request.recording)
            await self._record("parity/record_erase", request, context, request.recording)
            return api.EraseRecordingResponse(recording=self._said(await self._recordings.erase(request.recording)))
        except (Fault, UnknownError) as error:
            await refuse(_fault(error), context)
            raise

    async def ReplayRecording(  # noqa: N802
        self, request: api.ReplayRecordingRequest, context: Any
    ) -> AsyncIterator[api.ReplayRecordingResponse]:
        """Replays a recording; see the contract."""
        await check(request, context)
        try:
            one = await self._recordings.found(request.recording)
            system = self._replayer.against(one, request.against)
            await self._record("parity/record_open", request, context, f"{one.id}, replayed to {system}")
            async with aclosing(self._replayer.replay(one, system, anew=request.anew, follow=request.follow)) as progress:
                async for said in progress:
                    yield _progress(said)
        except (Fault, ForbiddenError, StoppedError, UnknownError) as error:
            await refuse(_fault(error), context)

    async def _record(self, action: str, request: Any, context: Any, what: str) -> None:
        access = request.access
        if access.purpose != PURPOSE_MIGRATION_TEST:
            raise Fault(Reason.PURPOSE_NOT_PERMITTED, "recordings are kept and opened for the migration's purpose alone")
        if not access.justification.strip():
            raise Fault(Reason.JUSTIFICATION_NEEDED, "whoever keeps or opens what people were answered says why")
        detail = json.dumps({"what": what, "because": access.justification})
        await self._pairs.record(action, operator(context), PURPOSE_MIGRATION_TEST, detail)

    def _said(self, one: Recording) -> api.Recording:
        return api.Recording(
            id=one.id,
            operations=one.operations,
            system=one.system,
            per_million=one.per_million,
            started=_instant(one.started),
            until=_instant(one.until),
            erased_by=_instant(one.erased_by),
            calls=one.calls,
            dropped=one.dropped,
            running=self._recordings.running(one),
            erased=_instant(one.erased) if one.erased is not None else None,
        )


def _progress(one: Progress) -> api.ReplayRecordingResponse:
    return api.ReplayRecordingResponse(
        total=one.total, position=one.position, asked=one.asked, compared=one.compared, failed=one.failed, done=one.done
    )


def _fault(error: Fault | ForbiddenError | StoppedError | UnknownError) -> Fault:
    match error:
        case Fault():
            return error
        case UnknownError():
            return Fault(Reason.NO_TRACE, f"there is no recording {error}, or it was erased; `metip parity recordings` lists them")
        case StoppedError():
            return Fault(Reason.UPSTREAM_UNAVAILABLE, f"{error}; run it again to go on where it stopped")
        case _:
            return Fault(Reason.PRECONDITION, str(error))


def _instant(at: float) -> Timestamp:
    found = Timestamp()
    found.FromMicroseconds(int(at * 1e6))
    return found
