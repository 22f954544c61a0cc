"""Whose data a message holds, and how many records, by the contract's annotations."""

from typing import Any

import pytest
from every_message import every_message
from sample_contract import message

from metip.common.v1 import answer_pb2 as answer
from metip.common.v1.identifiers_pb2 import PncId, Vrm
from metip.common.v1.pole_pb2 import Person, PersonName
from metip.common.v1.time_pb2 import CivilDate, DateRange
from metip.journal.subjects import records, subjects

Asked, Told, Seen, Described, Source, Place = (message(name) for name in ("Asked", "Told", "Seen", "Described", "Source", "Place"))
BORN = CivilDate(year=1984, month=2, day=29)
ANN = Person(
    name=PersonName(given_names=["Ann", "Mary"], family_name="Smith"), date_of_birth=BORN, aliases=[PersonName(family_name="Jones")]
)


def test_a_marked_field_names_a_subject_in_its_normal_form() -> None:
    assert subjects(Asked(vrm="ab12 cde")) == [("vrm", "AB12CDE")]


def test_a_marked_field_that_is_empty_or_does_not_parse_names_nobody() -> None:
    assert subjects(Asked()) == subjects(Asked(vrm="???")) == []


def test_identifiers_are_found_however_deep_and_in_lists() -> None:
    deep = Seen(vrm=Vrm(value="AB12CDE"), learner_ids=["LEARNER01", "LEARNER02"])
    for _ in range(3):
        deep = Seen(**{"with": [deep]})
    found = subjects(Told(one=deep, many=[Seen(vrm=Vrm(value="B1"))]))
    assert sorted(found) == [("learner_id", "LEARNER01"), ("learner_id", "LEARNER02"), ("vrm", "AB12CDE"), ("vrm", "B1")]


def test_a_person_with_a_whole_date_of_birth_is_found_by_each_name() -> None:
    assert subjects(Seen(person=ANN)) == [("name_and_birth", "SMITH|ANN|1984-02-29"), ("name_and_birth", "JONES||1984-02-29")]


def test_a_description_in_a_question_is_found_as_the_person_is() -> None:
    described = Described(family_name="smith", given_names="ANN mary", date_of_birth=BORN)
    assert subjects(Seen(described=described)) == [("name_and_birth", "SMITH|ANN|1984-02-29")]


def test_each_name_of_a_person_is_found_with_each_birth() -> None:
    other = CivilDate(year=1985, month=1, day=1)
    described = Described(
        family_name="Smith", aliases=[PersonName(family_name="Jones", given_names=["Bo"])], date_of_birth=BORN, others=[other]
    )
    names, days = ("SMITH|", "JONES|BO"), ("1984-02-29", "1985-01-01")
    assert sorted(subjects(described)) == sorted(("name_and_birth", f"{name}|{day}") for name in names for day in days)


def test_days_between_which_somebody_was_born_name_nobody_but_where_they_are_one_day() -> None:
    assert subjects(Described(family_name="Smith", born=DateRange(**{"from": BORN}, to=BORN))) == [("name_and_birth", "SMITH||1984-02-29")]
    assert subjects(Described(family_name="Smith", born=DateRange(**{"from": BORN}, to=CivilDate(year=1985, month=1, day=1)))) == []
    assert subjects(Described(family_name="Smith", born=DateRange(to=BORN))) == []


def test_a_number_is_an_identifier_too_and_a_name_alone_is_none() -> None:
    assert subjects(Described(family_name="Smith", given_names="Ann", uprn=100023336956)) == [("uprn", "100023336956")]
    assert subjects(PersonName(family_name="Smith", given_names=["Ann"])) == []


PARTIAL = [None, CivilDate(year=1984), CivilDate(year=1984, month=2), CivilDate(year=1985, month=2, day=29), CivilDate(month=2, day=28)]


@pytest.mark.parametrize("born", PARTIAL, ids=["none", "year", "month", "no-such-day", "no-year"])
def test_a_date_that_is_not_whole_names_nobody(born: Any) -> None:
    assert subjects(Described(family_name="Smith", date_of_birth=born)) == []


def test_a_name_that_is_empty_names_nobody() -> None:
    assert subjects(Described(date_of_birth=BORN)) == []
    assert subjects(Seen(person=Person(date_of_birth=BORN))) == []


COUNTS = [
    (Told(), 0),
    (Told(words="a receipt"), 0),
    (Told(provenance=answer.Provenance(system="sample", warnings=[answer.Warning(code="1")]), pnc_id=PncId(value="x")), 0),
    (Told(places=[Place()]), 0),
    (Told(one=Seen()), 1),
    (Told(one=Seen(), many=[Seen(), Seen()]), 1),
    (Told(many=[Seen(), Seen()]), 2),
    (Told(sources=[Source(name="a"), Source(name="b", found=[Seen(), Seen(), Seen()])]), 3),
]


@pytest.mark.parametrize(
    ("reply", "number"), COUNTS, ids=["nothing", "receipt", "identifier", "harmless", "one", "one-with-others", "list", "grouped"]
)
def test_records_are_counted_as_the_contract_lays_them_out(reply: Any, number: int) -> None:
    assert records(reply) == number


def test_every_message_of_every_contract_can_be_asked_whom_it_is_about() -> None:
    for kind in every_message():
        assert subjects(kind()) == []
