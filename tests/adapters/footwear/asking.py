"""Custody records to hand over, and the metadata with which the exchange does."""

import uuid
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from adapter_rig import from_envoy
from cases import error_info

from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CustodyNumber, PncId
from metip.common.v1.pole_pb2 import SEX_MALE, Person, PersonName
from metip.common.v1.time_pb2 import CivilDate
from metip.custody.v1 import custody_record_pb2 as custody
from metip.custody.v1.custody_record_service_pb2 import PublishCustodyRecordRequest
from metip.options.v1 import options_pb2

ARRIVED = datetime(2026, 11, 20, 21, 15, tzinfo=UTC)
ACCESS = AccessContext(purpose=options_pb2.PURPOSE_CRIME_INVESTIGATION, justification="mark found at the scene", reference="1234/23NOV26")
PATIENT = 20.0
PERSONAL = ("Testcase", "Nobody", "Atall", "2002/0073319Z", "1401ZD0100000449846U", "P654321", "Test Road", "1990")
"""What a record says of the person, the officer and the place; none of it is the database's business."""


def number(serial: int) -> str:
    """A custody record number that only tests use."""
    return f"01ZD/{serial}/26"


def footwear(**more: Any) -> custody.Footwear:
    """Footwear that was taken and scanned."""
    shoe: dict[str, Any] = {"size": "9.5", "make": "Testmake", "model": "Runner", "pattern_code": "Z-B-C-0973"}
    found = custody.Footwear(**{"taken": True, "scan_type": custody.SCAN_TYPE_ROLLED, **shoe, **more})
    if found.scan_type:
        found.scanned_at.FromDatetime(ARRIVED + timedelta(minutes=50))
    return found


def record(
    serial: int,
    version: int = 1,
    *,
    recordable: tuple[bool, ...] = (True,),
    decided: tuple[int, ...] = (),
    released: bool = False,
    shoe: custody.Footwear | None = None,
    without_footwear: bool = False,
) -> PublishCustodyRecordRequest:
    """A version of a record. `recordable` says it of each offence; `decided` gives the disposals of the first offences."""
    said = custody.CustodyRecord(
        status=custody.RECORD_STATUS_UPDATED,
        suite="01ZD",
        suite_name="Croydon",
        arrest=custody.Arrest(place="Test Road", officer="P654321"),
        detained_person=Person(
            name=PersonName(given_names=["Nobody", "Atall"], family_name="Testcase"),
            date_of_birth=CivilDate(year=1990, month=5, day=17),
            sex=SEX_MALE,
            pnc_id=PncId(value="2002/0073319Z"),
        ),
        arrest_summons_number=ArrestSummonsNumber(value="1401ZD0100000449846U"),
        footwear=None if without_footwear else shoe or footwear(),
    )
    for place, flag in enumerate(recordable, start=1):
        said.arrest.offences.add(number=place, cjs_offence_code=f"TH68{place:03d}", recordable=flag)
    for place, kind in enumerate(decided, start=1):
        disposal = said.disposals.add(offence_number=place, cjs_offence_code=f"TH68{place:03d}")
        disposal.kind = kind  # type: ignore[assignment]  # a table of numbers
        disposal.decided_at.FromDatetime(ARRIVED + timedelta(hours=9))
    if released:
        said.release.released_at.FromDatetime(ARRIVED + timedelta(hours=10))
        said.release.kind = custody.RELEASE_KIND_UNCONDITIONAL
    said.recorded_at.FromDatetime(ARRIVED + timedelta(hours=version))
    said.arrived_at.FromDatetime(ARRIVED)
    said.arrest.arrested_at.FromDatetime(ARRIVED - timedelta(hours=1))
    access = AccessContext(purpose=options_pb2.PURPOSE_ARREST_DETENTION)
    return PublishCustodyRecordRequest(
        access=access, custody_record_number=CustodyNumber(value=number(serial)), version=version, record=said
    )


def from_exchange(attempt: int = 1) -> list[tuple[str, str]]:
    """The metadata of a message that the exchange hands over."""
    handover = [("x-metip-message-id", str(uuid.uuid4())), ("x-metip-attempt", str(attempt))]
    return [*from_envoy(officer=None), *handover, ("x-metip-redelivery", str(attempt > 1).lower()), ("x-metip-accepted", "1795600000.5")]


async def refused(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str, str]:
    """Status, reason and the far side's code of a call that fails."""
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await call
    info = error_info(told.value)
    return told.value.code(), info.reason, info.metadata.get("code", "")
