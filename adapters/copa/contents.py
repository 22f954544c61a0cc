"""The parts of a case file both ways: the contract's messages and COPA's records. Pure."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from adapters.copa import records
from adapters.copa.records import UNKNOWN_DAY, Day
from adapters.copa.vocabulary import SEX, STATUS
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CrimeReportNumber, PncId, PtiUrn
from metip.common.v1.pole_pb2 import PersonName
from metip.common.v1.time_pb2 import CivilDate, DateRange, LocalTime
from metip.copa.v1 import case_file_pb2 as contract
from metip.identifiers import Parsed, parse_arrest_summons_number, parse_cris_crime_reference, parse_pnc_id, parse_pti_urn


def timestamp(at: datetime | None) -> Timestamp | None:
    """An aware instant as a message; None when there is none."""
    if at is None:
        return None
    message = Timestamp()
    message.FromDatetime(at)
    return message


def day(message: CivilDate) -> Day:
    """A date as COPA keeps it."""
    return message.year, message.month, message.day


def date(record: Day) -> CivilDate | None:
    """The other way; None when nothing of it is known."""
    return CivilDate(year=record[0], month=record[1], day=record[2]) if record != UNKNOWN_DAY else None


def case_file(record: records.Case) -> contract.CaseFile:
    """A case file."""
    return contract.CaseFile(
        pti_urn=PtiUrn(**_identifier(parse_pti_urn(record.urn))),
        version=record.version,
        status=STATUS.value(record.status),
        officer_in_case=record.officer,
        unit=record.unit,
        crime_report_number=CrimeReportNumber(**_identifier(parse_cris_crime_reference(record.crime))) if record.crime else None,
        defendants=[defendant(one) for one in record.defendants],
        hearings=[hearing(one) for one in record.hearings],
        results=[result(one) for one in record.results],
        opened=timestamp(record.opened),
    )


def defendant(record: records.Defendant) -> contract.Defendant:
    """Somebody who is prosecuted."""
    return contract.Defendant(
        arrest_summons_number=_asn(record.asn),
        name=PersonName(title=record.title, given_names=record.forenames, family_name=record.surname),
        date_of_birth=date(record.born),
        sex=SEX.value(record.sex),
        pnc_id=PncId(**_identifier(parse_pnc_id(record.pnc_id))) if record.pnc_id else None,
        charges=[_charge(one) for one in record.charges],
    )


def defendant_record(message: contract.Defendant) -> records.Defendant:
    """The other way."""
    return records.Defendant(
        asn=message.arrest_summons_number.value,
        surname=message.name.family_name,
        forenames=tuple(message.name.given_names),
        title=message.name.title,
        born=day(message.date_of_birth),
        sex=SEX.code(message.sex),
        pnc_id=message.pnc_id.value,
        charges=tuple(_charge_record(one) for one in message.charges),
    )


def hearing(record: records.Hearing) -> contract.Hearing:
    """A hearing that is fixed."""
    hour, colon, minute = record.time.partition(":")
    known = bool(colon) and (hour + minute).isdecimal()
    return contract.Hearing(
        court_code=record.court,
        date=date(record.day),
        time=LocalTime(hour=int(hour), minute=int(minute)) if known else None,
        purpose=record.purpose,
    )


def hearing_record(message: contract.Hearing) -> records.Hearing:
    """The other way."""
    time = f"{message.time.hour:02d}:{message.time.minute:02d}" if message.HasField("time") else ""
    return records.Hearing(court=message.court_code, day=day(message.date), time=time, purpose=message.purpose)


def result(record: records.Result) -> contract.FiledResult:
    """What a court decided, as it was filed."""
    return contract.FiledResult(
        result_key=record.key,
        arrest_summons_number=_asn(record.asn),
        court_code=record.court,
        heard=date(record.heard),
        filed=timestamp(record.filed),
        offences=[
            contract.DecidedOffence(
                sequence=decision.sequence,
                cjs_offence_code=decision.code,
                plea=decision.plea,
                verdict=decision.verdict,
                disposals=[contract.FiledDisposal(code=one.code, text=one.text) for one in decision.disposals],
            )
            for decision in record.decisions
        ],
    )


def _charge(record: records.Charge) -> contract.Charge:
    committed = DateRange(to=date(record.last_day), **{"from": date(record.first_day)})
    return contract.Charge(
        sequence=record.sequence,
        cjs_offence_code=record.code,
        title=record.title,
        committed=committed if committed.ByteSize() else None,
    )


def _charge_record(message: contract.Charge) -> records.Charge:
    return records.Charge(
        sequence=message.sequence,
        code=message.cjs_offence_code,
        title=message.title,
        first_day=day(getattr(message.committed, "from")),
        last_day=day(message.committed.to),
    )


def _asn(received: str) -> ArrestSummonsNumber:
    return ArrestSummonsNumber(**_identifier(parse_arrest_summons_number(received)))


def _identifier(parsed: Parsed) -> dict[str, str]:
    """Canonical, and what was received where that is something else."""
    return {"value": parsed.canonical, "as_received": "" if parsed.canonical == parsed.raw else parsed.raw}
