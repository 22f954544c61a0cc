"""Files exchanged with the learning partner: golden rows, round trips of every kind, and names."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.peqf.records import Enrolled, Enrolment, Finding, Progress
from adapters.peqf.wire import Damaged, Rejection, day_of, decode, decode_all, encode

MARK = Progress(
    learner_id="LX2600003",
    sequence=7,
    recorded=date(2026, 11, 1),
    cohort="DHEPD-2026-03-A",
    kind="M",
    uln="0237599073",
    module="PS401",
    attempt=2,
    mark=58,
    outcome="P",
    credits=20,
)
GOLDEN = (
    b"learner_id,sequence,recorded,cohort,kind,uln,module,attempt,mark,outcome,credits,starts,ends,attendance,portfolio,patrol,reason\r\n"
    b"LX2600003,7,2026-11-01,DHEPD-2026-03-A,M,0237599073,PS401,2,58,P,20,,,,,,\r\n"
)
KINDS = (Progress, Enrolled, Enrolment, Finding, Rejection)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
st.register_type_strategy(str, texts.filter(bool))
st.register_type_strategy(int, st.integers(0, 999_999_999))


def test_the_golden_row_is_these_bytes() -> None:
    assert encode([MARK], Progress) == GOLDEN
    assert decode_all(GOLDEN, Progress) == [MARK]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read(kind: type[object], data: st.DataObject) -> None:
    written = data.draw(st.lists(st.builds(kind), max_size=3))
    assert decode_all(encode(written, kind), kind) == written


@given(st.binary(max_size=80))
@settings(max_examples=200, deadline=None)
def test_no_bytes_do_any_harm(tail: bytes) -> None:
    try:
        good, bad = decode(GOLDEN + tail, Progress)
    except Damaged:
        return
    assert {*good} | {one.row for one in bad} == set(range(1, len(good) + len(bad) + 1))


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("PRG_LP01_20261101_0001", "20261101"),
        ("RCP_ENR_MPS_20261101_00000000000000000042", "20261101"),
        ("ENR_MPS_20261101_0001.csv", ""),
        ("RCP_RCP_PRG_LP01_20261101_0001", ""),
        ("../PRG_LP01_20261101_0001", ""),
        ("XYZ_LP01_20261101_0001", ""),
    ],
)
def test_names_tell_their_day_and_nothing_else_is_a_name(name: str, day: str) -> None:
    assert day_of(name) == day
