"""Shapes of JSON objects: written as text, kept on writing, forgiving on reading, and never a value in an error."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.shapes import Shape, ShapeError, decode, encode, shapes

FOUND = shapes("""
Inner  name! size:int
Outer  +Inner parts!:[Inner] share:float open:bool
       words:[str]
""")
OUTER = FOUND["Outer"]
GOOD = {"name": "Ã©", "size": 3, "parts": [{"name": "x"}], "share": 0.5, "open": False, "words": ["a", ""]}


def test_a_text_says_what_is_needed_and_what_may_be() -> None:
    assert FOUND["Inner"] == Shape({"name": str}, {"size": int})
    assert Shape({"name": str, "parts": [FOUND["Inner"]]}, {"size": int, "share": float, "open": bool, "words": [str]}) == OUTER


def test_an_unknown_kind_is_a_mistake_of_the_table() -> None:
    with pytest.raises(KeyError):
        shapes("One two:Three")


def test_what_is_written_is_read() -> None:
    assert decode(OUTER, encode(OUTER, GOOD)) == GOOD


def test_what_is_none_or_empty_text_is_left_out_on_writing() -> None:
    assert encode(FOUND["Inner"], {"name": "x", "size": None}) == b'{"name":"x"}'
    with pytest.raises(ShapeError, match="name is missing"):
        encode(FOUND["Inner"], {"name": ""})


def test_what_nobody_knows_is_dropped_on_reading_and_refused_on_writing() -> None:
    assert decode(FOUND["Inner"], b'{"name":"x","newer":1}') == {"name": "x"}
    with pytest.raises(ShapeError, match="newer has no place there"):
        encode(FOUND["Inner"], {"name": "x", "newer": 1})


WRONG: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"\xff{", "the body is no JSON"),
    "too deep": (b"[" * 100_000, "the body is no JSON"),
    "not a number": (b'{"name":"x","parts":[],"share":NaN}', "the body is no JSON"),
    "no object": (b"[]", "the body is no object"),
    "missing": (b'{"name":"x"}', "parts is missing"),
    "null": (b'{"name":null,"parts":[]}', "name is missing"),
    "no list": (b'{"name":"x","parts":{}}', "parts is no list"),
    "inside": (b'{"name":"x","parts":[{"name":"y"},{"name":1}]}', "parts[1].name is no str"),
    "true is no number": (b'{"name":"x","size":true,"parts":[]}', "size is no int"),
    "a part of one": (b'{"name":"x","size":1.5,"parts":[]}', "size is no int"),
    "negative": (b'{"name":"x","size":-1,"parts":[]}', "size is no int"),
    "large": (b'{"name":"x","size":99999999999,"parts":[]}', "size is no int"),
    "half a pair": (b'{"name":"\\ud800","parts":[]}', "name is no str"),
}


@pytest.mark.parametrize(("body", "says"), WRONG.values(), ids=WRONG)
def test_what_is_no_message_is_told_by_place(body: bytes, says: str) -> None:
    with pytest.raises(ShapeError) as told:
        decode(OUTER, body)
    assert str(told.value) == says


@given(st.binary())
def test_no_bytes_make_it_crash(body: bytes) -> None:
    with suppress(ShapeError):
        decode(OUTER, body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from((*GOOD, "other")), inner, max_size=5),
)


@given(JSON)
def test_no_value_makes_it_crash_and_what_passes_is_of_its_shape(value: Any) -> None:
    try:
        data = encode(OUTER, value)
    except ShapeError:
        return
    assert encode(OUTER, decode(OUTER, data)) == data
