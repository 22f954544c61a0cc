"""One person through SOAP, gRPC and JSON: a real SOAP client, made from the façade's description, before the real mesh."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
import requests
import zeep
from command_line import metip
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from journals_of_mesh import records, traced
from json_client import post
from lxml import etree
from mesh_rig import MeshRig, running_mesh

from adapters.kit.population import STORIES, Population
from adapters.kit.serving import installed_contracts
from adapters.kit.soap import ENVELOPE
from adapters.metip1.security import token_header
from adapters.metip1.services import BY_CONTRACT, SoapOperation, context_native
from adapters.metip1.wire import record_of
from hub.identity import issue
from hub.laptop.layout import DEVELOPER
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import CrimeReportNumber, MerlinReference, PncId, Vrm
from metip.common.v1.time_pb2 import CivilDate
from metip.cris.v1.crime_report_service_pb2 import GetCrimeReportRequest, PersonCriteria, SearchCrimeReportsRequest
from metip.ledger.v1 import record_pb2 as ledger
from metip.merlin.v1.report_service_pb2 import GetReportRequest, SearchReportsRequest
from metip.options.v1.options_pb2 import PURPOSE_AUDIT, PURPOSE_CRIME_INVESTIGATION, PURPOSE_PROSECUTION
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, SearchPersonsRequest
from metip.pnc.v1.vehicle_enquiry_service_pb2 import GetVehicleRequest

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTRACTS = installed_contracts(date.min)
OLD = "metip1"
OWNERS = ("pnc", "cris", "merlin")
WHY = AccessContext(purpose=PURPOSE_CRIME_INVESTIGATION, reference="1234/23NOV26", justification="A test of three ways")
POPULATION = Population(2026)
WANTED = POPULATION.person(STORIES["wanted"])
SUSPECT = next(POPULATION.person(n) for one in POPULATION.crimes() if not one.restricted for n in one.suspect_numbers)
CRIME = next(one for one in POPULATION.crimes() if not one.restricted and one.suspect_numbers)
EPISODE = next(one for one in POPULATION.episodes() if not one.restricted)
CHILD = POPULATION.person(EPISODE.subject_number)


def born(person: Any) -> CivilDate:
    """A date of birth of the population."""
    return CivilDate(year=person.date_of_birth.year, month=person.date_of_birth.month, day=person.date_of_birth.day)


QUESTIONS: dict[str, Message] = {
    "metip.pnc.v1.PersonEnquiryService/GetPerson": GetPersonRequest(access=WHY, pnc_id=PncId(value=WANTED.pnc_id)),
    "metip.pnc.v1.PersonEnquiryService/SearchPersons": SearchPersonsRequest(
        access=WHY, family_name=WANTED.surname, given_names=" ".join(WANTED.forenames)
    ),
    "metip.pnc.v1.VehicleEnquiryService/GetVehicle": GetVehicleRequest(access=WHY, vrm=Vrm(value=POPULATION.vehicles()[0].vrm)),
    "metip.cris.v1.CrimeReportService/SearchCrimeReports": SearchCrimeReportsRequest(
        access=WHY, person=PersonCriteria(family_name=SUSPECT.surname, date_of_birth=born(SUSPECT)), limit=20
    ),
    "metip.cris.v1.CrimeReportService/GetCrimeReport": GetCrimeReportRequest(
        access=WHY, crime_report_number=CrimeReportNumber(value=CRIME.reference)
    ),
    "metip.merlin.v1.ReportService/SearchReports": SearchReportsRequest(
        access=WHY, family_name=CHILD.surname, given_names=CHILD.forenames[0], date_of_birth=born(CHILD)
    ),
    "metip.merlin.v1.ReportService/GetReport": GetReportRequest(access=WHY, merlin_reference=MerlinReference(value=EPISODE.reference)),
}
PERSON = "metip.pnc.v1.PersonEnquiryService/GetPerson"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """The owners, the old platform, and the façade."""
    async with running_mesh(tmp_path_factory.mktemp("f"), systems=(*OWNERS, OLD), facades=True) as rig:
        yield rig


@dataclass
class Consumer:
    """A consumer that speaks SOAP: clients made of descriptions, its certificate, and an officer's token in the header of each call."""

    mesh: MeshRig
    name: str = DEVELOPER
    token: str | None = None

    def __post_init__(self) -> None:
        if self.token is None:
            self.token = self.mesh.token(self.name)[0][1].removeprefix("Bearer ")
        if not self.mesh.store.certificate(self.name).exists():
            issue(self.mesh.store, self.mesh.spiffe_id(self.name), name=self.name)

    def apply(self, document: Any, headers: Any) -> Any:
        """zeep's hook for WS-Security: the token goes into the header."""
        header = document.find(f"{{{ENVELOPE}}}Header")
        if self.token:
            header.append(token_header(self.token))
        return document, headers

    def verify(self, document: Any) -> None:
        """Nothing is signed."""

    async def ask(self, operation: SoapOperation, request: Any, **headers: str) -> etree._Element:
        """What comes back, as it stands on the wire. Raises `zeep.exceptions.Fault`."""
        return await asyncio.to_thread(self._ask, operation, request, headers)

    def client(self, operation: SoapOperation, **headers: str) -> Any:
        """A zeep client."""
        store, session = self.mesh.store, requests.Session()
        session.cert = (str(store.certificate(self.name)), str(store.key(self.name)))
        session.verify, session.trust_env = str(store.ca_certificate), False
        session.headers.update(headers)
        made: Any = zeep
        address = f"https://localhost:{self.mesh.ports.soap}{operation.service.path}?wsdl"
        return made.Client(address, transport=made.Transport(session=session), wsse=self, plugins=[made.plugins.HistoryPlugin()])

    def _ask(self, operation: SoapOperation, request: Any, headers: dict[str, str]) -> etree._Element:
        client = self.client(operation, **headers)
        said = {"context": context_native(request.access)}
        client.service[operation.name](**operation.ask_native(request), _soapheaders=said)
        found: etree._Element = client.plugins[0].last_received["envelope"].find(f"{{{ENVELOPE}}}Body")[0]
        return found


