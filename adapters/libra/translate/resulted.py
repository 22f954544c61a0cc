"""Results: what a court sent to the contract's messages, one for each case of a delivery. Pure."""

import re
from datetime import datetime
from itertools import zip_longest

from adapters.libra import envelopes, records
from adapters.libra import results as spi
from adapters.libra.translate import shared
from adapters.libra.vocabulary import FINDING, PLEA, PRESENT, REMAND, UNIT
from adapters.libra.wire import digest
from metip.common.v1.access_pb2 import AccessContext
from metip.libra.v1 import result_pb2 as contract
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.options.v1.options_pb2 import PURPOSE_PROSECUTION

LONGEST_ID = 200


def results(
    resulted: spi.ResultedCases, delivery_id: str = "", created: datetime | None = None, origin: str = ""
) -> list[PublishResultRequest]:
    """A message for each case. A delivery that has no name of its own, or an endless one, is known by its digest."""
    session = resulted.session or spi.Session()
    return [_result(session, number, resulted.aside, delivery_id, created, origin) for number in range(1, len(session.cases) + 1)]


def delivered(delivery: envelopes.DeliverRequest, resulted: spi.ResultedCases) -> list[PublishResultRequest]:
    """The messages of a delivery and its payload."""
    metadata = delivery.metadata or envelopes.DeliveryMetadata()
    return results(resulted, delivery.message_id, metadata.created, metadata.origin.name if metadata.origin else "")


def routed(data: envelopes.RouteData, resulted: spi.ResultedCases) -> list[PublishResultRequest]:
    """The messages of a payload that was routed here."""
    sender, stream = data.sender or envelopes.System(), data.stream or envelopes.DataStream()
    return results(resulted, sender.correlation_id, None, stream.system or sender.system_id)


def _result(
    session: spi.Session, number: int, aside: tuple[records.Aside, ...], delivery_id: str, created: datetime | None, origin: str
) -> PublishResultRequest:
    case, court = session.cases[number - 1], session.hearing or spi.CourtHearing()
    # What stands in another case of the delivery is that case's; what stands in none is everybody's.
    mine = tuple(one for one in aside if re.match(r"Session/Case\[(\d+)\]/", one.path) is None or one.path.startswith(_path(number)))
    content = digest(spi.ResultedCases(session=spi.Session(hearing=court, cases=(case,)), aside=tuple(map(_alone, mine))))
    defendant = case.defendant or spi.CourtDefendant()
    message = PublishResultRequest(
        access=AccessContext(purpose=PURPOSE_PROSECUTION),
        delivery_id=delivery_id if 0 < len(delivery_id) <= LONGEST_ID else content,
        case_number=number,
        content_digest=content,
        pti_urn=shared.pti_urn(case.pti_urn),
        hearing=shared.hearing(court.hearing),
        psa_code=court.psa_code,
        defendant=_defendant(defendant),
        offences=[_offence(one) for one in defendant.offences],
        originating_system=origin[:LONGEST_ID],
        kept_aside=shared.kept(mine),
    )
    if created:
        message.created.FromDatetime(created)
    return message


def _path(number: int) -> str:
    return f"Session/Case[{number}]/"


def _alone(aside: records.Aside) -> records.Aside:
    """The same part where its case is the only one."""
    return records.Aside(re.sub(r"^Session/Case\[\d+\]/", _path(1), aside.path), aside.xml)


def _defendant(record: spi.CourtDefendant) -> contract.ResultedDefendant:
    party = record.individual or record.corporate
    if party is None:
        return contract.ResultedDefendant(arrest_summons_number=shared.asn(record.reference))
    individual, corporate = record.individual, record.corporate
    person = (individual.person if individual else None) or records.PersonDefendant()
    return contract.ResultedDefendant(
        arrest_summons_number=shared.asn(record.reference),
        individual=_individual(individual, person) if individual else None,
        organisation=_organisation(corporate) if corporate else None,
        present_at_hearing=PRESENT.value(party.present),
        bail_status=REMAND.value(party.bail_status),
        address=_address(party.address),
        pnc_id=shared.pnc_id(person.pnc_id or (corporate.pnc_id if corporate else "")),
    )


def _individual(record: spi.CourtIndividual, person: records.PersonDefendant) -> contract.ResultedIndividual:
    guardian = record.guardian or spi.CourtGuardian()
    return contract.ResultedIndividual(
        details=shared.person(person.details),
        nationality=person.nationality,
        bail_conditions=person.bail_conditions,
        bail_reason=record.bail_reason,
        guardian=shared.person(guardian.details),
        guardian_address=_address(guardian.address),
    )


def _organisation(record: spi.CourtCorporate) -> contract.ResultedOrganisation:
    telephones = records.Telephones(business=record.telephone) if record.telephone else None
    return contract.ResultedOrganisation(
        name=record.organisation.name if record.organisation else "", contact=shared.contact(telephones, record.emails)
    )


def _address(record: spi.CourtAddress | None) -> contract.CourtAddress | None:
    if record is None:
        return None
    simple = record.simple
    lines = [simple.line1, simple.line2, simple.line3, simple.line4, simple.line5] if simple else []
    while lines and not lines[-1]:
        lines.pop()
    return contract.CourtAddress(
        structured=shared.address(record.structured), simple=contract.SimpleAddress(lines=lines) if simple else None
    )


def _offence(record: spi.CourtOffence) -> contract.ResultedOffence:
    return contract.ResultedOffence(
        details=shared.offence(record.base),
        initiated_date=shared.day(record.initiated),
        plea=PLEA.value(record.plea),
        mode_of_trial=record.mode_of_trial,
        final_disposal=record.final_disposal == "Y",
        conviction_date=shared.day(record.convicted),
        convicting_court=record.convicting_court,
        finding=FINDING.value(record.finding),
        results=[_ordered(one) for one in record.results],
    )


def _ordered(record: spi.Result) -> contract.CourtResult:
    outcome = record.outcome or spi.Outcome()
    duration = outcome.duration or spi.Duration()
    secondary = zip_longest(duration.secondary_values, duration.secondary_units)
    return contract.CourtResult(
        code=record.code,
        text=record.text,
        qualifiers=record.qualifiers,
        next_hearing=_next(record.next_hearing) if record.next_hearing else None,
        penalty_points=outcome.penalty_points,
        amount_pence=outcome.pence,
        duration=_duration(duration.value, duration.unit) if duration.value is not None or duration.unit else None,
        secondary_durations=[_duration(value, unit or "") for value, unit in secondary],
        start_date=shared.day(duration.start),
        end_date=shared.day(duration.end),
    )


def _duration(value: int | None, unit: str) -> contract.CourtDuration:
    return contract.CourtDuration(value=value or 0, unit=UNIT.value(unit))


def _next(record: spi.NextHearing) -> contract.NextHearing:
    return contract.NextHearing(hearing=shared.hearing(record.hearing), reason=record.reason, bail_status=REMAND.value(record.bail_status))
