"""LEDS on the mesh: the PNC's operations and the courts' results, as PNC serves them, from its successor."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from adapters.kit import Call, Fault, Reason, Site
from adapters.leds import translate, wire
from adapters.leds.upstream import Leds
from adapters.leds.wire import Record
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.identifiers_pb2 import CourtCaseReference
from metip.leds.v1.settings_pb2 import Settings
from metip.pnc import receipts, values
from metip.pnc.recording import Results
from metip.pnc.v1 import arrest_summons_service_pb2 as arrests
from metip.pnc.v1 import case_update_service_pb2 as updates
from metip.pnc.v1 import person_enquiry_service_pb2 as people
from metip.pnc.v1 import vehicle_enquiry_service_pb2 as vehicles


class Enquiries:
    """What LEDS is asked, for the servicers that share it."""

    def __init__(self, leds: Leds) -> None:
        self._leds = leds

    async def _people(self, key: Record, call: Call, access: AccessContext) -> Record:
        found = await self._leds.ask(wire.FIND_PEOPLE, key, call, access)
        if not found["people"]:
            raise Fault(Reason.NO_TRACE, "LEDS knows nobody by that number or description", metadata={"exception": "HO100301"})
        return found

    async def _arrest(self, request: arrests.GetArrestSummonsRequest | updates.RecordRemandRequest, call: Call) -> Record:
        number = values.arrest_summons_number_text(request.arrest_summons_number, "arrest_summons_number")
        key = {"asn": number, "caseStatusMarkers": list(translate.MARKERS)}
        return await self._leds.ask(wire.BY_ASN, key, call, request.access)


class PersonEnquiries(Enquiries):
    """The names index."""

    interface = "metip.pnc.v1.PersonEnquiryService"

    async def SearchPersons(self, request: people.SearchPersonsRequest, call: Call) -> people.SearchPersonsResponse:
        """Searches by name and description."""
        found = await self._people(translate.search(request), call, request.access)
        nominals = [translate.nominal(one) for one in found["people"]]
        return people.SearchPersonsResponse(nominals=nominals, provenance=_now(more=found.get("more", False)))

    async def GetPerson(self, request: people.GetPersonRequest, call: Call) -> people.GetPersonResponse:
        """Gives one person's record by number."""
        found = await self._people(translate.by_number(request), call, request.access)
        return people.GetPersonResponse(nominal=translate.nominal(found["people"][0]), provenance=_now())


class VehicleEnquiries(Enquiries):
    """The vehicles index."""

    interface = "metip.pnc.v1.VehicleEnquiryService"

    async def GetVehicle(self, request: vehicles.GetVehicleRequest, call: Call) -> vehicles.GetVehicleResponse:
        """Gives a vehicle by mark or number."""
        found = await self._leds.ask(wire.FIND_VEHICLES, translate.vehicle_key(request), call, request.access)
        if not found["vehicles"]:
            raise Fault(Reason.NO_TRACE, "LEDS knows no such vehicle", metadata={"exception": "HO100301"})
        return translate.vehicle(found)


class ArrestSummonses(Enquiries):
    """Cases by arrest/summons number."""

    interface = "metip.pnc.v1.ArrestSummonsService"

    async def GetArrestSummons(self, request: arrests.GetArrestSummonsRequest, call: Call) -> arrests.GetArrestSummonsResponse:
        """Gives the person, the cases and their offences. The names are the person's own record's, so that LEDS is asked twice."""
        record = await self._arrest(request, call)
        found = await self._people({"personUrn": record["personUrn"], "limit": 1}, call, request.access)
        return translate.arrest_summons(record, found["people"][0], datetime.now(UTC))


