"""Messages and records that are named alike, made of one another."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from adapters.kit.alike import message_of, values_of
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.pole_pb2 import SEX_FEMALE, SEX_UNSPECIFIED, Person, Vehicle

CODES = {"Sex": {"F": SEX_FEMALE}}


@dataclass
class Suspect:
    """A record that has some of the fields of a person."""

    sex: str = ""
    height_cm: int = 0
    pnc_id: str = ""
    cell: str = "C4"
    self_defined_ethnicity: str = ""


@dataclass
class Source:
    """A record with an instant and a flag."""

    system: str = ""
    as_of: datetime | None = None
    truncated: bool = False
    warnings: str = "a message that the record has in a way of its own"


FULL = Suspect("F", 170, "2002/0073319Z", self_defined_ethnicity="W1")


def test_a_record_becomes_a_message_and_comes_back() -> None:
    made = message_of(Person, FULL, CODES)
    assert (made.sex, made.height_cm, made.pnc_id.value, made.self_defined_ethnicity) == (SEX_FEMALE, 170, "2002/0073319Z", "W1")
    assert Suspect(**values_of(Suspect, made, CODES)) == FULL


def test_a_code_that_no_table_has_is_unspecified_and_unspecified_is_no_code() -> None:
    assert message_of(Person, Suspect("X"), CODES).sex == SEX_UNSPECIFIED
    assert values_of(Suspect, Person(), CODES)["sex"] == ""


@pytest.mark.parametrize("held", ["2002/0073319A", "rubbish"], ids=["check letter", "shape"])
def test_an_identifier_that_does_not_parse_is_never_a_value(held: str) -> None:
    made = message_of(Person, Suspect(pnc_id=held), CODES)
    assert (made.pnc_id.value, made.pnc_id.as_received) == ("", held)


def test_an_identifier_in_another_form_keeps_what_was_received() -> None:
    made = message_of(Person, Suspect(pnc_id="02/73319Z"), CODES)
    assert (made.pnc_id.value, made.pnc_id.as_received) == ("2002/0073319Z", "02/73319Z")


def test_an_empty_identifier_is_unset() -> None:
    assert not message_of(Person, Suspect(), CODES).HasField("pnc_id")


def test_an_instant_comes_back_and_a_missing_one_stays_away() -> None:
    at = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    made = message_of(Provenance, Source("X", at, truncated=True), {}, warnings=[])
    assert made.as_of.ToDatetime(UTC) == at
    assert values_of(Source, made, {}) == {"system": "X", "as_of": at, "truncated": True}
    assert values_of(Source, message_of(Provenance, Source(), {}, warnings=[]), {})["as_of"] is None


def test_what_the_caller_says_goes_before_what_the_record_has() -> None:
    assert message_of(Person, FULL, CODES, height_cm=1).height_cm == 1


def test_a_message_within_a_message_is_left_to_the_caller() -> None:
    @dataclass
    class Held:
        """A record with a field named like a message."""

        name: str = ""

    assert values_of(Held, Person(), CODES) == {}
    assert values_of(Held, Vehicle(), CODES) == {}


def test_each_text_goes_through_the_callers_hands() -> None:
    told = []

    def shout(name: str, text: str) -> str:
        told.append(name)
        return text.upper()

    values = values_of(Suspect, message_of(Person, Suspect("F", self_defined_ethnicity="w1"), CODES), CODES, shout)
    assert (values["self_defined_ethnicity"], told) == ("W1", ["self_defined_ethnicity"])


def test_a_table_that_is_missing_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(KeyError):
        message_of(Person, FULL, {})
