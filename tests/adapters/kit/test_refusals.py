"""A table of a far system's errors: which line speaks, and what of the far system's words goes on."""

from datetime import timedelta

import pytest

from adapters.kit.refusals import Refusals
from metip.faults import Reason

TABLE = """
!404       NO_TRACE         PRECONDITION  E1 E2
busy/now   BUSY             LOCKED        -  E3
400        INVALID_REQUEST  UPSTREAM_REFUSED - -
*          UPSTREAM_FAULT   UPSTREAM_FAULT   - E9
"""
FOUND = Refusals(TABLE)
CASES = {
    "by its type": (("busy/now", "400"), Reason.BUSY, Reason.LOCKED, "busy/now"),
    "by its status": (("never/heard", "400"), Reason.INVALID_REQUEST, Reason.UPSTREAM_REFUSED, "400"),
    "a status that goes first": (("busy/now", "404"), Reason.NO_TRACE, Reason.PRECONDITION, "busy/now"),
    "nobody knows": (("never/heard", "418"), Reason.UPSTREAM_FAULT, Reason.UPSTREAM_FAULT, "418"),
}


@pytest.mark.parametrize(("codes", "enquiry", "update", "code"), CASES.values(), ids=CASES)
def test_the_most_telling_line_speaks(codes: tuple[str, ...], enquiry: Reason, update: Reason, code: str) -> None:
    found = [FOUND.fault(codes, update=one, who="X") for one in (False, True)]
    assert [one.reason for one in found] == [enquiry, update]
    assert {one.metadata["code"] for one in found} == {code}
    assert all("never" not in str(one) for one in found)


def test_the_other_systems_word_is_told_where_there_is_one() -> None:
    assert FOUND.fault(["busy/now"], update=False, who="X").metadata == {"code": "busy/now"}
    assert FOUND.fault(["busy/now"], update=True, who="X").metadata == {"code": "busy/now", "exception": "E3"}


def test_another_try_is_worth_it_by_reason() -> None:
    again = {Reason.LOCKED: timedelta(seconds=10)}
    assert FOUND.fault(["busy/now"], update=True, who="X", again=again).retry_after == timedelta(seconds=10)
    assert FOUND.fault(["400"], update=True, who="X", again=again).retry_after is None


@pytest.mark.parametrize("text", ["400 NO_TRACE NO_TRACE - -", "* NO_REASON NO_TRACE - -"])
def test_a_table_that_cannot_be_is_a_mistake(text: str) -> None:
    with pytest.raises(KeyError):
        Refusals(text)
