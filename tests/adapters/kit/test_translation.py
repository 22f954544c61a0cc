"""Records to messages and back by tables, and that a table can't forget a field."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from checkout import ROOT
from contract_sets import compiled
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message_factory import GetMessageClass

from adapters.kit.translation import By, Pair, Parts, Translation
from adapters.kit.values import USUAL, Value, civil_date, identified, identifier, on_the_clock, parts, received
from adapters.kit.vocabulary import Vocabulary, read_vocabularies
from metip.common.v1 import pole_pb2 as pole
from metip.common.v1.identifiers_pb2 import CroNumber, PncId, PtiUrn, Vrm
from metip.common.v1.time_pb2 import CivilDate
from metip.faults import Fault, Reason
from metip.identifiers import plain_pnc_id

CONTRACT = """syntax = "proto3";
package planted.translation;
import "metip/common/v1/pole.proto";
import "metip/common/v1/time.proto";
message Contact { string mobile_telephone = 1; repeated string emails = 2; }
message PersonDetails {
  metip.common.v1.PersonName name = 1;
  Contact contact = 2;
  metip.common.v1.CivilDate date_of_birth = 3;
  optional metip.common.v1.Sex sex = 4;
}
enum Unit { UNIT_UNSPECIFIED = 0; UNIT_DAYS = 1; UNIT_MONTHS = 2; }
message Duration { uint32 value = 1; Unit unit = 2; }
message Result {
  optional uint32 code = 1;
  string text = 2;
  repeated string qualifiers = 3;
  optional uint64 amount_pence = 4;
  Duration duration = 5;
  repeated Duration secondary_durations = 6;
}
message House { metip.common.v1.Address address = 1; }
"""
"""Fields of every kind, in a contract that no system has."""
POOL = descriptor_pool.Default()
with TemporaryDirectory() as folder:
    (file,) = [
        file
        for file in FileDescriptorSet.FromString(compiled(Path(folder), {"planted.proto": CONTRACT}, against=ROOT / "protos")).file
        if file.name == "planted.proto"
    ]
    POOL.AddSerializedFile(file.SerializeToString())


def made(name: str) -> Any:
    return GetMessageClass(POOL.FindMessageTypeByName(f"planted.translation.{name}"))


CONTACT, PERSON_DETAILS, DURATION, RESULT_MESSAGE, HOUSE = map(made, ("Contact", "PersonDetails", "Duration", "Result", "House"))
UNIT = EnumTypeWrapper(POOL.FindEnumTypeByName("planted.translation.Unit"))


@dataclass(frozen=True, kw_only=True)
class Name:
    """A name, one field of which is called otherwise."""

    title: str = ""
    given_names: tuple[str, ...] = ()
    surname: str = ""


@dataclass(frozen=True, kw_only=True)
class Person:
    """A person: parts, codes, a day, a message made of its own fields."""

    name: Name | None = None
    mobile_telephone: str = ""
    emails: tuple[str, ...] = ()
    born: date | None = None
    sex: str = ""


@dataclass(frozen=True, kw_only=True)
class Length:
    """What stands deep in a result."""

    number: int | None = None
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What stands in a result."""

    pence: int | None = None
    length: Length | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """A result: things deeper, and one that is worked out."""

    code: int | None = None
    words: str
    outcome: Outcome | None = None
    more: str = ""


NAME = Pair(Name, pole.PersonName, family_name="surname")
PERSON = Pair(Person, PERSON_DETAILS, date_of_birth="born", contact=Parts())
RESULT = Pair(
    Result,
    RESULT_MESSAGE,
    "more",
    text=By("words", Value(str.upper, str.lower)),
    amount_pence="outcome.pence",
    duration=Parts("outcome.length", value="number"),
    qualifiers=lambda record: record.more.split(),
    secondary_durations=lambda record: [],
)
CODES = (
    Vocabulary(pole.Sex, {"0": "UNSPECIFIED", "1": "MALE", "9": "NOT_SPECIFIED"}),
    Vocabulary(UNIT, {"D": "DAYS", "M": "MONTHS"}),
)


def translation(*pairs: Pair, **more: Any) -> Translation:
    return Translation(pairs, {}, CODES, **more)


