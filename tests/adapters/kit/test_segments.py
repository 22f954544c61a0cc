"""Messages as records and back by tables: whatever the table says goes both ways, and a table that is wrong is not taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit import Fault, Reason
from adapters.kit.fixed_width import layouts
from adapters.kit.segments import STANDARD, Codec, Mapper, codes

FILE = """
name: "parcels.proto" package: "test.parcels" syntax: "proto3"
enum_type { name: "Kind"
  value { name: "KIND_UNSPECIFIED" number: 0 } value { name: "KIND_SMALL" number: 1 } value { name: "KIND_VERY_LARGE" number: 2 } }
message_type { name: "Day"
  field { name: "year" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL } }
message_type { name: "Label"
  field { name: "mark" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "printed" number: 2 type: TYPE_MESSAGE type_name: ".test.parcels.Day" label: LABEL_OPTIONAL } }
message_type { name: "Item"
  field { name: "kind" number: 1 type: TYPE_ENUM type_name: ".test.parcels.Kind" label: LABEL_OPTIONAL }
  field { name: "text" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "notes" number: 3 type: TYPE_STRING label: LABEL_REPEATED } }
message_type { name: "Parcel"
  field { name: "label" number: 1 type: TYPE_MESSAGE type_name: ".test.parcels.Label" label: LABEL_OPTIONAL }
  field { name: "kind" number: 2 type: TYPE_ENUM type_name: ".test.parcels.Kind" label: LABEL_OPTIONAL }
  field { name: "kind_as_received" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "weight" number: 4 type: TYPE_UINT32 label: LABEL_OPTIONAL }
  field { name: "fragile" number: 5 type: TYPE_BOOL label: LABEL_OPTIONAL }
  field { name: "items" number: 6 type: TYPE_MESSAGE type_name: ".test.parcels.Item" label: LABEL_REPEATED }
  field { name: "back" number: 7 type: TYPE_MESSAGE type_name: ".test.parcels.Label" label: LABEL_OPTIONAL } }
