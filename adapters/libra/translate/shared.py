"""What cases and results share, in both directions: people, addresses, hearings, offences, identifiers. Pure.

A missing part of a record becomes an unset field and the other way round, so that nothing is invented on either side.
"""

import re
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from adapters.libra import records
from adapters.libra.vocabulary import DATE_CODE
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CroNumber, PncId, PtiUrn, Vrm
from metip.common.v1.pole_pb2 import PersonName, Sex
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.identifiers import parse_arrest_summons_number, parse_cro, parse_pnc_id, parse_pti_urn, parse_vrm, plain_pnc_id
from metip.libra.v1 import court_pb2 as contract

LONDON: Final = ZoneInfo("Europe/London")
SEXES: Final = {"0": Sex.SEX_UNSPECIFIED, "1": Sex.SEX_MALE, "2": Sex.SEX_FEMALE, "9": Sex.SEX_NOT_SPECIFIED}
GENDERS: Final = {sex: code for code, sex in SEXES.items()}
OBJECT: Final = re.compile(r"([0-9 ]{4})([A-Z ])(?:([0-9 ]{4})([A-Z ])(.*))?", re.DOTALL)
"""An addressable object as BS7666 packs it into one text."""


def asn(raw: str) -> ArrestSummonsNumber:
    """An arrest/summons number, or another reference as it was received."""
    canonical = parse_arrest_summons_number(raw).canonical
    return ArrestSummonsNumber(value=canonical, as_received="" if canonical == raw else raw)


def pti_urn(raw: str) -> PtiUrn:
    """A case number."""
    canonical = parse_pti_urn(raw).canonical
    return PtiUrn(value=canonical, as_received="" if canonical == raw else raw)


def pnc_id(raw: str) -> PncId | None:
    """A PNC id, which the courts write without its slash."""
    if not raw:
        return None
    canonical = parse_pnc_id(raw).canonical
    return PncId(value=canonical, as_received="" if canonical and plain_pnc_id(canonical) == raw else raw)


def cro(raw: str) -> CroNumber | None:
    """A CRO number. The contract has no canonical form for that of the old small file, so such a one stays as received."""
    if not raw:
        return None
    canonical = parse_cro(raw).canonical
    canonical = "" if canonical.startswith("SF") else canonical
    return CroNumber(value=canonical, as_received="" if canonical == raw else raw)


def vrm(raw: str) -> Vrm | None:
    """A registration mark."""
    if not raw:
        return None
    canonical = parse_vrm(raw).canonical
    return Vrm(value=canonical, as_received="" if canonical == raw else raw)


def raw_of(identifier: Any) -> str:
    """An identifier as the courts write it: its canonical form, or what was received where it has none."""
    value = str(identifier.value or identifier.as_received)
    return plain_pnc_id(value) if isinstance(identifier, PncId) and identifier.value else value


def day(value: date | None) -> CivilDate | None:
    """A day."""
    return CivilDate(year=value.year, month=value.month, day=value.day) if value else None


def day_of(message: Any, name: str) -> date | None:
    """The day in a field; None where it is unset or partial. Raises `ValueError` for one that no calendar has."""
    value: CivilDate = getattr(message, name)
    return date(value.year, value.month, value.day) if value.year and value.month and value.day else None


def moment(on: date | None, at: time | None) -> tuple[CivilDate | None, LocalTime | None]:
    """Day and time on the clock of Europe/London; a time that names a zone is moved there, and the day with it."""
    if on and at and at.tzinfo:
        moved = datetime.combine(on, at).astimezone(LONDON)
        on, at = moved.date(), moved.time()
    return day(on), LocalTime(hour=at.hour, minute=at.minute) if at else None


def time_of(message: Any, name: str) -> time | None:
    """The time in a field; None where it is unset."""
    return time(getattr(message, name).hour, getattr(message, name).minute) if message.HasField(name) else None


def hearing(record: records.Hearing | None) -> contract.Hearing | None:
    """A sitting."""
    if record is None:
        return None
    on, at = moment(record.day, record.at)
    return contract.Hearing(court=record.court, date=on, time=at)


def hearing_record(message: contract.Hearing) -> records.Hearing:
    """A sitting."""
    return records.Hearing(court=message.court, day=day_of(message, "date"), at=time_of(message, "time"))


def name(record: records.Name | None) -> PersonName | None:
    """A name; given names keep their places."""
    if record is None:
        return None
    given = [record.first, record.second, record.third]
    while given and not given[-1]:
        given.pop()
    return PersonName(title=record.title, given_names=given, family_name=record.family)


def name_record(message: PersonName) -> records.Name:
    """A name."""
    first, second, third = (*message.given_names, "", "", "")[:3]
    return records.Name(title=message.title, first=first, second=second, third=third, family=message.family_name)


def contact(telephones: records.Telephones | None, emails: records.Emails | None) -> contract.Contact | None:
    """How to reach somebody."""
    if telephones is None and emails is None:
        return None
    numbers, addresses = telephones or records.Telephones(), emails or records.Emails()
    return contract.Contact(
        business_telephone=numbers.business,
        home_telephone=numbers.home,
        mobile_telephone=numbers.mobile,
        emails=[one for one in (addresses.first, addresses.second) if one],
    )