BOTH_WAYS = [
    ("nothing", Person(), PERSON_DETAILS()),
    ("an empty part", Person(name=Name()), PERSON_DETAILS(name=pole.PersonName())),
    (
        "everything",
        Person(
            name=Name(title="Ms", given_names=("Ann", "Bea"), surname="O'Nobody"),
            mobile_telephone="0",
            emails=("a@b.c",),
            born=date(2000, 2, 29),
            sex="9",
        ),
        PERSON_DETAILS(
            name=pole.PersonName(title="Ms", given_names=["Ann", "Bea"], family_name="O'Nobody"),
            contact=CONTACT(mobile_telephone="0", emails=["a@b.c"]),
            date_of_birth=CivilDate(year=2000, month=2, day=29),
            sex=pole.SEX_NOT_SPECIFIED,
        ),
    ),
    ("a code that says unspecified", Person(sex="0"), PERSON_DETAILS(sex=pole.SEX_UNSPECIFIED)),
]


@pytest.mark.parametrize(("name", "record", "message"), BOTH_WAYS, ids=[row[0] for row in BOTH_WAYS])
def test_a_record_and_its_message_say_the_same(name: str, record: Person, message: Any) -> None:
    people = translation(NAME, PERSON)
    assert people.message(record, PERSON_DETAILS) == message
    assert people.record(message, Person) == record


RESULTS = [
    ("nothing deeper", Result(words=""), RESULT_MESSAGE()),
    ("a zero where zero is said", Result(code=0, words="a"), RESULT_MESSAGE(code=0, text="A")),
    (
        "all of it",
        Result(code=1, words="fined", outcome=Outcome(pence=0, length=Length(number=3, unit="M"))),
        RESULT_MESSAGE(code=1, text="FINED", amount_pence=0, duration=DURATION(value=3, unit=2)),
    ),
]


@pytest.mark.parametrize(("name", "record", "message"), RESULTS, ids=[row[0] for row in RESULTS])
def test_what_stands_deeper_in_a_record_goes_both_ways(name: str, record: Result, message: Any) -> None:
    results = translation(RESULT)
    assert results.message(record, RESULT_MESSAGE) == message
    assert results.record(message, Result) == record


@pytest.mark.parametrize("record", [Result(code=1 << 32, words=""), Result(code=-1, words=""), Result(words="\ud800")], ids=repr)
def test_what_a_message_has_no_room_for_is_a_fault_of_the_far_system(record: Result) -> None:
    with pytest.raises(Fault) as told:
        translation(RESULT).message(record, RESULT_MESSAGE)
    assert told.value.reason is Reason.UPSTREAM_FAULT


def test_what_is_worked_out_goes_out_only() -> None:
    results = translation(RESULT)
    message = results.message(Result(words="", more="F JA"), RESULT_MESSAGE)
    assert list(message.qualifiers) == ["F", "JA"]
    assert results.record(message, Result).more == ""


def test_a_code_that_the_table_lacks_is_unspecified() -> None:
    results = translation(RESULT)
    made = results.message(Result(words="", outcome=Outcome(length=Length(unit="Q"))), RESULT_MESSAGE)
    assert (made.HasField("duration"), made.duration.unit) == (True, 0)


def test_a_record_is_made_ready_before_it_is_looked_at() -> None:
    people = translation(NAME, ready={Name: lambda name: replace(name, surname=name.surname.upper())})
    assert people.message(Name(surname="x"), pole.PersonName).family_name == "X"


def test_the_first_of_several_counterparts_that_says_something_counts() -> None:
    names = translation(Pair(Name, pole.PersonName, family_name=("surname", "title")))
    assert names.message(Name(title="t"), pole.PersonName).family_name == "t"
    assert names.message(Name(title="t", surname="s"), pole.PersonName).family_name == "s"


DEEPER = ("code", "more", "words", "text", "qualifiers", "secondary_durations")
FORGETFUL = [
    ("a field of the message", (Pair(Name, pole.PersonName),), "Name has no family_name"),
    ("a field of the record", (Pair(Name, pole.PersonName, "family_name"),), "nothing for surname of Name"),
    (
        "a field that stands deeper",
        (Pair(Result, RESULT_MESSAGE, *DEEPER, "duration", amount_pence="outcome.pence"),),
        "nothing for length of Result",
    ),
    ("a field that is not there", (Pair(Name, pole.PersonName, family_name="surname", colour="title"),), "has no colour"),
    ("a part that is no pair", (PERSON,), r"Name and metip\.common\.v1\.PersonName are no pair"),
    ("a type that nobody knows", (Pair(Name, HOUSE, address="surname"),), "nobody says how"),
]


