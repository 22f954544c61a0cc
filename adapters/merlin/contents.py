"""The parts of a report both ways: the contract's messages and Merlin's records. Pure."""

from datetime import UTC, datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from adapters.merlin import records
from adapters.merlin.people import person, person_record
from adapters.merlin.vocabulary import BASIS, CONCERN, PARTNER, RISK, ROLE, VULNERABILITY
from metip.merlin.v1 import report_pb2 as contract


def timestamp(at: datetime | None) -> Timestamp | None:
    """An aware instant as a message; None when there is none."""
    if at is None:
        return None
    message = Timestamp()
    message.FromDatetime(at)
    return message


def instant(message: Message, field: str) -> datetime | None:
    """The instant in a field, cut to the minute as Merlin keeps it (so nanoseconds, even impossible ones, fall away); None when unset."""
    if not message.HasField(field):
        return None
    seconds: int = getattr(message, field).seconds
    return datetime.fromtimestamp(seconds // 60 * 60, UTC)


def missing(record: records.Missing) -> contract.MissingPerson:
    """What belongs to a missing episode."""
    return contract.MissingPerson(
        last_seen=timestamp(record.seen),
        last_seen_place=record.place,
        clothing=record.clothing,
        circumstances=record.circumstances,
        medication=record.medication,
        vulnerabilities=VULNERABILITY.values(record.vulnerabilities),
        care_setting=record.care_setting,
    )


def missing_record(message: contract.MissingPerson) -> records.Missing:
    """The other way."""
    return records.Missing(
        seen=instant(message, "last_seen"),
        vulnerabilities=VULNERABILITY.codes(message.vulnerabilities),
        place=message.last_seen_place,
        clothing=message.clothing,
        circumstances=message.circumstances,
        medication=message.medication,
        care_setting=message.care_setting,
    )


def child(record: records.Child) -> contract.ChildNotice:
    """What belongs to a child who came to notice."""
    return contract.ChildNotice(
        circumstances=record.circumstances,
        concerns=CONCERN.values(record.concerns),
        childs_voice=record.voice,
        school=record.school,
        general_practitioner=record.practitioner,
    )


def child_record(message: contract.ChildNotice) -> records.Child:
    """The other way."""
    return records.Child(
        concerns=CONCERN.codes(message.concerns),
        circumstances=message.circumstances,
        voice=message.childs_voice,
        school=message.school,
        practitioner=message.general_practitioner,
    )


def adult(record: records.Adult) -> contract.AdultNotice:
    """What belongs to an adult who came to notice."""
    return contract.AdultNotice(
        circumstances=record.circumstances,
        vulnerabilities=VULNERABILITY.values(record.vulnerabilities),
        wishes=record.wishes,
    )


def adult_record(message: contract.AdultNotice) -> records.Adult:
    """The other way."""
    return records.Adult(
        vulnerabilities=VULNERABILITY.codes(message.vulnerabilities),
        circumstances=message.circumstances,
        wishes=message.wishes,
    )


def linked(record: records.Linked) -> contract.LinkedPerson:
    """Somebody else in a report."""
    return contract.LinkedPerson(person=person(record.person), role=ROLE.value(record.role))


def linked_record(message: contract.LinkedPerson) -> records.Linked:
    """The other way."""
    return records.Linked(role=ROLE.code(message.role), person=person_record(message.person))


def assessment(record: records.Assessment) -> contract.RiskAssessment:
    """A risk, and why."""
    return contract.RiskAssessment(
        level=RISK.value(record.level),
        rationale=record.rationale,
        supervisor=record.supervisor,
        assessed=timestamp(record.at),
    )


def assessment_record(message: contract.RiskAssessment) -> records.Assessment:
    """The other way, without the instant: that is Merlin's to give."""
    return records.Assessment(level=RISK.code(message.level), supervisor=message.supervisor.strip(), rationale=message.rationale)


def sharing(record: records.Sharing) -> contract.Sharing:
    """What is shared with partners."""
    return contract.Sharing(partners=PARTNER.values(record.partners), basis=BASIS.value(record.basis), consent_given=record.consent)


def sharing_record(message: contract.Sharing) -> records.Sharing:
    """The other way."""
    return records.Sharing(partners=PARTNER.codes(message.partners), basis=BASIS.code(message.basis), consent=message.consent_given)


def located(record: records.Located) -> contract.Locating:
    """How the person was found."""
    return contract.Locating(found=timestamp(record.found), place=record.place, found_by=record.found_by)


def located_record(message: contract.Locating) -> records.Located:
    """The other way."""
    return records.Located(found=instant(message, "found"), place=message.place, found_by=message.found_by)


def debriefed(record: records.Debriefed) -> contract.Debriefing:
    """What the person said."""
    return contract.Debriefing(account=record.account, return_interview_offered=record.interview_offered)


def debriefed_record(message: contract.Debriefing) -> records.Debriefed:
    """The other way."""
    return records.Debriefed(interview_offered=message.return_interview_offered, account=message.account)