async def by_grpc(mesh: MeshRig, operation: str, request: Message, *more: tuple[str, str]) -> Any:
    """The typed answer."""
    call: Any = mesh.channel().unary_unary(f"/{operation}")
    reply = await call(request.SerializeToString(), metadata=[*mesh.token(), *more], timeout=10)
    return BY_CONTRACT[operation].answer.made().FromString(reply)


async def by_json(mesh: MeshRig, operation: str, request: Message) -> Any:
    """The typed answer out of JSON."""
    answered = await post(mesh, operation, MessageToDict(request))
    assert answered.status == 200, answered.body
    return ParseDict(answered.document, BY_CONTRACT[operation].answer.made())


@pytest.mark.parametrize("operation", QUESTIONS)
async def test_the_same_comes_back_through_soap_grpc_and_json(mesh: MeshRig, operation: str) -> None:
    soap, request = BY_CONTRACT[operation], QUESTIONS[operation]
    answer, typed, json = await asyncio.gather(
        Consumer(mesh).ask(soap, request), by_grpc(mesh, operation, request), by_json(mesh, operation, request)
    )
    for reply in (typed, json):
        reply.provenance.ClearField("as_of")
    assert str(json).splitlines() == str(typed).splitlines()
    printed = record_of(soap.answered, answer)
    printed["AnswerInfo"].pop("AsOf", None)
    assert printed == soap.answer_native(typed)
    assert len(printed) > 1, "something was found"


async def test_a_person_is_read_by_the_client_as_its_own_types(mesh: MeshRig) -> None:
    soap, request = BY_CONTRACT[PERSON], QUESTIONS[PERSON]

    def ask() -> Any:
        return Consumer(mesh).client(soap).service.GetName(**soap.ask_native(request), _soapheaders={"context": context_native(WHY)})

    person = (await asyncio.to_thread(ask)).Nominal.Person
    typed = (await by_grpc(mesh, PERSON, request)).nominal.person
    assert (person.PNCID, person.Name.Surname, person.HeightCM) == (WANTED.pnc_id, WANTED.surname.upper(), typed.height_cm)
    assert [int(part) for part in person.DOB.split("/")] == [getattr(typed.date_of_birth, part) for part in ("day", "month", "year")]


async def test_the_same_person_comes_back_whichever_platform_serves_the_interface(mesh: MeshRig) -> None:
    soap, request, answers = BY_CONTRACT[PERSON], QUESTIONS[PERSON], []
    for system in ("pnc", OLD):
        async with mesh.served_by(system, CONTRACTS.operations[PERSON]):
            before = sum((await mesh.exchanges(system)).values())
            answers.append(record_of(soap.answered, await Consumer(mesh).ask(soap, request))["Nominal"])
            assert sum((await mesh.exchanges(system)).values()) == before + 1
    assert answers[0] == answers[1]