@pytest.mark.parametrize(("name", "pairs", "words"), FORGETFUL, ids=[row[0] for row in FORGETFUL])
def test_a_table_that_forgets_a_field_is_refused(name: str, pairs: tuple[Pair, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        translation(*pairs)


def test_identifiers_are_canonical_or_as_received_and_never_repaired() -> None:
    told: list[Any] = [
        identifier(kind, text) for kind, text in ((PtiUrn, "01zd0300108"), (Vrm, "?"), (CroNumber, "SF39/12345A"), (CroNumber, "97501/98T"))
    ]
    assert [(one.value, one.as_received) for one in told] == [
        ("01ZD0300108", "01zd0300108"),
        ("", "?"),
        ("", "SF39/12345A"),
        ("097501/98T", "97501/98T"),
    ]
    assert [received(one) for one in told] == ["01ZD0300108", "?", "SF39/12345A", "097501/98T"]


def test_an_identifier_that_a_system_writes_in_its_own_way_is_received_in_it() -> None:
    plain = identified(PncId, written=plain_pnc_id)
    made = plain.out("20020073319Z")
    assert (made.value, made.as_received) == ("2002/0073319Z", "")
    assert plain.back(made) == "20020073319Z"
    assert plain.out("") is None
    assert identified(PncId, always=True).out("") == PncId()


def test_a_day_of_which_parts_are_unknown_is_kept_in_parts_and_is_no_day() -> None:
    partial = CivilDate(year=2001, month=2)
    assert civil_date(parts(partial)) == partial
    assert civil_date((0, 0, 0)) is None
    assert USUAL[CivilDate].back(partial) is None
    with pytest.raises(ValueError, match="day"):
        USUAL[CivilDate].back(CivilDate(year=2001, month=2, day=30))


def test_a_time_that_names_a_zone_is_moved_and_the_day_with_it() -> None:
    @dataclass(frozen=True)
    class Sitting:
        day: date | None
        at: time | None

    moved = on_the_clock(ZoneInfo("Europe/London"), ("day", "at"))
    assert moved(Sitting(date(2026, 7, 31), time.fromisoformat("23:30Z"))) == Sitting(date(2026, 8, 1), time(0, 30))
    for untouched in (Sitting(date(2026, 7, 31), time(23, 30)), Sitting(None, time.fromisoformat("23:30Z")), Sitting(None, None)):
        assert moved(untouched) == untouched


def test_instants_are_aware() -> None:
    at = datetime.fromisoformat("2026-11-23T09:30:00+00:00")
    assert USUAL[type(USUAL_INSTANT.out(at))].back(USUAL_INSTANT.out(at)) == at


USUAL_INSTANT = next(value for kind, value in USUAL.items() if kind.DESCRIPTOR.name == "Timestamp")


def test_a_vocabulary_goes_both_ways_and_guesses_at_nothing() -> None:
    sexes = Vocabulary(pole.Sex, {"M": "MALE", "F": "FEMALE"}, ("NOT_SPECIFIED", "F"))
    assert [sexes.value(code) for code in ("M", "F", "X", "")] == [pole.SEX_MALE, pole.SEX_FEMALE, 0, 0]
    assert [sexes.code(value) for value in (pole.SEX_MALE, pole.SEX_NOT_SPECIFIED, 0, 77)] == ["M", "F", "", ""]
    assert (sexes.values(["F", "?"]), sexes.codes([77, pole.SEX_MALE])) == ([pole.SEX_FEMALE, 0], ("M",))


def test_codes_are_read_from_a_file_and_checked_against_the_contract(tmp_path: Path) -> None:
    file = tmp_path / "codes.yaml"
    file.write_text("metip.common.v1.Sex: {1: MALE}\n")
    (sexes,) = read_vocabularies(str(file), file.name)
    assert (sexes.enum, sexes.value("1")) == ("metip.common.v1.Sex", pole.SEX_MALE)
    file.write_text("metip.common.v1.Sex: {1: MAN}\n")
    with pytest.raises(ValueError, match="MAN"):
        read_vocabularies(str(file), file.name)
    file.write_text("metip.common.v1.Gender: {1: MALE}\n")
    with pytest.raises(KeyError):
        read_vocabularies(str(file), file.name)
