"""People both ways: the shared contract's `Person` and Merlin's record of one. Pure."""

from collections.abc import Callable
from typing import Any

from adapters.merlin import records
from adapters.merlin.layout import Day
from adapters.merlin.vocabulary import SEX
from metip.common.v1 import identifiers_pb2, pole_pb2, time_pb2
from metip.identifiers import Parsed, parse_cro, parse_pnc_id

IN_PARTS, IN_LINES = "BSA", "LIN"


def person(record: records.Person) -> pole_pb2.Person:
    """The person that a record describes. An identifier that does not parse is kept as received, never repaired."""
    return pole_pb2.Person(
        name=_name(record.name),
        date_of_birth=civil_date(record.born),
        sex=SEX.value(record.sex),
        observed_ethnicity=record.seen_ethnicity,
        self_defined_ethnicity=record.own_ethnicity,
        height_cm=record.height,
        pnc_id=_identifier(identifiers_pb2.PncId, parse_pnc_id, record.pnc_id),
        cro_number=_identifier(identifiers_pb2.CroNumber, parse_cro, record.cro_number),
        aliases=[_name(alias) for alias in record.aliases],
        addresses=[_address(address) for address in record.addresses],
        warning_signals=[pole_pb2.WarningSignal(code=signal.code, text=signal.text) for signal in record.signals],
    )


def person_record(message: pole_pb2.Person) -> records.Person:
    """The record of a person that a message describes."""
    return records.Person(
        sex=SEX.code(message.sex),
        born=day(message.date_of_birth),
        seen_ethnicity=message.observed_ethnicity,
        own_ethnicity=message.self_defined_ethnicity,
        height=message.height_cm,
        pnc_id=message.pnc_id.value or message.pnc_id.as_received,
        cro_number=message.cro_number.value or message.cro_number.as_received,
        name=_name_record(message.name),
        aliases=tuple(_name_record(alias) for alias in message.aliases),
        addresses=tuple(_address_record(address) for address in message.addresses),
        signals=tuple(records.Signal(code=signal.code, text=signal.text) for signal in message.warning_signals),
    )


def civil_date(value: Day) -> time_pb2.CivilDate | None:
    """A day whose parts may be unknown; None when all are."""
    return time_pb2.CivilDate(year=value[0], month=value[1], day=value[2]) if any(value) else None


def day(message: time_pb2.CivilDate) -> Day:
    """The parts of a day, 0 for unknown."""
    return message.year, message.month, message.day


def _name(record: records.Name) -> pole_pb2.PersonName:
    given = [name for name in (record.first, record.second, record.third) if name]
    return pole_pb2.PersonName(title=record.title, given_names=given, family_name=record.surname)


def _name_record(message: pole_pb2.PersonName) -> records.Name:
    first, second, third = [*message.given_names, "", "", ""][:3]
    return records.Name(title=message.title, first=first, second=second, third=third, surname=message.family_name)


def _address(record: records.Address) -> pole_pb2.Address:
    address = pole_pb2.Address(postcode=record.postcode)
    if record.form == IN_PARTS:
        address.bs7666.CopyFrom(
            pole_pb2.Bs7666Address(
                secondary=record.secondary,
                primary=record.primary,
                street=record.street,
                locality=record.locality,
                town=record.town,
                uprn=record.uprn,
            )
        )
    elif record.form == IN_LINES:
        address.lines.CopyFrom(pole_pb2.AddressLines(line=record.lines))
    return address


def _address_record(message: pole_pb2.Address) -> records.Address:
    inside = message.bs7666
    return records.Address(
        form={"bs7666": IN_PARTS, "lines": IN_LINES}.get(message.WhichOneof("form") or "", ""),
        secondary=inside.secondary,
        primary=inside.primary,
        street=inside.street,
        locality=inside.locality,
        town=inside.town,
        uprn=inside.uprn,
        postcode=message.postcode,
        lines=tuple(message.lines.line),
    )


def _identifier(kind: type[Any], parse: Callable[[str], Parsed], received: str) -> Any:
    """An identifier message: canonical when it parses, and as received when that differs; None when there is none."""
    if not received:
        return None
    canonical = parse(received).canonical
    return kind(value=canonical, as_received="" if canonical == received else received)
