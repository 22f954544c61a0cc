"""Questions and commands for CONNECT, who asks them, and custody records to hand over as the exchange does."""

import base64
import json
import uuid
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from adapter_rig import Rig, from_envoy
from cases import error_info

from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import CustodyNumber, PncId
from metip.common.v1.pole_pb2 import SEX_MALE, Person, PersonName
from metip.common.v1.time_pb2 import CivilDate
from metip.connect.v1.entity_pb2 import LINK_ROLE_WITNESS, EntityId
from metip.connect.v1.investigation_pb2 import InvestigationSheet
from metip.connect.v1.investigation_service_pb2 import CreateInvestigationRequest, LinkEntitiesRequest
from metip.connect.v1.person_service_pb2 import GetPersonRequest, GetPersonResponse, SearchPersonsRequest, SearchPersonsResponse
from metip.connect.v1.person_service_pb2_grpc import PersonServiceStub
from metip.custody.v1 import custody_record_pb2 as custody
from metip.custody.v1.custody_record_service_pb2 import PublishCustodyRecordRequest
from metip.custody.v1.custody_record_service_pb2_grpc import CustodyRecordServiceStub
from metip.options.v1 import options_pb2

ARRIVED = datetime(2026, 11, 20, 21, 15, tzinfo=UTC)
JUSTIFICATION = "naïve witness; QUACKENBUSH"
ACCESS = AccessContext(purpose=options_pb2.PURPOSE_CRIME_INVESTIGATION, justification=JUSTIFICATION, reference="1234/23NOV26")
PATIENT = 20.0
PERSONAL = ("QUACKENBUSH", "Halzerwick", "Calquol", "Testcase", "9007919", "PC TEST")
"""What must be in no log and in no error: what was asked, what was found, and the far system's own words."""


def officer(*roles: str) -> list[tuple[str, str]]:
    """The metadata of an officer with those roles."""
    claims = json.dumps({"sub": "P654321", "force": "01", "unit": "ZD", "roles": list(roles)}).encode()
    token = base64.urlsafe_b64encode(claims).decode().rstrip("=")
    return [*from_envoy(officer=None), ("x-metip-officer", token), ("authorization", "Bearer test")]


CLEARED = officer("officer", "restricted_records")
"""Somebody who may see restricted records."""


def entity(value: str) -> EntityId:
    """An id."""
    return EntityId(value=value)


async def get(rig: Rig, value: str, metadata: list[tuple[str, str]] | None = None) -> GetPersonResponse:
    """A person."""
    request = GetPersonRequest(access=ACCESS, entity_id=entity(value))
    found: GetPersonResponse = await rig.stub(PersonServiceStub).GetPerson(request, metadata=metadata or from_envoy(), timeout=PATIENT)
    return found


async def search(rig: Rig, metadata: list[tuple[str, str]] | None = None, **asked: Any) -> SearchPersonsResponse:
    """Persons."""
    request = SearchPersonsRequest(access=ACCESS, **asked)
    found: SearchPersonsResponse = await rig.stub(PersonServiceStub).SearchPersons(
        request, metadata=metadata or from_envoy(), timeout=PATIENT
    )
    return found


def investigation(command: str = "", **more: Any) -> CreateInvestigationRequest:
    """An investigation to be recorded."""
    sheet = InvestigationSheet(**{"cjs_offence_code": "TH68006", "classification": "044/00", "borough": "ZD", **more})
    sheet.committed_from.FromDatetime(ARRIVED)
    return CreateInvestigationRequest(access=ACCESS, command_id=command or str(uuid.uuid4()), sheet=sheet)


def link(one: str, other: str, version: int = 1, command: str = "") -> LinkEntitiesRequest:
    """Two records to be tied."""
    command = command or str(uuid.uuid4())
    return LinkEntitiesRequest(
        access=ACCESS, command_id=command, entity_id=entity(one), version=version, linked_entity_id=entity(other), role=LINK_ROLE_WITNESS
    )


def number(serial: int) -> str:
    """A custody record number that only tests use."""
    return f"01ZD/{serial}/26"


def record(serial: int, version: int = 1, *, released: bool = False, **more: Any) -> PublishCustodyRecordRequest:
    """A version of a custody record of NSPIS."""
    said = custody.CustodyRecord(
        status=custody.RECORD_STATUS_UPDATED,
        suite="01ZD",
        suite_name="Croydon",
        arrest=custody.Arrest(place="Test Road", officer="P654321"),
        detained_person=Person(
            name=PersonName(given_names=["Nobody", "Atall"], family_name="Testcase"),
            date_of_birth=CivilDate(year=1990, month=5),
            sex=SEX_MALE,
            pnc_id=PncId(value="2005/9007919R"),
        ),
        risk=custody.RISK_LEVEL_CONSTANT,
    )
    said.arrest.offences.add(number=1, cjs_offence_code="TH68006", recordable=True)
    if released:
        disposal = said.disposals.add(offence_number=1, cjs_offence_code="TH68006", kind=custody.DISPOSAL_KIND_CHARGED)
        disposal.decided_at.FromDatetime(ARRIVED + timedelta(hours=9))
        said.release.released_at.FromDatetime(ARRIVED + timedelta(hours=10))
        said.release.kind = custody.RELEASE_KIND_TO_COURT
    said.recorded_at.FromDatetime(ARRIVED + timedelta(hours=version))
    said.arrived_at.FromDatetime(ARRIVED)
    said.arrest.arrested_at.FromDatetime(ARRIVED - timedelta(hours=1))
    said.MergeFrom(custody.CustodyRecord(**more))
    access = AccessContext(purpose=options_pb2.PURPOSE_ARREST_DETENTION)
    return PublishCustodyRecordRequest(
        access=access, custody_record_number=CustodyNumber(value=number(serial)), version=version, record=said
    )


async def hand_over(rig: Rig, request: PublishCustodyRecordRequest, attempt: int = 1) -> Any:
    """Hands a version over as the exchange does."""
    handover = [("x-metip-message-id", str(uuid.uuid4())), ("x-metip-attempt", str(attempt)), ("x-metip-accepted", "1795600000.5")]
    metadata = [*from_envoy(officer=None), *handover, ("x-metip-redelivery", str(attempt > 1).lower())]
    return await rig.stub(CustodyRecordServiceStub).PublishCustodyRecord(request, metadata=metadata, timeout=PATIENT)


async def refused(call: Awaitable[Any]) -> tuple[str, str, str]:
    """Status, reason and the far side's code of a call that fails; its words name nobody."""
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await call
    info = error_info(told.value)
    assert not [word for word in PERSONAL if word in f"{told.value.details()}{info}"]
    return told.value.code().name, info.reason, info.metadata.get("code", "")