def telephones_record(message: contract.Contact) -> records.Telephones | None:
    """Telephone numbers; None where there are none."""
    found = records.Telephones(business=message.business_telephone, home=message.home_telephone, mobile=message.mobile_telephone)
    return found if found != records.Telephones() else None


def emails_record(message: contract.Contact) -> records.Emails | None:
    """E-mail addresses; None where there are none."""
    first, second = (*message.emails, "", "")[:2]
    return records.Emails(first=first, second=second) if first else None


def sex(code: str) -> Any:
    """A sex; None where the record does not say."""
    return SEXES.get(code)


def gender(message: Any) -> str:
    """A sex as the courts write it; '' where the message does not say."""
    return GENDERS[message.sex] if message.HasField("sex") else ""


def person(record: records.Person | None) -> contract.PersonDetails | None:
    """A person."""
    if record is None:
        return None
    return contract.PersonDetails(
        name=name(record.name), contact=contact(record.telephones, record.emails), date_of_birth=day(record.born), sex=sex(record.gender)
    )


def person_record(message: contract.PersonDetails) -> records.Person:
    """A person."""
    return records.Person(
        name=name_record(message.name) if message.HasField("name") else None,
        telephones=telephones_record(message.contact),
        emails=emails_record(message.contact),
        born=day_of(message, "date_of_birth"),
        gender=gender(message),
    )


def address(record: records.Address | None) -> contract.StructuredAddress | None:
    """An address in parts."""
    if record is None:
        return None
    return contract.StructuredAddress(
        secondary=_object(record.secondary),
        primary=_object(record.primary),
        street=record.street,
        usrn=record.usrn or 0,
        locality=record.locality,
        town=record.town,
        administrative_area=record.area,
        post_town=record.post_town,
        postcode=record.postcode,
        uprn=record.uprn or 0,
    )


def address_record(message: contract.StructuredAddress) -> records.Address:
    """An address in parts."""
    return records.Address(
        secondary=_packed(message.secondary) if message.HasField("secondary") else "",
        primary=_packed(message.primary) if message.HasField("primary") else "",
        street=message.street,
        usrn=message.usrn or None,
        locality=message.locality,
        town=message.town,
        area=message.administrative_area,
        post_town=message.post_town,
        postcode=message.postcode,
        uprn=message.uprn or None,
    )


def _object(packed: str) -> contract.AddressableObject | None:
    """What is packed into one text; one that is packed in no known way is a name."""
    if not packed.strip():
        return None
    found = OBJECT.fullmatch(packed)
    parts = [(part or "").strip() for part in found.groups()] if found else []
    if not found or any(" " in parts[index] for index in (0, 2)):
        return contract.AddressableObject(name=packed.strip())
    return contract.AddressableObject(start_number=parts[0], start_suffix=parts[1], end_number=parts[2], end_suffix=parts[3], name=parts[4])


def _packed(message: contract.AddressableObject) -> str:
    start = f"{message.start_number:>4}{message.start_suffix:1}"
    rest = f"{message.end_number:>4}{message.end_suffix:1}{message.name}"
    return start + rest if rest.strip() else start


def offence(record: records.Offence | None) -> contract.OffenceDetails | None:
    """An offence as charged."""
    if record is None:
        return None
    timing = record.timing or records.OffenceTiming()
    start, end = timing.start or records.OffenceStart(), timing.end or records.OffenceEnd()
    start_date, start_time = moment(start.day, start.at)
    end_date, end_time = moment(end.day, end.at)
    return contract.OffenceDetails(
        sequence_number=record.number or 0,
        offence_code=record.code,
        wording=record.wording,
        date_code=DATE_CODE.value(timing.code),
        start_date=start_date,
        start_time=start_time,
        end_date=end_date,
        end_time=end_time,
        charge_date=day(record.charged),
        arrest_date=day(record.arrested),
        location=record.location,
        alcohol=contract.AlcoholLevel(amount=record.alcohol.amount or 0, method=record.alcohol.method) if record.alcohol else None,
        vehicle=_vehicle(record.vehicle) if record.vehicle else None,
    )


def _vehicle(record: records.OffenceVehicle) -> contract.OffenceVehicle:
    return contract.OffenceVehicle(code=record.code, vrm=vrm(record.vrm))


def offence_record(message: contract.OffenceDetails) -> records.Offence:
    """An offence as charged."""
    start = records.OffenceStart(day=day_of(message, "start_date"), at=time_of(message, "start_time"))
    end = records.OffenceEnd(day=day_of(message, "end_date"), at=time_of(message, "end_time"))
    return records.Offence(
        number=message.sequence_number,
        code=message.offence_code,
        wording=message.wording,
        timing=records.OffenceTiming(code=DATE_CODE.code(message.date_code), start=start, end=end if end != records.OffenceEnd() else None),
        charged=day_of(message, "charge_date"),
        arrested=day_of(message, "arrest_date"),
        location=message.location,
        alcohol=records.Alcohol(amount=message.alcohol.amount, method=message.alcohol.method) if message.HasField("alcohol") else None,
        vehicle=records.OffenceVehicle(code=message.vehicle.code, vrm=raw_of(message.vehicle.vrm)) if message.HasField("vehicle") else None,
    )


def kept(asides: tuple[records.Aside, ...]) -> list[contract.KeptAside]:
    """What no field has a place for."""
    return [contract.KeptAside(path=one.path, xml=one.xml) for one in asides]
