"""Text of fixed width: what a table says, and what may stand in a field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.fixed_width import Field, Layout, Misfit, Problem, digits, layouts

TABLE: dict[str, dict[str, str | int]] = {
    "BOX K": {"mark": "4 label.mark", "weight": "5 weight number", "words": "12 text mixed", "seal": 2},
    "END": {"count": "3 - mixed"},
}
BOX, END = layouts(TABLE).values()


def test_a_line_says_everything_about_a_field() -> None:
    assert (BOX.tag, BOX.lead, BOX.width) == ("BOX", "K", 24)
    assert BOX.fields == (
        Field("mark", 4, "label.mark"),
        Field("weight", 5, "weight", "number"),
        Field("words", 12, "text", mixed=True),
        Field("seal", 2),
    )
    assert (END.lead, END.width, END.fields) == ("", 3, (Field("count", 3, mixed=True),))


def test_fields_stand_one_behind_the_other_and_behind_the_first_character() -> None:
    assert list(BOX.at.items()) == [
        ("update", slice(0, 1)), ("mark", slice(1, 5)), ("weight", slice(5, 10)), ("words", slice(10, 22)), ("seal", slice(22, 24)),
    ]  # fmt: skip


def test_values_stand_left_in_capitals_unless_somebody_typed_them() -> None:
    assert BOX.fill({"mark": "ab", "words": "With care"}) == "KAB       With care     "
    assert BOX.fill({"update": "i"}).startswith("I")
    assert END.fill({}) == "   "


def test_a_body_that_is_cut_short_has_blank_fields() -> None:
    assert BOX.cut("KAB") == {"update": "K", "mark": "AB", "weight": "", "words": "", "seal": ""}


MISFITS = [
    ("too wide", {"mark": "abcde"}, Problem.TOO_WIDE, "mark (4)"),
    ("too wide in capitals", {"mark": "abcß"}, Problem.TOO_WIDE, "mark (4)"),
    ("a line break", {"words": "a\nb"}, Problem.UNCARRIABLE, "words"),
    ("no such field", {"label": "a"}, Problem.UNKNOWN_FIELD, "label"),
    ("a first character of two", {"update": "KK"}, Problem.TOO_WIDE, "update (1)"),
]


@pytest.mark.parametrize(("name", "values", "problem", "where"), MISFITS, ids=[row[0] for row in MISFITS])
def test_what_does_not_fit_is_named_and_not_shown(name: str, values: dict[str, str], problem: Problem, where: str) -> None:
    with pytest.raises(Misfit) as told:
        BOX.fill(values)
    assert (told.value.problem, told.value.where) == (problem, where)
    assert str(told.value) == f"{where}: {problem}"


def test_a_first_character_where_none_is_is_no_field() -> None:
    with pytest.raises(Misfit, match="no such field"):
        END.fill({"update": "K"})


def test_exact_parts_are_taken_as_they_are_and_no_other_width_is() -> None:
    parts = Layout("HEAD", "", (Field("sender", 3), Field("serial", 4)))
    assert parts.exactly({"sender": "a c", "serial": "0001"}) == "a c0001"
    with pytest.raises(Misfit, match=r"serial \(4\): value does not fill its field"):
        parts.exactly({"sender": "abc", "serial": "1"})


@pytest.mark.parametrize("number", [1000, -1])
def test_a_number_that_its_digits_do_not_hold_is_refused(number: int) -> None:
    assert digits(7, 3, "serial") == "007"
    with pytest.raises(Misfit, match=r"serial \(3\)"):
        digits(number, 3, "serial")


def test_a_name_that_is_there_twice_makes_no_layout() -> None:
    with pytest.raises(ValueError, match=r"BOX\.mark is there twice"):
        Layout("BOX", "", (Field("mark", 1), Field("mark", 2)))


@given(st.fixed_dictionaries({}, optional={one.name: st.text("abC 9'-", max_size=one.width) for one in BOX.fields}))
def test_what_was_filled_in_is_cut_out_again(values: dict[str, str]) -> None:
    body = BOX.fill(values)
    assert len(body) == BOX.width
    expected = {name: value if name == "words" else value.upper() for name, value in values.items()}
    assert BOX.cut(body) == {"update": "K", "mark": "", "weight": "", "words": "", "seal": ""} | {
        name: value.strip() for name, value in expected.items()
    }