"""
POOL = descriptor_pool.DescriptorPool()
POOL.Add(text_format.Parse(FILE, descriptor_pb2.FileDescriptorProto()))
PARCELS: Any = POOL.FindFileByName("parcels.proto")
KINDS = list(PARCELS.message_types_by_name.values())
MESSAGES: tuple[Any, ...] = tuple(message_factory.GetMessageClass(kind) for kind in KINDS)
Day, Label, Item, Parcel = MESSAGES
KIND = PARCELS.enum_types_by_name["Kind"]
SEGMENTS = layouts(
    {
        "PCL K": {"mark": "4 label.mark", "kind": "10 kind", "weight": "3 weight", "fragile": "1 fragile", "office": 2},
        "ITM": {"kind": "10 kind", "text": "20 text mixed", "notes": "9 notes threes mixed"},
        "ADR": {"mark": "4 mark|sign", "year": "4 printed"},
    }
)
TREE: Mapping[str, Any] = {"Parcel": {"PCL": {".": {"ITM": "items"}}, "ADR": "back"}}


def _threes(text: str) -> list[str]:
    return [one.strip() for one in (text[at : at + 3] for at in range(0, len(text), 3)) if one.strip()]


def _year(day: Any, width: int) -> str:
    if day.year > 9999:
        raise Fault(Reason.INVALID_REQUEST, "", fields=((".year", "is far off"),))
    return f"{day.year:04d}"


CODECS = {
    **STANDARD,
    "Kind": codes(KIND),
    "Day": Codec(_year, lambda text: Day(year=int(text)) if text.isdigit() else None),
    "threes": Codec(lambda notes, width: "".join(f"{one:<3}" for one in notes), _threes, padded=True),
}
MAPPER = Mapper(SEGMENTS, TREE, KINDS, CODECS)


@dataclass(frozen=True)
class Written:
    """A segment."""

    tag: str
    body: str


def written(message: Any, **given_: Mapping[str, str]) -> list[Written]:
    return [Written(tag, body) for tag, body in MAPPER.write(message, given_)]


def parcel(text: str) -> Any:
    return text_format.Parse(text, Parcel())


FULL = parcel(
    'label { mark: "AB" } kind: KIND_VERY_LARGE weight: 7 fragile: true items { kind: KIND_SMALL text: "Cup" notes: "a" notes: "bcd" }'
    ' items { text: "Jug" } back { mark: "CD" printed { year: 2026 } }'
)
SAID = [
    Written("PCL", "KAB  VERY_LARGE007Y  "),
    Written("ITM", "SMALL     Cup                 a  bcd   "),
    Written("ITM", "          Jug                          "),
    Written("ADR", "CD  2026"),
]


def test_every_field_is_where_the_table_has_it() -> None:
    assert written(FULL) == SAID


def test_it_is_read_back_as_it_was_written() -> None:
    assert MAPPER.read(Parcel, SAID) == FULL


def test_what_only_the_caller_knows_goes_with_it() -> None:
    assert written(Parcel(), PCL={"office": "9z"}) == [Written("PCL", "K              000N9Z")]


def test_a_part_that_is_not_set_has_no_segment_and_an_empty_one_has() -> None:
    assert [segment.tag for segment in written(Parcel())] == ["PCL"]
    assert [segment.tag for segment in written(parcel("back {} items {}"))] == ["PCL", "ITM", "ADR"]
    assert MAPPER.read(Parcel, [Written("ADR", "")]).HasField("back")


def test_what_the_tree_does_not_have_is_passed_over_and_the_first_of_two_counts() -> None:
    found = MAPPER.read(Parcel, [Written("ZZZ", "?"), Written("ADR", "ONE"), Written("ADR", "TWO"), Written("ITM", "lost")])
    assert found == parcel('back { mark: "ONE" }')


def test_what_stands_behind_a_segment_belongs_to_it() -> None:
    found = MAPPER.read(Parcel, [SAID[0], SAID[3], SAID[1]])
    assert len(found.items) == 0, "an item behind an address is nobody's"


def test_a_body_that_is_cut_short_has_what_it_has() -> None:
    assert MAPPER.read(Parcel, [Written("PCL", "KAB  SM")]).label.mark == "AB"


def test_a_word_that_no_table_has_is_kept() -> None:
    assert MAPPER.read(Parcel, [Written("PCL", "K    HUGE")]) == parcel('kind_as_received: "HUGE"')
    assert written(parcel('kind_as_received: "HUGE"'))[0].body.startswith("K    HUGE")
    found = MAPPER.read(Parcel, [SAID[0], Written("ITM", "HUGE      Cup")])
    assert [(item.kind, item.text) for item in found.items] == [(0, "HUGE: Cup")]


REFUSED = [
    ("too wide", 'label { mark: "ABCDE" }', "label.mark", "value is wider than its field"),
    ("too large a number", "weight: 1000", "weight", "value is wider than its field"),
    ("a line break, deep down", r'items {} items { text: "a\nb" }', "items[1].text", "character that the host cannot carry"),
    ("what a codec refuses", "back { printed { year: 12345 } }", "back.printed.year", "is far off"),
]


@pytest.mark.parametrize(("name", "text", "path", "problem"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_does_not_fit_is_refused_by_its_path_in_the_message(name: str, text: str, path: str, problem: str) -> None:
    with pytest.raises(Fault) as told:
        written(parcel(text))
    assert (told.value.reason, told.value.fields) == (Reason.INVALID_REQUEST, ((path, problem),))


def test_whatever_is_written_is_made_what_the_far_side_can_have() -> None:
    def plain(text: str) -> str:
        if "!" in text:
            raise Fault(Reason.INVALID_REQUEST, "", fields=(("", "shouts"),))
        return text.replace("-", "/")

    mapper = Mapper(SEGMENTS, TREE, KINDS, CODECS, carried=plain)
    assert next(iter(mapper.write(parcel('label { mark: "A-B" }'), {"PCL": {"office": "9-"}}))) == ("PCL", "KA/B           000N9/")
    for message, given_, path in ((parcel('label { mark: "A!" }'), {}, "label.mark"), (Parcel(), {"PCL": {"office": "!"}}, "office")):
        with pytest.raises(Fault) as told:
            list(mapper.write(message, given_))
        assert told.value.fields == ((path, "shouts"),)


def test_an_enum_is_called_as_its_table_or_its_contract_says() -> None:
    codecs = {name: codec for name, codec in CODECS.items() if name != "Kind"}
    assert Mapper(SEGMENTS, TREE, KINDS, codecs).read(Parcel, [Written("PCL", "K    SMALL")]).kind == 1
    listed = Mapper(SEGMENTS, TREE, KINDS, codecs, words={"Kind": {"S": "KIND_SMALL"}})
    assert listed.read(Parcel, [Written("PCL", "K    S")]).kind == 1


def test_a_codec_of_the_moment_goes_before_the_tables_own() -> None:
    found = MAPPER.read(Parcel, [Written("ADR", "CD  ABCD")], {"Day": Codec(_year, lambda text: Day(year=1))})
    assert found.back.printed.year == 1


CODES = [
    ("SMALL", None, 1), ("VERY_LARGE", None, 2), ("", None, 0), ("HUGE", None, None),
    ("S", {"S": "KIND_SMALL", "*": "KIND_VERY_LARGE"}, 1), ("?", {"S": "KIND_SMALL", "*": "KIND_VERY_LARGE"}, 2),
    ("", {"S": "KIND_SMALL", "*": "KIND_VERY_LARGE"}, 0), ("SMALL", {"S": "KIND_SMALL"}, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "table", "value"), CODES, ids=[f"{word or 'blank'} {'listed' if table else ''}" for word, table, _ in CODES]
)
def test_a_word_means_what_the_table_says(word: str, table: dict[str, str] | None, value: int | None) -> None:
    assert codes(KIND, table).read(word) == value


def test_any_other_word_is_read_and_never_written() -> None:
    assert codes(KIND, {"S": "KIND_SMALL", "*": "KIND_VERY_LARGE"}).write(2, 9) == ""


WRONG: list[tuple[str, Mapping[str, Any], dict[str, Codec], str]] = [
    ("a place that no message has", {"Parcel": {"ADR": "label"}, "Label": {"ITM": "."}}, CODECS, r"no message has a place for ITM\.kind"),
    ("a part that the message does not have", {"Parcel": {"ADR": "front"}}, CODECS, "Parcel has no front"),
    ("no codec", {"Parcel": {"ADR": "back"}}, dict(STANDARD), r"there is no codec Day for ADR\.year"),
]


@pytest.mark.parametrize(("name", "tree", "codecs", "words"), WRONG, ids=[row[0] for row in WRONG])
def test_a_table_that_is_wrong_is_not_taken(name: str, tree: Any, codecs: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Mapper(SEGMENTS, tree, KINDS, codecs)


def test_a_code_for_a_value_that_the_enum_does_not_have_is_not_taken() -> None:
    with pytest.raises(ValueError, match=r"test\.parcels\.Kind has no KIND_TINY"):
        codes(KIND, {"T": "KIND_TINY"})


marks = st.text("ABC9", max_size=4)
items = st.builds(Item, kind=st.integers(0, 2), text=st.from_regex("([A-Za-z]([A-Za-z ]{0,10}[a-z])?)?", fullmatch=True))
parcels = st.builds(
    Parcel,
    kind=st.integers(0, 2),
    weight=st.integers(0, 999),
    fragile=st.booleans(),
    items=st.lists(items, max_size=4),
    back=st.none() | st.builds(Label, mark=marks, printed=st.none() | st.builds(Day, year=st.integers(1, 9999))),
)


@given(parcels)
def test_any_message_survives_the_way_there_and_back(message: Any) -> None:
    assert MAPPER.read(Parcel, written(message)) == message


@given(st.lists(st.builds(Written, st.sampled_from(["PCL", "ITM", "ADR", "ZZZ"]), st.text(max_size=40)), max_size=6))
def test_no_text_at_all_breaks_the_reader(segments: list[Written]) -> None:
    assert isinstance(MAPPER.read(Parcel, segments, {"Day": Codec(_year, lambda text: None)}), Parcel)
