"""What the tests of this adapter ask it: a request for each operation that works any number of times, and how its refusals are read."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from adapter_rig import Rig, from_envoy
from cases import error_info

from adapters.kit.population import STORIES, Arrest, Population
from adapters.kit.simulation.dials import Dial
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CourtCaseReference, PncId, Vrm
from metip.common.v1.time_pb2 import CivilDate
from metip.options.v1.options_pb2 import Purpose
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsRequest
from metip.pnc.v1.arrest_summons_service_pb2_grpc import ArrestSummonsServiceStub
from metip.pnc.v1.case_update_service_pb2 import (
    Appearance,
    Hearing,
    OffenceResult,
    RecordDeferredSentenceRequest,
    RecordDisposalRequest,
    RecordRemandRequest,
    RecordVariationRequest,
    RemandResult,
)
from metip.pnc.v1.case_update_service_pb2_grpc import CaseUpdateServiceStub
from metip.pnc.v1.court_case_pb2 import Adjudication, Court, Disposal, Finding, Plea, Subject
from metip.pnc.v1.driver_enquiry_service_pb2 import GetDriverRequest
from metip.pnc.v1.driver_enquiry_service_pb2_grpc import DriverEnquiryServiceStub
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, SearchPersonsRequest
from metip.pnc.v1.person_enquiry_service_pb2_grpc import PersonEnquiryServiceStub
from metip.pnc.v1.property_enquiry_service_pb2 import PropertyType, SearchPropertyRequest
from metip.pnc.v1.property_enquiry_service_pb2_grpc import PropertyEnquiryServiceStub
from metip.pnc.v1.vehicle_enquiry_service_pb2 import GetVehicleRequest, SearchVehiclesRequest
from metip.pnc.v1.vehicle_enquiry_service_pb2_grpc import VehicleEnquiryServiceStub

# Method -> stub, and the function under which the host counts it.
METHODS: dict[str, tuple[Any, str]] = {
    "SearchPersons": (PersonEnquiryServiceStub, "SIMNAM"),
    "GetPerson": (PersonEnquiryServiceStub, "SIMNAM"),
    "GetVehicle": (VehicleEnquiryServiceStub, "SIMVEH"),
    "SearchVehicles": (VehicleEnquiryServiceStub, "SIMVOD"),
    "GetDriver": (DriverEnquiryServiceStub, "SIMDRV"),
    "SearchProperty": (PropertyEnquiryServiceStub, "SIMPRO"),
    "GetArrestSummons": (ArrestSummonsServiceStub, "ENQASI"),
    "RecordDisposal": (CaseUpdateServiceStub, "DISARR"),
    "RecordRemand": (CaseUpdateServiceStub, "NEWREM"),
    "RecordDeferredSentence": (CaseUpdateServiceStub, "SENDEF"),
    "RecordVariation": (CaseUpdateServiceStub, "SUBVAR"),
}


class Asker:
    """Asks one running adapter."""

    asking = AccessContext(
        purpose=Purpose.PURPOSE_ARREST_DETENTION, reference="1234/23NOV26", justification="Detained person to be identified."
    )
    searching = AccessContext(
        purpose=Purpose.PURPOSE_CRIME_INVESTIGATION, reference="1234/23NOV26", justification="Seen leaving the place of a robbery."
    )
    recording = AccessContext(purpose=Purpose.PURPOSE_PROSECUTION)
    heard = CivilDate(year=2026, month=11, day=20)
    court = Court(code="2576")
    found_guilty = Adjudication(plea=Plea.PLEA_NOT_GUILTY, finding=Finding.FINDING_GUILTY, sentence_date=heard)
    fined = Disposal(code=1015, amount_pence=25_000)

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.population: Population = rig.population
        # The first arrest has no results yet, and no test gives it any.
        self.first_open = rig.population.arrest(1)
        self.deferred_arrest = next(arrest for arrest in rig.population.arrests() if arrest.charged and arrest.number % 4 == 0)

    async def asked(self, method: str, request: Any, within: float = 10.0) -> Any:
        """The answer to a request. Raises `grpc.aio.AioRpcError`."""
        stub, _ = METHODS[method]
        return await getattr(stub(self.rig.channel), method)(request, timeout=within, metadata=from_envoy())

    async def ask(self, method: str) -> Any:
        """The answer to the request that works any number of times."""
        return await self.asked(method, self.request(method))

    async def refusal(self, method: str, request: Any, within: float = 10.0) -> tuple[str, str, dict[str, str]]:
        """Status, reason and the host's codes of a call that is refused."""
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await self.asked(method, request, within)
        info = error_info(told.value)
        return told.value.code().name, info.reason, {name: info.metadata[name] for name in ("code", "exception") if name in info.metadata}

    async def refused(self, method: str, within: float = 10.0) -> tuple[str, str, dict[str, str]]:
        """The same for the request that works any number of times."""
        return await self.refusal(method, self.request(method), within)

    def turn(self, name: str, setting: str = "", times: int = 0) -> None:
        """Turns a dial of the simulator."""
        assert self.rig.dials is not None
        self.rig.dials.set([Dial(name, setting, 1.0, times)])

    def count(self, method: str) -> int:
        """How often the host was asked."""
        assert self.rig.dials is not None
        return self.rig.dials.exchanges[METHODS[method][1]]

    def request(self, method: str) -> Any:
        """A request that works any number of times; a disposal only until it is done."""
        people = self.population
        if method == "SearchPersons":
            return SearchPersonsRequest(access=self.asking, family_name=people.person(STORIES["apostrophe"]).surname)
        if method == "GetPerson":
            return GetPersonRequest(access=self.asking, pnc_id=PncId(value=people.person(STORIES["wanted"]).pnc_id))
        if method == "GetVehicle":
            return GetVehicleRequest(access=self.asking, vrm=Vrm(value=people.vehicle_numbered(2).vrm))
        if method == "SearchVehicles":
            return SearchVehiclesRequest(access=self.searching, vrm_pattern=people.vehicle_numbered(2).vrm[:4] + "*")
        if method == "GetDriver":
            return GetDriverRequest(access=self.asking, driver_number=people.person(STORIES["wanted"]).driver_number)
        if method == "SearchProperty":
            return SearchPropertyRequest(access=self.searching, type=PropertyType.PROPERTY_TYPE_FIREARM, serial_number="MET900037")
        if method == "RecordDeferredSentence":
            return self._later(RecordDeferredSentenceRequest)
        if method == "RecordVariation":
            return self._later(RecordVariationRequest)
        of_arrest: dict[str, Callable[[Arrest], Any]] = {
            "GetArrestSummons": self.summons,
            "RecordDisposal": self.disposal_of,
            "RecordRemand": self.remand_of,
        }
        return of_arrest[method](self.first_open)

    def summons(self, arrest: Arrest) -> GetArrestSummonsRequest:
        """Asks for an arrest."""
        return GetArrestSummonsRequest(access=self.recording, arrest_summons_number=ArrestSummonsNumber(value=arrest.asn))

    def disposal_of(self, arrest: Arrest, *disposals: Disposal) -> RecordDisposalRequest:
        """Finds guilty of every offence."""
        return RecordDisposalRequest(
            access=self.recording,
            subject=self._subject(arrest),
            court_case_reference=CourtCaseReference(value=arrest.court_case_reference),
            hearing=Hearing(court=self.court, date=self.heard, filed_name="DOE/JO"),
            results=[
                OffenceResult(
                    number=number,
                    cjs_offence_code=offence.cjs_code,
                    adjudication=self.found_guilty,
                    disposals=disposals or [self.fined],
                )
                for number, offence in enumerate(arrest.offences, 1)
            ],
        )

    def remand_of(self, arrest: Arrest) -> RecordRemandRequest:
        """Remands on bail."""
        return RecordRemandRequest(
            access=self.recording,
            subject=self._subject(arrest),
            arrest_summons_number=ArrestSummonsNumber(value=arrest.asn),
            remanded_on=self.heard,
            result=RemandResult.REMAND_RESULT_BAIL,
            court=self.court,
            next_court=self.court,
            next_appearance=CivilDate(year=2027, month=1, day=4),
            bail_conditions=["Residence: to live and sleep each night at the bail address"],
        )

    def _later(self, kind: Any) -> Any:
        arrest = self.deferred_arrest
        return kind(
            access=self.recording,
            subject=self._subject(arrest),
            court_case_reference=CourtCaseReference(value=arrest.court_case_reference),
            appearance=Appearance(court=self.court, date=self.heard),
            results=[OffenceResult(number=1, cjs_offence_code=arrest.offences[0].cjs_code, disposals=[self.fined])],
        )

    def _subject(self, arrest: Arrest) -> Subject:
        person = self.population.person(arrest.person_number)
        return Subject(pnc_id=PncId(value=person.pnc_id), check_name=person.surname[:12].upper())


@pytest.fixture(scope="module")
def asker(rig: Rig) -> Asker:
    """Asks the module's adapter."""
    return Asker(rig)


@pytest.fixture
def asker_of() -> Callable[[Rig], Asker]:
    """Asks an adapter that a test runs for itself."""
    return Asker


@pytest.fixture(scope="module")
def fresh(rig: Rig) -> Iterator[Arrest]:
    """Charged, with results to come; each is handed out once, so that no test meets what another recorded."""
    return (arrest for arrest in rig.population.arrests() if arrest.charged and arrest.number % 2 and arrest.number > 2)
