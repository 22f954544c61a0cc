"""People, addresses and dates: the shared value types to CRIS's groups and back; pure."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from adapters.cris import records
from adapters.cris.codes import LINE, NAME, ZONE
from adapters.cris.records import Day
from adapters.cris.vocabulary import SEXES, code, member
from adapters.kit.latin import Transcript
from metip.common.v1 import pole_pb2 as pole
from metip.common.v1.identifiers_pb2 import PncId
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.identifiers import parse_pnc_id

TOWN = 30
_LONDON = ZoneInfo(ZONE)


def day(date: CivilDate) -> Day | None:
    """A date for CRIS; None when no part of it is known."""
    return Day(date.year, date.month, date.day) if date.year or date.month or date.day else None


def civil_date(held: Day | None) -> CivilDate | None:
    """A date of CRIS's; None when CRIS knows no part of it."""
    return CivilDate(year=held.year, month=held.month, day=held.day) if held and (held.year or held.month or held.day) else None


def at(clock: LocalTime) -> time:
    """A time of day for CRIS."""
    return time(clock.hour, clock.minute)


def local_time(held: time | None) -> LocalTime | None:
    """A time of day of CRIS's."""
    return None if held is None else LocalTime(hour=held.hour, minute=held.minute)


def instant(held: datetime) -> Timestamp:
    """An instant of CRIS's. In the hour that autumn repeats the earlier reading is taken, so that nothing looks fresher than it is."""
    stamp = Timestamp()
    stamp.FromDatetime(held.replace(tzinfo=_LONDON, fold=0).astimezone(UTC))
    return stamp


def person(asked: pole.Person, path: str, copy: Transcript) -> records.Person:
    """A person for CRIS."""
    return records.Person(
        title=copy.copy(f"{path}.name.title", asked.name.title, NAME),
        given_names=tuple(copy.copy(f"{path}.name.given_names", name, NAME) for name in asked.name.given_names),
        family_name=copy.copy(f"{path}.name.family_name", asked.name.family_name, NAME),
        date_of_birth=day(asked.date_of_birth),
        sex=code(SEXES, asked.sex),
        ic_code=asked.observed_ethnicity,
        sde_code=copy.copy(f"{path}.self_defined_ethnicity", asked.self_defined_ethnicity, 2),
        height_cm=asked.height_cm,
        pnc_id=asked.pnc_id.value,
        address=address(asked.addresses[0], f"{path}.addresses", copy) if asked.addresses else None,
    )


def known_person(held: records.Person) -> pole.Person:
    """A person as CRIS knows them. A PNC id that does not parse is kept as received, never guessed at."""
    number = parse_pnc_id(held.pnc_id) if held.pnc_id else None
    return pole.Person(
        name=pole.PersonName(title=held.title, given_names=held.given_names, family_name=held.family_name),
        date_of_birth=civil_date(held.date_of_birth),
        sex=member(SEXES, held.sex),
        observed_ethnicity=held.ic_code,
        self_defined_ethnicity=held.sde_code,
        height_cm=held.height_cm,
        pnc_id=PncId(value=number.canonical, as_received="" if number.canonical == held.pnc_id else held.pnc_id) if number else None,
        addresses=[known_address(held.address)] if held.address else [],
    )


def address(asked: pole.Address, path: str, copy: Transcript) -> records.Address:
    """An address for CRIS, in the form in which it came."""
    postcode = copy.copy(f"{path}.postcode", asked.postcode, 8)
    if asked.WhichOneof("form") == "lines":
        return records.Address(lines=tuple(copy.copy(f"{path}.lines", line, NAME) for line in asked.lines.line), postcode=postcode)
    parts = asked.bs7666
    return records.Address(
        secondary=copy.copy(f"{path}.bs7666.secondary", parts.secondary, LINE),
        primary=copy.copy(f"{path}.bs7666.primary", parts.primary, LINE),
        street=copy.copy(f"{path}.bs7666.street", parts.street, LINE),
        locality=copy.copy(f"{path}.bs7666.locality", parts.locality, NAME),
        town=copy.copy(f"{path}.bs7666.town", parts.town, TOWN),
        uprn=parts.uprn,
        postcode=postcode,
    )


def known_address(held: records.Address) -> pole.Address:
    """An address as CRIS has it."""
    if held.lines:
        return pole.Address(lines=pole.AddressLines(line=held.lines), postcode=held.postcode)
    parts = pole.Bs7666Address(
        secondary=held.secondary,
        primary=held.primary,
        street=held.street,
        locality=held.locality,
        town=held.town,
        uprn=held.uprn,
    )
    return pole.Address(bs7666=parts if parts.ByteSize() else None, postcode=held.postcode)