class CaseUpdates(Enquiries):
    """What a court did. LEDS is read for the ids of its records, then told once and never again, whatever comes of it."""

    interface = "metip.pnc.v1.CaseUpdateService"

    async def RecordDisposal(self, request: updates.RecordDisposalRequest, call: Call) -> updates.RecordDisposalResponse:
        """Records findings and disposals of a hearing."""
        record, case = await self._case(request, call)
        told = translate.disposal(request, self._leds.update_owner, case)
        await self._leds.ask(wire.ADD_DISPOSAL, told, call, request.access, person=record["personId"], case_id=case["courtCaseId"])
        opened = await self._opened(record, call, request.access) if request.HasField("carry_forward") else None
        return receipts.disposal_receipt(request, opened)

    async def RecordRemand(self, request: updates.RecordRemandRequest, call: Call) -> updates.RecordRemandResponse:
        """Records a remand."""
        told = translate.remand(request, self._leds.update_owner)
        try:
            record = await self._arrest(request, call)
        except Fault as fault:
            raise _as_update(fault, Reason.INVALID_REQUEST, "HO100402") from None
        await self._leds.ask(wire.ADD_REMAND, told, call, request.access, person=record["personId"], report=record["reportId"])
        return updates.RecordRemandResponse(receipt=receipts.receipt(receipts.REMAND))

    async def RecordDeferredSentence(
        self, request: updates.RecordDeferredSentenceRequest, call: Call
    ) -> updates.RecordDeferredSentenceResponse:
        """Records the sentence of a case whose sentence was deferred."""
        return updates.RecordDeferredSentenceResponse(receipt=await self._later(request, call))

    async def RecordVariation(self, request: updates.RecordVariationRequest, call: Call) -> updates.RecordVariationResponse:
        """Records a result that a later appearance varied."""
        return updates.RecordVariationResponse(receipt=await self._later(request, call))

    async def _later(self, request: translate.Later, call: Call) -> updates.UpdateReceipt:
        record, case = await self._case(request, call)
        told = translate.later(request, self._leds.update_owner, case)
        await self._leds.ask(wire.ADD_LATER, told, call, request.access, person=record["personId"], case_id=case["courtCaseId"])
        return receipts.receipt(receipts.LATER)

    async def _case(self, request: updates.RecordDisposalRequest | translate.Later, call: Call) -> tuple[Record, Record]:
        """The arrest that a case belongs to, and the case. PNC compares CRO numbers itself; here it is done before LEDS is told."""
        number = values.court_case_text(request.court_case_reference)
        key = {"personUrn": translate.urn(request.subject.pnc_id), "courtCaseReference": number}
        try:
            record = await self._leds.ask(wire.BY_CASE, key, call, request.access)
            if request.subject.cro_number.value:
                found = await self._people({"personUrn": record["personUrn"], "limit": 1}, call, request.access)
                if found["people"][0].get("croNumber") != request.subject.cro_number.value:
                    raise Fault(Reason.PRECONDITION, "the CRO number is not the one on file", metadata={"exception": "HO100401"})
        except Fault as fault:
            raise _as_update(fault, Reason.PRECONDITION, "HO100401") from None
        case = translate.case_named(record, number)
        if case is None:
            raise Fault(Reason.UPSTREAM_FAULT, "LEDS answered with other cases than the one it was asked for")
        return record, case

    async def _opened(self, before: Record, call: Call, access: AccessContext) -> CourtCaseReference | None:
        """The case that an update has opened; None too where LEDS can't be asked any more, since the update itself was done."""
        try:
            after = await self._leds.ask(wire.BY_ASN, {"asn": before["asn"], "caseStatusMarkers": list(translate.MARKERS)}, call, access)
        except Fault:
            return None
        known = [case["courtCaseId"] for case in before["disposals"]]
        new = [case["courtCaseReference"] for case in after["disposals"] if case["courtCaseId"] not in known]
        return values.read_court_case(new[0]) if new else None


def _now(*, more: bool = False) -> Provenance:
    return values.provenance(translate.SYSTEM, datetime.now(UTC), more=more)


def _as_update(fault: Fault, reason: Reason, exception: str) -> Fault:
    """An update of what LEDS does not know, as PNC refuses it."""
    return Fault(reason, fault.text, metadata={**fault.metadata, "exception": exception}) if fault.reason is Reason.NO_TRACE else fault


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """The servicers, for the length of the block."""
    async with Leds.connected(settings, site.log) as leds:
        found, told = ArrestSummonses(leds), CaseUpdates(leds)
        yield PersonEnquiries(leds), VehicleEnquiries(leds), found, told, Results(found, told, dict(settings.courts))
