"""What the tests of the adapter ask, and how they read a refusal."""

import base64
import json
import uuid
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import grpc
import pytest
from adapter_rig import Rig, from_envoy
from cases import error_info
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from adapters.cris.translate import ROLE
from adapters.kit.population import STORIES, Population
from adapters.kit.simulation.dials import Dial
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import CrimeReportNumber
from metip.common.v1.pole_pb2 import Address, Bs7666Address, Person, PersonName
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.cris.v1 import crime_report_pb2 as cris
from metip.cris.v1 import crime_report_service_pb2 as service
from metip.options.v1.options_pb2 import PURPOSE_CRIME_INVESTIGATION

ACCESS = AccessContext(purpose=PURPOSE_CRIME_INVESTIGATION, reference="90001/23NOV26", justification="Enquiries in the case")
METADATA = from_envoy()


@dataclass(frozen=True)
class Refused:
    """What a caller sees of a refusal."""

    status: str
    reason: str
    code: str
    text: str
    fields: tuple[tuple[str, str], ...]
    retry: timedelta | None


async def refusal(asked: Awaitable[Any]) -> Refused:
    """The refusal that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await asked
    error: Any = raised.value
    broken, retry = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        detail.Unpack(broken)
        detail.Unpack(retry)
    info = error_info(error)
    return Refused(
        status=error.code().name,
        reason=info.reason,
        code=info.metadata.get("code", ""),
        text=error.details(),
        fields=tuple((violation.field, violation.description) for violation in broken.field_violations),
        retry=retry.retry_delay.ToTimedelta() if retry.HasField("retry_delay") else None,
    )


def cleared() -> list[tuple[str, str]]:
    """Metadata of an officer who may see restricted reports."""
    claims = json.dumps({"sub": "P555555", "force": "01", "unit": "ZD", "roles": ["officer", ROLE]}).encode()
    return [*from_envoy(officer=None), ("x-metip-officer", base64.urlsafe_b64encode(claims).decode().rstrip("="))]


def named(population: Population, story: str, **more: Any) -> service.SearchCrimeReportsRequest:
    """The search for somebody by family name and first given name."""
    person = population.person(STORIES[story])
    wanted = service.PersonCriteria(family_name=person.surname[:35], given_names=person.forenames[0])
    return service.SearchCrimeReportsRequest(access=ACCESS, person=wanted, **more)


def get(number: str) -> service.GetCrimeReportRequest:
    return service.GetCrimeReportRequest(access=ACCESS, crime_report_number=CrimeReportNumber(value=number))


def entry(number: str, text: str = "Camera viewed.") -> service.AddDetailRequest:
    return service.AddDetailRequest(
        access=ACCESS, crime_report_number=CrimeReportNumber(value=number), page=cris.DETAIL_PAGE_FORENSIC, text=text
    )


def change(number: str, version: int, **changes: Any) -> service.UpdateCrimeReportRequest:
    return service.UpdateCrimeReportRequest(
        access=ACCESS,
        crime_report_number=CrimeReportNumber(value=number),
        version=version,
        changes=service.CrimeSheetChanges(**(changes or {"modus_operandi": f"Changed {uuid.uuid4()}"})),
    )


def theft(reference: str = "", **sheet: Any) -> service.CreateCrimeReportRequest:
    """A crime to be recorded; `sheet` replaces parts of it."""
    person = Person(
        name=PersonName(given_names=["Ilxodan"], family_name="Dalquimsby-Jasvexmoor"),
        date_of_birth=CivilDate(year=1999, month=4, day=6),
        addresses=[Address(bs7666=Bs7666Address(primary="12", street="Jasjorham Street"), postcode="ZZ12 3AQ")],
    )
    parts: dict[str, Any] = {
        "reporting_channel": cris.REPORTING_CHANNEL_OFFICER,
        "borough": "ZD",
        "classification": cris.Classification(code="044/00"),
        "committed": cris.CommittedPeriod(
            from_date=CivilDate(year=2024, month=5, day=17),
            from_time=LocalTime(hour=18, minute=20),
        ),
        "modus_operandi": "Lock cut and cycle removed.",
        "parties": [cris.CrimeParty(role=cris.PARTY_ROLE_VICTIM, person=person)],
        "property": [cris.PropertyLine(involvement=cris.PROPERTY_INVOLVEMENT_STOLEN, description="Green touring cycle", value_pounds=450)],
    }
    return service.CreateCrimeReportRequest(
        access=ACCESS, client_reference=reference or str(uuid.uuid4()), sheet=cris.CrimeSheet(**{**parts, **sheet})
    )


def number_of(rig: Rig, crime: int) -> str:
    return rig.population.crime(crime).reference


def turn(rig: Rig, dial: str, setting: str = "", times: int = 0) -> None:
    """Sets one dial of the simulator."""
    assert rig.dials is not None
    rig.dials.set([Dial(dial, setting, times=times)])


def exchanges(rig: Rig) -> dict[str, int]:
    """How often the simulator was asked what."""
    assert rig.dials is not None
    return dict(rig.dials.exchanges)
