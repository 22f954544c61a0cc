"""What the tests of the adapter ask, on whose behalf, and how they read a refusal."""

import uuid
from collections.abc import Awaitable
from typing import Any

import grpc
import pytest
from cases import error_info

from metip.cad.v1 import incident_pb2 as cad
from metip.cad.v1 import incident_service_pb2 as service
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import CadNumber
from metip.common.v1.time_pb2 import CivilDate, DateRange
from metip.options.v1.options_pb2 import PURPOSE_INCIDENT_RESPONSE

ACCESS = AccessContext(purpose=PURPOSE_INCIDENT_RESPONSE, reference="Op \u20ac")
MISSING_CHILD, VEHICLE_TAKEN = "87919/31OCT26", "93757/29OCT26"
STREET = "Jasjorham Street"


def create(text: str = "A van across the crossing.", place: str = f"outside 2 {STREET}", **more: Any) -> service.CreateIncidentRequest:
    """A call to be opened as an incident."""
    return service.CreateIncidentRequest(
        access=ACCESS,
        **{
            "client_reference": str(uuid.uuid4()),
            "origin": cad.ORIGIN_EMERGENCY_CALL,
            "grade": cad.GRADE_IMMEDIATE,
            "opening_codes": ["100"],
            "location": cad.IncidentLocation(text=place),
            "text": text,
            **more,
        },
    )


def update(number: str, reference: str = "", **change: Any) -> service.UpdateIncidentRequest:
    """A line to be added."""
    number_given = CadNumber(value=number)
    return service.UpdateIncidentRequest(access=ACCESS, cad_number=number_given, client_reference=reference or str(uuid.uuid4()), **change)


def get(number: str, after: int = 0) -> service.GetIncidentRequest:
    """A question for one incident."""
    return service.GetIncidentRequest(access=ACCESS, cad_number=CadNumber(value=number), after_line=after)


def days(first: tuple[int, int, int], last: tuple[int, int, int]) -> DateRange:
    """A range of days."""
    ends = [CivilDate(year=year, month=month, day=day) for year, month, day in (first, last)]
    return DateRange(**{"from": ends[0], "to": ends[1]})


async def refused(asked: Awaitable[Any]) -> tuple[str, str, str]:
    """Status, reason and code of the refusal that a call must end with."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await asked
    info = error_info(raised.value)
    assert info is not None
    return raised.value.code().name, info.reason, info.metadata.get("code", "")
