"""Native records as numbered rows of text."""

import contextlib
from dataclasses import dataclass
from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.rows import MOST_ROWS, Rows


@dataclass(frozen=True)
class Ship:
    """A record with fields of every kind."""

    name: Annotated[str, "SHP"] = ""
    masts: Annotated[int, "MST"] = 0
    sunk: Annotated[bool, "SNK"] = False
    flags: Annotated[tuple[str, ...], "FLG"] = ()
    log: Annotated[str, "LOG"] = ""


@dataclass(frozen=True)
class Port:
    """A record whose rows may have tags of the other's."""

    name: Annotated[str, "PRT"] = ""
    log: Annotated[str, "LOG"] = ""


ROWS = Rows((Ship, Port), {}, width=10)
lines = st.text(st.characters(codec="latin-1", exclude_characters="\r"), max_size=40)
words = st.text("ABC1", min_size=1, max_size=4)
ships = st.builds(Ship, lines, st.integers(0, 999_999_999), st.booleans(), st.lists(words, max_size=3).map(tuple), lines)
ports = st.builds(Port, lines, lines)


@given(st.lists(ships | ports, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_records_come_back_as_they_were(records: list[Ship | Port]) -> None:
    assert ROWS.read(ROWS.write(records)) == records


def test_a_row_has_a_number_a_tag_and_what_fits() -> None:
    records = [Ship("VICTORY", 3, sunk=False, flags=("A", "B"), log="ONE LINE THAT IS LONG\n\nEND")]
    assert ROWS.write(records) == [
        "001 SHP VICTORY",
        "002 MST 3",
        "003 FLG A B",
        "004 LOG ONE LINE T",
        "005 +   HAT IS LON",
        "006 +   G",
        "007 /   ",
        "008 /   END",
    ]


def test_what_has_its_default_is_left_out_but_for_the_row_that_begins_the_record() -> None:
    assert ROWS.write([Ship(), Port()]) == ["001 SHP ", "002 PRT "]
    assert ROWS.read(["001 SHP", "002 PRT"]) == [Ship(), Port()], "a blank at the end may have been cut off"


def test_a_carriage_return_becomes_a_blank() -> None:
    assert ROWS.read(ROWS.write([Ship("A\rB")])) == [Ship("A B")]


def test_a_row_that_no_field_has_is_passed_over() -> None:
    assert ROWS.read(["001 SHP A", "002 XYZ NEW", "003 MST 2"]) == [Ship("A", 2)]


def test_more_than_999_rows_are_refused() -> None:
    ROWS.write([Ship(log="\n" * (MOST_ROWS - 2))])
    with pytest.raises(ValueError, match="999"):
        ROWS.write([Ship(log="\n" * (MOST_ROWS - 1))])


@pytest.mark.parametrize(
    "rows",
    [
        [],
        ["001 +   SECRET"],
        ["001 MST 1"],
        ["002 SHP SECRET"],
        ["001 SHP SECRET", "003 MST 1"],
        ["001 SHP A", "002 MST SECRET"],
        ["001 SHP A", "002 SNK SECRET"],
        ["001 SHP A", "002 MST 1", "003 MST 2"],
        ["001SHP SECRET"],
        ["001 shp SECRET"],
    ],
    ids=["none", "goes on in nothing", "begins nothing", "number", "gap", "no number", "no flag", "twice", "no blank", "tag"],
)
def test_rows_that_make_no_sense_are_refused_without_a_word_of_them(rows: list[str]) -> None:
    with pytest.raises(ValueError) as raised:
        ROWS.read(rows)
    assert "SECRET" not in str(raised.value)


@given(st.lists(st.text(), max_size=5) | st.lists(st.from_regex(r"00[1-5] (SHP|MST|\+  |/  |PRT) .*", fullmatch=True), max_size=5))
@settings(max_examples=300, deadline=None)
def test_whatever_comes_is_read_or_refused(rows: list[str]) -> None:
    with contextlib.suppress(ValueError):
        assert all(isinstance(record, Ship | Port) for record in ROWS.read(rows))
