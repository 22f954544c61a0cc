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
from metip.common.v1.pole_pb2 import SEX_FEMALE, Person, PersonName
from metip.common.v1.time_pb2 import CivilDate
from metip.custody.v1 import custody_record_pb2 as custody
from metip.custody.v1.custody_record_service_pb2 import PublishCustodyRecordRequest
from metip.options.v1 import options_pb2

ARRIVED = datetime(2026, 11, 20, 21, 15, tzinfo=UTC)
ACCESS = AccessContext(purpose=options_pb2.PURPOSE_ARREST_DETENTION)
PATIENT = 20.0


def number(serial: int) -> str:
    """A custody record number that only tests use."""
    return f"01ZD/{serial}/26"


def record(serial: int, version: int = 1, **more: Any) -> PublishCustodyRecordRequest:
    """A version of a record; each version was made an hour after the one before."""
    said = custody.CustodyRecord(
        status=custody.RECORD_STATUS_OPENED if version == 1 else custody.RECORD_STATUS_UPDATED,
        suite="01ZD",
        suite_name=f"Croydon, as of version {version}",
        arrest=custody.Arrest(
            place="Test Road",
            officer="P654321",
            offences=[custody.ArrestOffence(number=1, cjs_offence_code="TH68023", recordable=True)],
        ),
        detained_person=Person(
            name=PersonName(given_names=["Nobody", "Atall"], family_name="Testcase"),
            date_of_birth=CivilDate(year=1990, month=5),
            sex=SEX_FEMALE,
            observed_ethnicity=3,
            self_defined_ethnicity="W1",
            pnc_id=PncId(value="2002/0073319Z"),
        ),
        arrest_summons_number=ArrestSummonsNumber(value="1401ZD0100000449846U"),
        clock=custody.DetentionClock(authority=custody.DETENTION_AUTHORITY_CUSTODY_OFFICER),
        risk=custody.RISK_LEVEL_INTERMITTENT,
        footwear=custody.Footwear(taken=True),
        reviews=[custody.DetentionReview(officer="P654321", method=custody.REVIEW_METHOD_VIDEO)],
        disposals=[custody.OffenceDisposal(offence_number=1, cjs_offence_code="TH68023", kind=custody.DISPOSAL_KIND_CHARGED)],
    )
    said.recorded_at.FromDatetime(ARRIVED + timedelta(hours=version))
    said.arrived_at.FromDatetime(ARRIVED)
    said.arrest.arrested_at.FromDatetime(ARRIVED - timedelta(hours=1))
    said.clock.relevant_time.FromDatetime(ARRIVED)
    said.clock.expires_at.FromDatetime(ARRIVED + timedelta(hours=24))
    said.reviews[0].due_at.FromDatetime(ARRIVED + timedelta(hours=6))
    said.disposals[0].decided_at.FromDatetime(ARRIVED + timedelta(hours=5))
    said.MergeFrom(custody.CustodyRecord(**more))
    return PublishCustodyRecordRequest(
        access=ACCESS, custody_record_number=CustodyNumber(value=number(serial)), version=version, record=said
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
