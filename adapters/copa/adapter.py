"""COPA on the mesh: case files given, opened and updated, and courts' results filed on them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapters.copa import records, translate
from adapters.copa.translate import TRANSLATION
from adapters.copa.upstream import Copa
from adapters.kit import Call, Site
from adapters.kit.outcomes import PROCESSED
from metip.copa.v1.case_file_service_pb2 import (
    CreateCaseFileRequest,
    CreateCaseFileResponse,
    GetCaseFileRequest,
    GetCaseFileResponse,
    UpdateCaseFileRequest,
    UpdateCaseFileResponse,
)
from metip.copa.v1.settings_pb2 import Settings
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.libra.v1.result_service_pb2 import PublishResultRequest


class CaseFiles:
    """The case files that police prepare for prosecutors and courts."""

    interface = "metip.copa.v1.CaseFileService"

    def __init__(self, copa: Copa) -> None:
        self._copa = copa

    async def GetCaseFile(self, request: GetCaseFileRequest, call: Call) -> GetCaseFileResponse:
        """Gives one case file."""
        caller = translate.caller(request.access, call, self._copa.account)
        return TRANSLATION.message(await self._copa.get(request.pti_urn.value, caller, call), GetCaseFileResponse)

    async def CreateCaseFile(self, request: CreateCaseFileRequest, call: Call) -> CreateCaseFileResponse:
        """Opens a case file, once for each submission id."""
        caller = translate.caller(request.access, call, self._copa.account)
        opened = await self._copa.open(TRANSLATION.record(request, records.OpenCase), caller, call)
        return TRANSLATION.message(opened, CreateCaseFileResponse)

    async def UpdateCaseFile(self, request: UpdateCaseFileRequest, call: Call) -> UpdateCaseFileResponse:
        """Changes a case file that still has the version named."""
        caller = translate.caller(request.access, call, self._copa.account)
        amended = await self._copa.amend(TRANSLATION.record(request, records.AmendCase), caller, call)
        return TRANSLATION.message(amended, UpdateCaseFileResponse)


class Results:
    """What courts decide, filed on the case that it belongs to. A result that comes again finds itself on file."""

    interface = "metip.libra.v1.ResultService"

    def __init__(self, copa: Copa) -> None:
        self._copa = copa

    async def PublishResult(self, request: PublishResultRequest, call: Call) -> Receipt:
        """Files a result. A case that COPA does not have parks it, a file that is being changed makes it come again."""
        caller = translate.caller(request.access, call, self._copa.account)
        await self._copa.file(translate.urn(request), translate.result(request), caller, call)
        return PROCESSED


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """The servicers for the length of the block."""
    async with Copa.connected(settings, site.log) as copa:
        yield CaseFiles(copa), Results(copa)
