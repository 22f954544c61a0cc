"""Segments and headers: what may be built from values, and what the tables say of them."""

import dataclasses
import datetime
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.pnc.records import HEADER, SEGMENTS, TRAILER
from adapters.pnc.wire import Header, Reason, Segment, Transaction, WireError, decode, encode

AT = datetime.datetime(2031, 5, 6, 7, 8, tzinfo=datetime.UTC)

BAD_VALUES = [
    ("too wide", "COU", {"court_code": "10000"}, Reason.TOO_WIDE, "COU.court_code (4)"),
    ("too wide in capitals", "FSC", {"force_station": "99zß"}, Reason.TOO_WIDE, "FSC.force_station (4)"),
    ("a line break", "IDS", {"check_name": "QUILL\nFEA"}, Reason.UNCARRIABLE, "IDS.check_name"),
    ("a null", "TXT", {"message": "A\0B"}, Reason.UNCARRIABLE, "TXT.message"),
    ("an escape byte", "TXT", {"message": "A\udca3B"}, Reason.UNCARRIABLE, "TXT.message"),
    ("a mark of direction", "NOM", {"surname": "QUILL\u202eFEA"}, Reason.UNCARRIABLE, "NOM.surname"),
    ("an unknown field", "FSC", {"station": "9999"}, Reason.UNKNOWN_FIELD, "FSC.station"),
    ("an update type where none is", "TXT", {"update": "K"}, Reason.UNKNOWN_FIELD, "TXT.update"),
    ("an unknown segment", "ZZZ", {}, Reason.UNKNOWN_SEGMENT, "ZZZ"),
]


@pytest.mark.parametrize(("name", "tag", "fields", "reason", "where"), BAD_VALUES, ids=[row[0] for row in BAD_VALUES])
def test_a_value_that_does_not_fit_is_refused_by_name(name: str, tag: str, fields: dict[str, str], reason: Reason, where: str) -> None:
    with pytest.raises(WireError) as told:
        Segment.of(tag, **fields)
    assert (told.value.reason, told.value.where) == (reason, where)
    assert not any(value in str(told.value) for value in fields.values() if len(value) > 1)


def test_capitals_are_for_codes_and_names_and_prose_stays_as_typed() -> None:
    assert Segment.of("CCH", offence_ref="001", cjs_code="xx31001")["cjs_code"] == "XX31001"
    assert Segment.of("COU", file_name="Quillfeather/Ana")["file_name"] == "QUILLFEATHER/ANA"
    assert Segment.of("REM", bail_conditions="Not to enter")["bail_conditions"] == "Not to enter"


def test_an_update_type_is_the_usual_one_unless_given() -> None:
    assert Segment.of("FSC").body == "K    "
    assert Segment.of("CRT")["update"] == "I"
    assert Segment.of("CRT", update="d")["update"] == "D"
    assert Segment.of("E07").body == " " * 27


def test_a_field_the_table_does_not_have_is_a_key_error() -> None:
    for segment in (Segment.of("FSC"), Segment("ZZZ", "ABC")):
        with pytest.raises(KeyError, match=r"\.station"):
            segment["station"]
    assert Segment("ZZZ", "ABC").fields() == {}


@pytest.mark.parametrize(("serial", "sequence"), [(1_000_000, 1), (1, 10_000_000), (-1, 1)])
def test_a_number_too_long_for_the_header_is_refused(serial: int, sequence: int) -> None:
    with pytest.raises(WireError) as told:
        Header.of("ENQASI", serial=serial, sequence=sequence, at=AT)
    assert told.value.reason is Reason.TOO_WIDE


def test_an_unknown_function_is_not_built() -> None:
    with pytest.raises(WireError) as told:
        Header.of("PENHRG", serial=1, sequence=1, at=AT)
    assert told.value.reason is Reason.UNKNOWN_FUNCTION


def test_the_tables_are_as_wide_as_the_segments_of_the_interface() -> None:
    assert (HEADER.width, TRAILER.width) == (116, 20)
    assert list(HEADER.at) == [part.name for part in dataclasses.fields(Header)]
    widths = {
        "E07": 27, "FSC": 5, "IDS": 36, "CCR": 31, "ASR": 39, "COF": 53, "CCH": 26, "ADJ": 41, "DIS": 105, "SUB": 85,
        "CRT": 84, "COU": 142, "ACH": 1277, "REM": 4957, "TXT": 700, "PCR": 35, "RCC": 84,
    }  # fmt: skip
    assert {tag: SEGMENTS[tag].width for tag in widths} == widths


letters = st.text(string.ascii_letters + string.digits + " /:.'&<>-£É€", max_size=12)


@given(st.sampled_from(sorted(SEGMENTS)), st.data())
def test_the_fields_of_a_built_segment_are_read_back(tag: str, data: st.DataObject) -> None:
    layout = SEGMENTS[tag]
    widths = {name: at.stop - at.start for name, at in layout.at.items()}
    mixed = {one.name for one in layout.fields if one.mixed}
    given_values = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(widths, letters)))
    values = {name: value[: widths[name]] for name, value in given_values.items()}
    segment = Segment.of(tag, **values)
    assert len(segment.body) == layout.width
    transaction = Transaction.of("CXE01", Header.of("ENQASI", serial=1, sequence=1, at=AT), [segment])
    assert decode(encode(transaction)) == transaction
    blank = dict.fromkeys(widths, "") | ({"update": layout.lead} if layout.lead else {})
    written = {name: value if name in mixed else value.upper() for name, value in values.items()}
    assert segment.fields() == blank | {name: value.strip() for name, value in written.items()}
