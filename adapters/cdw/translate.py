"""Between the contracts and the warehouse's rows: codes, dates, and what has to be said about a value that cannot be taken as it came."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from adapters.cdw.records import Disposal, Issue, Load, Offence, Review, Version
from adapters.kit import Fault, Reason
from metip.cdw.v1.warehouse_service_pb2 import GetLoadRequest, GetLoadResponse
from metip.common.v1 import pole_pb2 as pole
from metip.common.v1.answer_pb2 import Provenance
from metip.custody.v1 import custody_record_pb2 as custody
from metip.custody.v1.custody_record_service_pb2 import PublishCustodyRecordRequest
from metip.identifiers import parse_arrest_summons_number, parse_custody_number

SYSTEM = "CDW"
LONDON = ZoneInfo("Europe/London")
STATUS: Mapping[int, str] = {
    custody.RECORD_STATUS_OPENED: "O",
    custody.RECORD_STATUS_UPDATED: "U",
    custody.RECORD_STATUS_CLOSED: "C",
}
SEX: Mapping[int, str] = {pole.SEX_MALE: "M", pole.SEX_FEMALE: "F", pole.SEX_NOT_SPECIFIED: "N"}
AUTHORITY: Mapping[int, str] = {
    custody.DETENTION_AUTHORITY_CUSTODY_OFFICER: "CUS",
    custody.DETENTION_AUTHORITY_SUPERINTENDENT: "SUP",
    custody.DETENTION_AUTHORITY_MAGISTRATES: "MAG",
}
METHOD: Mapping[int, str] = {
    custody.REVIEW_METHOD_IN_PERSON: "P",
    custody.REVIEW_METHOD_TELEPHONE: "T",
    custody.REVIEW_METHOD_VIDEO: "V",
}
DISPOSAL: Mapping[int, str] = {
    custody.DISPOSAL_KIND_CHARGED: "CHG",
    custody.DISPOSAL_KIND_CAUTIONED: "CAU",
    custody.DISPOSAL_KIND_BAILED_BEFORE_CHARGE: "BBC",
    custody.DISPOSAL_KIND_RELEASED_UNDER_INVESTIGATION: "RUI",
    custody.DISPOSAL_KIND_NO_FURTHER_ACTION: "NFA",
}
RELEASE: Mapping[int, str] = {
    custody.RELEASE_KIND_UNCONDITIONAL: "UN",
    custody.RELEASE_KIND_ON_BAIL: "BA",
    custody.RELEASE_KIND_TO_COURT: "CO",
    custody.RELEASE_KIND_TRANSFERRED: "TR",
}


def version(request: PublishCustodyRecordRequest, message_id: str = "") -> Version:
    """The row of one version of a custody record. Aliases, addresses and warning signals are left out: the dataset has no use for them."""
    record = request.record
    person, clock, release = record.detained_person, record.clock, record.release
    born = person.date_of_birth
    recorded_at = _instant(record.recorded_at)
    return Version(
        # Two spellings of one number would be two records.
        custody_number=parse_custody_number(request.custody_record_number.value).canonical,
        version=request.version,
        message_id=message_id,
        business_date=recorded_at.astimezone(LONDON).date(),
        status=STATUS[record.status],
        recorded_at=recorded_at,
        suite=record.suite,
        suite_name=record.suite_name,
        arrived_at=_instant(record.arrived_at),
        arrested_at=_instant(record.arrest.arrested_at),
        arrest_place=record.arrest.place,
        arresting_officer=record.arrest.officer,
        family_name=person.name.family_name,
        given_names=" ".join(person.name.given_names),
        birth_year=born.year or None,
        birth_month=born.month or None,
        birth_day=born.day or None,
        sex=SEX.get(person.sex, ""),
        observed_ethnicity=person.observed_ethnicity if 0 < person.observed_ethnicity <= 9 else None,
        self_defined_ethnicity=person.self_defined_ethnicity,
        pnc_id=person.pnc_id.value,
        cro_number=person.cro_number.value,
        arrest_summons_number=record.arrest_summons_number.value,
        relevant_time=_moment(clock.relevant_time, clock.HasField("relevant_time")),
        authorised_at=_moment(clock.authorised_at, clock.HasField("authorised_at")),
        expires_at=_moment(clock.expires_at, clock.HasField("expires_at")),
        authority=AUTHORITY.get(clock.authority, ""),
        risk=record.risk or None,
        released_at=_moment(release.released_at, release.HasField("released_at")),
        release_kind=RELEASE.get(release.kind, ""),
        footwear_taken=record.footwear.taken if _tells_of_footwear(record) else None,
        offences=tuple(
            Offence(number=one.number, cjs_code=one.cjs_offence_code, recordable=one.recordable) for one in record.arrest.offences
        ),
        disposals=tuple(_disposal(one) for one in record.disposals),
        reviews=tuple(_review(one) for one in record.reviews),
        issues=tuple(_issues(record)),
    )


def day(request: GetLoadRequest) -> date:
    """The day that is asked for."""
    return date(request.business_date.year, request.business_date.month, request.business_date.day)


def load(found: Load) -> GetLoadResponse:
    """The answer about one day."""
    as_of = Timestamp()
    as_of.FromDatetime(found.as_at)
    return GetLoadResponse(
        records=found.records,
        versions=found.versions,
        sha256=found.sha256,
        issues=found.issues,
        provenance=Provenance(system=SYSTEM, as_of=as_of),
    )


def _disposal(said: custody.OffenceDisposal) -> Disposal:
    return Disposal(
        offence_number=said.offence_number,
        cjs_code=said.cjs_offence_code,
        kind=DISPOSAL[said.kind],
        decided_at=_instant(said.decided_at),
    )


def _review(said: custody.DetentionReview) -> Review:
    return Review(
        due_at=_instant(said.due_at),
        done_at=_moment(said.done_at, said.HasField("done_at")),
        officer=said.officer,
        method=METHOD.get(said.method, ""),
    )


def _issues(record: custody.CustodyRecord) -> Iterator[Issue]:
    """What the dataset takes, but not as it came, or not without a remark."""
    person, asn = record.detained_person, record.arrest_summons_number
    for column, identifier in (("pnc_id", person.pnc_id), ("cro_number", person.cro_number), ("arrest_summons_number", asn)):
        if not identifier.value and identifier.as_received:
            yield Issue(column, "IDENTIFIER_UNREADABLE")
    if asn.value and not parse_arrest_summons_number(asn.value).canonical:
        yield Issue("arrest_summons_number", "CHECK_LETTER_WRONG")
    if person.observed_ethnicity not in range(10):
        yield Issue("observed_ethnicity", "CODE_UNKNOWN")
    if _instant(record.arrest.arrested_at) > _instant(record.arrived_at):
        yield Issue("arrived_at", "BEFORE_ARREST")
    if record.HasField("release") and _instant(record.release.released_at) < _instant(record.arrived_at):
        yield Issue("released_at", "BEFORE_ARRIVAL")
    numbers = {one.number for one in record.arrest.offences}
    if any(one.offence_number not in numbers for one in record.disposals):
        yield Issue("disposals", "OFFENCE_UNKNOWN")


def _instant(stamp: Timestamp) -> datetime:
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Fault(Reason.INVALID_REQUEST, "an instant lies outside the calendar") from None


def _moment(stamp: Timestamp, there: bool) -> datetime | None:
    return _instant(stamp) if there else None


def _tells_of_footwear(record: custody.CustodyRecord) -> bool:
    """By the field's number, since its name is another system's too."""
    return any(field.number == custody.CustodyRecord.FOOTWEAR_FIELD_NUMBER for field, _ in record.ListFields())