async def test_the_record_of_access_names_the_consumer_the_officers_purpose_and_the_trace_as_if_it_had_called_itself(mesh: MeshRig) -> None:
    found = []
    for way in ("soap", "grpc"):
        trace, header = traced()
        if way == "soap":
            await Consumer(mesh).ask(BY_CONTRACT[PERSON], QUESTIONS[PERSON], **dict([header]))
        else:
            await by_grpc(mesh, PERSON, QUESTIONS[PERSON], header)
        found.append([one for one in records(mesh.home.journals) if one.trace_id == trace])
    assert [len(one) for one in found] == [1, 1]
    (soap,), (grpc,) = found
    assert soap.kind == ledger.KIND_OPERATION
    assert soap.consumer == mesh.spiffe_id(DEVELOPER)
    for same in ("consumer", "operation", "verb", "purpose", "force", "unit", "recipient", "disclosed", "outcome", "platform"):
        assert getattr(soap, same) == getattr(grpc, same)
    assert soap.sealed


# Refused by the mesh, and told in the old bus's words


async def refusal(consumer: Consumer, request: Any, operation: str = PERSON) -> dict[str, str]:
    """The fault's detail, and its SOAP code."""
    with pytest.raises(zeep.exceptions.Fault) as told:
        await consumer.ask(BY_CONTRACT[operation], request)
    return {"soap": told.value.code, **{str(one.tag): one.text or "" for one in told.value.detail}}


async def test_nobody_is_found_by_a_name_that_nobody_has(mesh: MeshRig) -> None:
    search = "metip.pnc.v1.PersonEnquiryService/SearchPersons"
    said = await refusal(Consumer(mesh), SearchPersonsRequest(access=WHY, family_name="Zzyzxqua"), search)
    assert (said["soap"], said["Code"], said["Reason"]) == ("soap:Client", "MB1101", "NO_TRACE")
    assert said["Transaction"]


async def test_without_a_token_envoy_refuses(mesh: MeshRig) -> None:
    said = await refusal(Consumer(mesh, token=""), QUESTIONS[PERSON])
    assert (said["soap"], said["Code"], said["Reason"]) == ("soap:Client", "MB1106", "OFFICER_NEEDED")


async def test_a_token_that_was_issued_to_another_consumer_is_refused(mesh: MeshRig) -> None:
    token = mesh.token("crime-desk")[0][1].removeprefix("Bearer ")
    assert (await refusal(Consumer(mesh, token=token), QUESTIONS[PERSON]))["Reason"] == "TOKEN_OF_ANOTHER"


async def test_a_purpose_that_the_contract_does_not_permit_is_refused(mesh: MeshRig) -> None:
    assert PURPOSE_AUDIT != PURPOSE_PROSECUTION
    asked = GetPersonRequest(access=WHY, pnc_id=PncId(value=WANTED.pnc_id))
    asked.access.purpose = PURPOSE_PROSECUTION
    said = await refusal(Consumer(mesh), asked)
    assert (said["Code"], said["Reason"]) == ("MB1105", "PURPOSE_NOT_PERMITTED")


async def test_without_saying_why_nothing_is_told(mesh: MeshRig) -> None:
    said = await refusal(Consumer(mesh), GetPersonRequest(pnc_id=PncId(value=WANTED.pnc_id)))
    assert (said["soap"], said["Reason"]) == ("soap:Client", "INVALID_REQUEST")
    assert "access" in said["Fields"]


async def test_a_workload_without_a_mapping_is_refused_at_the_door(mesh: MeshRig) -> None:
    with pytest.raises(requests.HTTPError, match="403"):
        await Consumer(mesh, "unmapped").ask(BY_CONTRACT[PERSON], QUESTIONS[PERSON])


async def test_it_is_ticked_off_and_shown_among_the_processes(mesh: MeshRig) -> None:
    checked = await metip(mesh.home.root, "check", "--only", "edge", "--json")
    found = [one for one in checked.json["findings"] if "facade-" in one["what"]]
    assert [(one["state"], one["what"]) for one in found] == [
        ("ok", f"facade-{OLD} answers at https://localhost:{mesh.ports.soap} for 1 consumer")
    ]


async def test_its_log_names_nobody(mesh: MeshRig) -> None:
    lines = mesh.home.log(f"facade-{OLD}").read_text()
    assert '"event":"soap_call"' in lines
    for word in (WANTED.pnc_id, WANTED.surname, WANTED.surname.upper(), "Bearer", "eyJ"):
        assert word not in lines
