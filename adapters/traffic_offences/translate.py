"""Notices as the Home Office wants them; pure. Its codes stand in the table here and nowhere else (assumed)."""

from collections.abc import Mapping
from datetime import UTC

from adapters.kit.times import digits
from adapters.traffic_offences import records
from metip.common.v1.pole_pb2 import Address
from metip.traffic_offences.v1 import offence_pb2 as message
from metip.traffic_offences.v1.offence_service_pb2 import SubmitOffenceRequest

KINDS: Mapping["message.NoticeType.ValueType", str] = {
    message.NOTICE_TYPE_FIXED_PENALTY_ENDORSABLE: "FPE",
    message.NOTICE_TYPE_FIXED_PENALTY_NON_ENDORSABLE: "FPN",
    message.NOTICE_TYPE_CONDITIONAL_OFFER: "COF",
    message.NOTICE_TYPE_INTENDED_PROSECUTION: "NIP",
    message.NOTICE_TYPE_TRAFFIC_OFFENCE_REPORT: "TOR",
    message.NOTICE_TYPE_VEHICLE_DEFECT: "VDR",
    message.NOTICE_TYPE_PRODUCE_DOCUMENTS: "HOR",
    message.NOTICE_TYPE_RETRAINING_OFFER: "NDO",
}


def offence(request: SubmitOffenceRequest, reference: str) -> records.Offence:
    """The notice of a request that keeps its contract, under the sender's reference."""
    told = request.offence
    return records.Offence(
        reference=reference,
        notice=request.notice_number,
        kind=KINDS[told.notice_type],
        code=told.cjs_offence_code,
        at=f"{told.committed_at.ToDatetime(UTC):%Y-%m-%dT%H:%M:%SZ}",
        place=told.place,
        street=told.usrn,
        mark=told.vrm.value,
        make=told.vehicle_make,
        officer=told.officer,
        points=told.points,
        penalty=f"{told.penalty_pence // 100}.{told.penalty_pence % 100:02d}" if told.penalty_pence else "",
        speed=_speed(told.speed) if told.HasField("speed") else None,
        driver=_driver(told.driver) if told.HasField("driver") else None,
        evidence=tuple(records.Evidence(reference=one) for one in told.evidence_references),
    )


def _speed(told: message.SpeedMeasurement) -> records.Speed:
    return records.Speed(measured=told.measured_mph, limit=told.limit_mph, device=told.device, calibrated=digits(told.calibrated_on))


def _driver(told: message.Driver) -> records.Driver:
    return records.Driver(
        surname=told.name.family_name,
        forenames=" ".join(told.name.given_names),
        born=digits(told.date_of_birth),
        number=told.driver_number,
        address=_address(told.address) if told.HasField("address") else None,
    )


def _address(told: Address) -> records.Address:
    """Parts stay parts and lines stay lines."""
    parts = told.bs7666
    premises = records.Premises(
        secondary=parts.secondary,
        primary=parts.primary,
        street=parts.street,
        locality=parts.locality,
        town=parts.town,
        uprn=str(parts.uprn) if parts.uprn else "",
    )
    return records.Address(
        postcode=told.postcode,
        premises=premises if told.WhichOneof("form") == "bs7666" else None,
        lines=tuple(records.Line(text=line) for line in told.lines.line),
    )
