"""What each source is asked, and what its answer tells a crew. Pure: messages and records in, findings out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from adapters.ivma import records
from adapters.kit import Fault, Reason
from adapters.kit.federation import Answer
from metip.cad.v1 import incident_pb2 as incidents
from metip.cad.v1 import incident_service_pb2 as cad
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.time_pb2 import CivilDate, DateRange
from metip.ivma.v1 import vehicle_check_service_pb2 as api
from metip.pnc.v1 import vehicle_enquiry_service_pb2 as pnc

LONDON = ZoneInfo("Europe/London")
LONGEST_TEXT, LONGEST_NAME, LONGEST_JUSTIFICATION = 80, 40, 250
CLOCKS_APART = timedelta(minutes=1)  # how far a camera's clock may be ahead of ours
REGISTERED_FORM = re.compile(r"[A-Z0-9]{2,7}")
"""Marks that the vehicle register can be asked for; a longer one is foreign, or no mark of a civil vehicle."""
TAX = {
    "Taxed": api.TAX_STATUS_TAXED,
    "Untaxed": api.TAX_STATUS_UNTAXED,
    "SORN": api.TAX_STATUS_SORN,
    "Not Taxed for on Road Use": api.TAX_STATUS_NOT_FOR_ROAD,
}
MOT = {
    "Valid": api.MOT_STATUS_VALID,
    "Not valid": api.MOT_STATUS_NOT_VALID,
    "No details held by DVLA": api.MOT_STATUS_NO_DETAILS,
    "No results returned": api.MOT_STATUS_NO_DETAILS,
}
"""The enquiry service's words (its published description) to ours; words that it does not have yet become unspecified."""
LIVE = frozenset({incidents.INCIDENT_STATE_OPEN, incidents.INCIDENT_STATE_ASSIGNED})
URGENT = {incidents.GRADE_IMMEDIATE: "I", incidents.GRADE_SIGNIFICANT: "S"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one source told."""

    facts: api.VehicleFacts | None = None
    keeper: api.Keeper | None = None
    markers: tuple[api.Marker, ...] = ()


def check_access(asked: api.CheckVehicleRequest, now: datetime, lifetime: timedelta) -> AccessContext:
    """Why the crew asks; what the vehicle does stands before their own words in every source's record.

    Raises `Fault` PRECONDITION for a check that waited on the device for longer than its lifetime.
    """
    if asked.HasField("asked_at") and now - asked.asked_at.ToDatetime(tzinfo=UTC) > lifetime:
        raise Fault(Reason.PRECONDITION, f"the check waited for more than {lifetime}: ask again")
    situation = api.VehicleSituation.Name(asked.situation).removeprefix("VEHICLE_SITUATION_")
    return _access(asked.access, f"VEHICLE {situation}" if asked.situation else "")


def hit_access(asked: api.EnrichAnprHitRequest, now: datetime) -> AccessContext:
    """Why the crew asks; camera and time stand before their own words. Raises `Fault` INVALID_REQUEST for a sighting from the future."""
    seen_at = asked.seen_at.ToDatetime(tzinfo=UTC)
    if seen_at - now > CLOCKS_APART:
        text = "the sighting lies in the future: the camera's clock is wrong"
        raise Fault(Reason.INVALID_REQUEST, text, fields=(("seen_at", "must not lie in the future"),))
    return _access(asked.access, f"ANPR {asked.camera} {seen_at:%d%m%Y %H%MZ}")


def _access(given: AccessContext, before: str) -> AccessContext:
    access = AccessContext()
    access.CopyFrom(given)
    if before:
        access.justification = f"{before}: {given.justification}"[:LONGEST_JUSTIFICATION]
    return access


def pnc_finding(reply: pnc.GetVehicleResponse, today: date) -> Answer[Finding]:
    """Keeper, reports, insurance; tax and MOT as the PNC has them, from the night before."""
    vehicle, keeper, expiry = reply.vehicle, reply.keeper, reply.mot_expiry
    expired = (expiry.year, expiry.month, expiry.day) < (today.year, today.month, today.day)
    facts = api.VehicleFacts(
        make=vehicle.make[:20],
        model=vehicle.model[:30],
        colour=vehicle.colour[:20],
        tax=api.TAX_STATUS_TAXED if reply.taxed else api.TAX_STATUS_UNTAXED,
        mot=api.MOT_STATUS_UNSPECIFIED if not expiry.year else api.MOT_STATUS_NOT_VALID if expired else api.MOT_STATUS_VALID,
        mot_expiry=expiry if expiry.year else None,
        insurance=api.INSURANCE_STATUS_INSURED if reply.insured else api.INSURANCE_STATUS_NOT_RECORDED,
    )
    known = api.Keeper(name=keeper.name[:LONGEST_NAME], postcode=keeper.address.postcode[:8], since=keeper.since) if keeper.name else None
    as_of = reply.provenance.as_of.ToDatetime(tzinfo=UTC) if reply.provenance.HasField("as_of") else None
    return Answer((Finding(facts=facts, keeper=known, markers=tuple(_reports(reply))),), as_of)


def _reports(reply: pnc.GetVehicleResponse) -> Iterator[api.Marker]:
    for report in reply.reports:
        name = pnc.VehicleReportType.Name(report.type).removeprefix("VEHICLE_REPORT_TYPE_").removeprefix("LOST_")
        plain = " ".join(report.text.split())
        yield api.Marker(
            mark=api.Mark.Value(f"MARK_{name}"),
            source="pnc",
            text=plain if len(plain) <= LONGEST_TEXT else f"{plain[: LONGEST_TEXT - 1]}…",
            reference=report.reference[:30],
            not_over_open_air=report.handling == pnc.HANDLING_NOT_OVER_OPEN_AIR,
        )
    if not reply.insured:
        yield api.Marker(mark=api.MARK_NO_INSURANCE, source="pnc")


def register_finding(found: records.Vehicle | None) -> Answer[Finding]:
    """The vehicle without its keeper; no match when the register knows none."""
    if found is None:
        return Answer(())
    tax = TAX.get(found.tax_status or "", api.TAX_STATUS_UNSPECIFIED)
    mot = MOT.get(found.mot_status or "", api.MOT_STATUS_UNSPECIFIED)
    facts = api.VehicleFacts(
        make=(found.make or "")[:20],
        colour=(found.colour or "")[:20],
        year=max(0, found.year_of_manufacture or 0),
        fuel=(found.fuel_type or "")[:20],
        engine_cc=max(0, found.engine_capacity or 0),
        co2=max(0, found.co2_emissions or 0),
        tax=tax,
        tax_due=_day(found.tax_due_date),
        mot=mot,
        mot_expiry=_day(found.mot_expiry_date),
        exported=bool(found.marked_for_export),
        type_approval=(found.type_approval or "")[:10],
        euro_status=(found.euro_status or "")[:20],
        v5c_issued=_day(found.date_of_last_v5_c_issued),
    )
    marks = {
        api.MARK_UNTAXED: tax == api.TAX_STATUS_UNTAXED,
        api.MARK_SORN: tax == api.TAX_STATUS_SORN,
        api.MARK_NO_MOT: mot == api.MOT_STATUS_NOT_VALID,
        api.MARK_EXPORTED: facts.exported,
    }
    return Answer((Finding(facts=facts, markers=tuple(api.Marker(mark=mark, source="dvla") for mark, is_so in marks.items() if is_so)),))


def cad_question(access: AccessContext, position: api.Position, now: datetime, within_m: int) -> cad.SearchIncidentsRequest:
    """Incidents around the vehicle, of today and of the day before."""
    today = now.astimezone(LONDON).date()
    centre = incidents.GridReference(easting=position.easting, northing=position.northing)
    return cad.SearchIncidentsRequest(
        access=access,
        opened=DateRange(**{"from": _day(f"{today - timedelta(days=1)}"), "to": _day(f"{today}")}),
        surroundings=cad.Surroundings(centre=centre, radius_m=within_m),
    )


def cad_finding(reply: cad.SearchIncidentsResponse) -> Answer[Finding]:
    """Incidents that are live and urgent, by grade and time; where they are and who called is not for a screen in a car's front."""
    markers = tuple(
        api.Marker(
            mark=api.MARK_OPEN_INCIDENT,
            source="cad",
            text=f"{URGENT[one.grade]} {one.opened_at.ToDatetime(tzinfo=UTC).astimezone(LONDON):%H:%M}",
            reference=one.cad_number.value,
        )
        for one in reply.incidents
        if one.state in LIVE and one.grade in URGENT
    )
    as_of = reply.provenance.as_of.ToDatetime(tzinfo=UTC) if reply.provenance.HasField("as_of") else None
    return Answer((Finding(markers=markers),) if markers else (), as_of)


def _day(said: str | None) -> CivilDate | None:
    year, month, day = map(int, (said or "0-0-0").split("-"))
    return CivilDate(year=year, month=month, day=day) if said else None
