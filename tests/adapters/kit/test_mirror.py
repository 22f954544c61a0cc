"""Records that are built like messages: both ways, for every kind of field."""

import dataclasses
from datetime import UTC, datetime
from typing import Annotated, Any, get_args, get_type_hints

import pytest

from adapters.kit.documents import Record
from adapters.kit.mirror import VALUES, Decimal, Mirror, Mirrored, record_type
from metip.common.v1.pole_pb2 import Person, PersonName, Sex, Vehicle
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED, Receipt
from metip.faults import Fault, Reason

AT = datetime(2026, 11, 23, 8, 14, 5, tzinfo=UTC)
MIRROR = Mirror({"metip.common.v1.Sex": {1: "M", 2: "F"}})
Named = record_type(PersonName)


def person() -> Person:
    """A message with something of most kinds."""
    found = Person(name=PersonName(given_names=["A", "B"], family_name="C"), sex=Sex.SEX_FEMALE, height_cm=170)
    found.pnc_id.value = "2002/0073319Z"
    found.aliases.add(family_name="D")
    found.date_of_birth.year = 1990
    return found


def test_a_message_becomes_a_record_built_like_it_and_comes_back() -> None:
    record = MIRROR.alike(person())
    assert (record.sex, record.height_cm, record.pnc_id) == ("F", 170, "2002/0073319Z")
    assert (record.name.given_names, record.aliases) == (("A", "B"), (Named(family_name="D"),))
    assert MIRROR.message(record, Person) == person()


def test_what_is_not_set_is_not_there() -> None:
    record = MIRROR.alike(Person())
    assert (record.name, record.date_of_birth, record.pnc_id, record.aliases, record.sex) == (None, None, "", (), "")
    assert MIRROR.message(record, Person) == Person()


def test_a_record_shows_nothing_of_itself() -> None:
    assert repr(MIRROR.alike(person())) == "Person(...)"


def test_codes_are_names_unless_a_table_says_otherwise() -> None:
    assert MIRROR.alike(Receipt(progress=PROGRESS_PROCESSED)).progress == "PROCESSED"
    assert MIRROR.message(record_type(Receipt)(progress="PROCESSED"), Receipt).progress == PROGRESS_PROCESSED


@pytest.mark.parametrize("code", ["X", "UNSPECIFIED", "NOT_SPECIFIED", "m"])
def test_a_code_of_no_table_is_0(code: str) -> None:
    assert MIRROR.message(record_type(Person)(sex=code), Person).sex == 0


def test_a_number_that_no_value_has_is_no_code() -> None:
    message = Person()
    message.sex = 77  # type: ignore[assignment]  # an enum of proto3 is open
    assert MIRROR.alike(message).sex == ""


def test_an_identifier_that_does_not_parse_is_kept_as_it_came() -> None:
    found = MIRROR.message(record_type(Vehicle)(vrm="not a mark!"), Vehicle)
    assert (found.vrm.value, found.vrm.as_received) == ("", "not a mark!")


def test_an_instant_comes_back_to_the_second() -> None:
    message = Receipt()
    message.accepted.FromDatetime(AT.replace(microsecond=250_000))
    assert MIRROR.alike(message).accepted == AT


def test_an_instant_outside_the_calendar_is_refused() -> None:
    message = Receipt()
    message.accepted.seconds = 10**15
    with pytest.raises(Fault) as told:
        MIRROR.alike(message)
    assert told.value.reason is Reason.INVALID_REQUEST


def test_what_is_given_beside_the_record_stands() -> None:
    record = record_type(PersonName)(family_name="A", title="B")
    assert MIRROR.message(record, PersonName, family_name="C") == PersonName(family_name="C", title="B")


def test_a_number_that_is_too_large_is_an_error_without_it() -> None:
    with pytest.raises(ValueError) as told:
        MIRROR.message(record_type(Person)(height_cm=10**11), Person)
    assert isinstance(told.value, ValueError)


class Letter(Mirrored):
    """A record with messages in it."""

    title: str
    one: Annotated[Any, PersonName] = None
    many: Annotated[Any, PersonName] = ()


class Note(Record):
    """A record of its own."""

    title: str
    more: str = ""


def test_a_field_is_built_like_the_message_that_it_names() -> None:
    hints = get_type_hints(Letter)
    assert get_args(hints["one"]) == (Named, type(None))
    assert get_args(hints["many"]) == (Named, ...)
    assert (Letter(title="x").one, Letter(title="x").many) == (None, ())


def test_a_record_takes_from_a_message_what_both_have() -> None:
    assert MIRROR.record(PersonName(title="x", family_name="y"), Note, more="z") == Note(title="x", more="z")


def test_records_are_frozen_and_equal_by_what_they_hold() -> None:
    note = Note(title="x")
    assert note == Note(title="x") != Note(title="y")
    with pytest.raises(dataclasses.FrozenInstanceError):
        note.title = "y"  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (int, "0", 0),
        (int, "999999999999", 999_999_999_999),
        (Decimal, "-0.000001", Decimal("-0.000001")),
        (datetime, "2026-11-23T09:14:05+01:00", AT),
    ],
)
def test_values_are_read(kind: type, written: str, value: object) -> None:
    assert VALUES[kind].read(written) == value


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (int, "-1"),
        (int, "1" * 13),
        (int, "\u0661"),
        (int, ""),
        (Decimal, "1e5"),
        (Decimal, "nan"),
        (datetime, "2026-11-23T09:14:05"),
        (datetime, "now"),
    ],
)
def test_what_is_no_value_is_refused(kind: type, written: str) -> None:
    with pytest.raises(ValueError):
        VALUES[kind].read(written)
