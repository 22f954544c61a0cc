"""Messages and documents by one table: both ways agree, places are named, and nothing of what stands there is shown."""

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.kit import Fault, Reason
from adapters.kit.mapping import At, Each, MappingError, Table, alike, coded, document, each_coded, filled, read_into, under, written
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.identifiers_pb2 import PncId
from metip.common.v1.pole_pb2 import SEX_FEMALE, Address, Bs7666Address, Person, PersonName
from metip.common.v1.time_pb2 import CivilDate
from metip.options.v1.options_pb2 import Operation

SECRET = "QUACKENBUSH"
NAME = alike("", "", "title given_names family_name")
TABLE: Table = (
    *under("name", "who", NAME),
    Each("aliases", "who.aliases", NAME),
    At("date_of_birth", "who.born"),
    At("sex", "who.sex", coded({"M": 1, "F": 2})),
    At("height_cm", "seen.height"),
    At("pnc_id", "number"),
)


def read(tree: dict[str, Any]) -> Person:
    """The person in a document."""
    person = Person()
    read_into(person, TABLE, tree)
    return person


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)
NAMES = st.builds(PersonName, title=TEXT, given_names=st.lists(TEXT, max_size=3), family_name=TEXT)
DAYS = st.builds(CivilDate, year=st.integers(1800, 2200), month=st.integers(1, 12), day=st.integers(0, 31)) | st.builds(
    CivilDate, year=st.integers(1800, 2200)
)


@given(NAMES, st.lists(NAMES, max_size=2), DAYS, st.sampled_from([0, 1, 2]), st.integers(0, 300))
def test_a_message_comes_back_as_it_went(name: PersonName, aliases: list[PersonName], day: CivilDate, sex: Any, height: int) -> None:
    person = Person(name=name, aliases=aliases, date_of_birth=day, sex=sex, height_cm=height, pnc_id=PncId(value="2002/0073319Z"))
    assert read(written(person, TABLE)) == person


def test_each_value_stands_at_its_place() -> None:
    person = Person(name=PersonName(family_name="X"), date_of_birth=CivilDate(year=1990, month=5), sex=SEX_FEMALE, height_cm=0)
    assert written(person, TABLE) == {"who": {"familyName": "X", "born": "1990-05", "sex": "F"}}


def test_an_identifier_is_canonical_and_keeps_what_was_printed() -> None:
    assert read({"number": "02/73319Z"}).pnc_id == PncId(value="2002/0073319Z", as_received="02/73319Z")
    assert read({"number": "nonsense"}).pnc_id == PncId(as_received="nonsense")
    assert not read({"number": ""}).HasField("pnc_id")


def test_what_is_not_there_stays_unset_and_what_is_unknown_is_passed_over() -> None:
    assert read({"who": None, "new": {"a": 1}}) == Person()
    assert read({"who": {"sex": "X"}}) == Person()


def test_codes_of_a_list_come_once_and_in_order() -> None:
    table = (At("purposes", "why", each_coded({"ONE": 1, "TWO": 2})),)
    found = Operation()
    read_into(found, table, {"why": ["TWO", "OTHER", "ONE", "TWO"]})
    assert list(found.purposes) == [1, 2]
    assert written(found, table) == {"why": ["ONE", "TWO"]}


def test_one_side_of_a_choice_is_written_even_when_it_is_empty() -> None:
    table = (*alike("bs7666", "", "street uprn"), At("lines.line", "lines"))
    assert written(Address(bs7666=Bs7666Address(uprn=999_000_007_919)), table) == {"uprn": 999_000_007_919}
    found = Address()
    read_into(found, table, {"lines": ["NO FIXED ABODE"]})
    assert found.WhichOneof("form") == "lines"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a text in the place of an object": ({"who": SECRET}, "who.title"),
    "a number in the place of a text": ({"who": {"familyName": 7}}, "who.familyName"),
    "a text in the place of a number": ({"seen": {"height": SECRET}}, "seen.height"),
    "a number too large for the field": ({"seen": {"height": 2**40}}, "seen.height"),
    "a truth": ({"seen": {"height": True}}, "seen.height"),
    "no day": ({"who": {"born": SECRET}}, "who.born"),
    "no list": ({"who": {"aliases": SECRET}}, "who.aliases"),
    "no object in a list": ({"who": {"aliases": [SECRET]}}, "who.aliases[0].title"),
    "a list of other things": ({"who": {"givenNames": [1]}}, "who.givenNames"),
    "half a pair": ({"who": {"familyName": "\ud800"}}, "who.familyName"),
    "an identifier that is a number": ({"number": 7}, "number"),
}


@pytest.mark.parametrize(("tree", "place"), WRONG.values(), ids=WRONG)
def test_what_is_of_another_kind_is_refused_by_its_place(tree: dict[str, Any], place: str) -> None:
    with pytest.raises(MappingError) as told:
        read(tree)
    assert str(told.value).startswith(place)
    assert SECRET not in str(told.value)


KEYS = ("who", "familyName", "givenNames", "aliases", "born", "sex", "seen", "height", "number")
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(0.5)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4))


@settings(suppress_health_check=[HealthCheck.too_slow])  # trees are slow to draw while others use the machine
@given(st.dictionaries(st.sampled_from(KEYS), TREES, max_size=5))
def test_any_tree_is_a_message_or_a_problem(tree: dict[str, Any]) -> None:
    try:
        read(tree)
    except MappingError:
        return


def test_who_is_to_blame_follows_from_the_direction() -> None:
    with pytest.raises(Fault) as told:
        filled(Person(), TABLE, {"who": SECRET})
    assert told.value.reason is Reason.UPSTREAM_FAULT
    with pytest.raises(Fault) as told:
        document(Provenance(as_of=Timestamp(seconds=10**15)), (At("as_of", "at"),))
    assert told.value.reason is Reason.INVALID_REQUEST
