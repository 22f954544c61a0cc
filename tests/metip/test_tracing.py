"""The trace that a call belongs to, with and without a W3C context."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metip.tracing import context_of, parent_in, trace_id, trace_id_in, trace_id_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"
CALL = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
NONE = {
    "nothing": "",
    "capital letters": GOOD.upper(),
    "an all-zero trace": f"00-{'0' * 32}-{SPAN}-01",
    "an all-zero span": f"00-{TRACE}-{'0' * 16}-01",
    "the forbidden version": f"ff-{TRACE}-{SPAN}-01",
    "more than version 00 may say": f"{GOOD}-more",
    "a trace that is too short": f"00-{TRACE[:-1]}-{SPAN}-01",
    "something else before it": f" {GOOD}",
}


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_what_is_no_traceparent_gives_no_trace_and_the_call_its_own(text: str) -> None:
    assert trace_id_in(text) == ""
    assert trace_id(text, CALL) == CALL.replace("-", "")
    assert context_of(text, CALL) == f"00-{CALL.replace('-', '')}-{CALL.replace('-', '')[16:]}-00"


@pytest.mark.parametrize("text", [GOOD, f"01-{TRACE}-{SPAN}-01-what later versions say"], ids=["version 00", "a later version"])
def test_a_context_that_came_is_handed_on_as_it_is(text: str) -> None:
    assert trace_id(text, CALL) == TRACE
    assert context_of(text, CALL) == text


@given(st.uuids(version=4) | st.text(min_size=1, max_size=60))
def test_each_call_id_gives_one_trace_whose_context_is_one(call_id: object) -> None:
    made = context_of("", str(call_id))
    assert trace_id_in(made) == trace_id_of(str(call_id)) != ""


def test_a_call_without_an_id_has_neither_trace_nor_context() -> None:
    assert (trace_id_of(""), context_of("", ""), trace_id("", "")) == ("", "", "")


@pytest.mark.parametrize(
    "said", ["", "Mr Smith", CALL.upper(), f"{CALL} ", TRACE], ids=["nothing", "words", "capitals", "blank", "no dashes"]
)
def test_a_parent_that_is_no_call_id_is_nobody_s_word(said: str) -> None:
    assert parent_in(said) == ""
    assert parent_in(CALL) == CALL
