"""Days and fields with names of their own in JSON documents."""

from dataclasses import dataclass, field
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.json_documents import NAMED, DocumentError, decode, encode


@dataclass(frozen=True)
class Issued:
    """Something that was issued."""

    due_date: date | None = None
    last_v5c: date | None = field(default=None, metadata={NAMED: "lastV5C"})


def test_a_day_is_written_as_a_day_and_a_name_of_its_own_stays() -> None:
    assert encode(Issued(date(2026, 2, 28), date(2024, 2, 29))) == b'{"dueDate":"2026-02-28","lastV5C":"2024-02-29"}'
    assert decode(Issued, b'{"lastV5c":"2024-02-29"}') == Issued()


@pytest.mark.parametrize("said", ["2026-02-30", "28/02/2026", "2026-02-28T10:00:00Z", "", "20260228x"], ids=str)
def test_what_is_no_day_is_refused_by_its_name(said: str) -> None:
    with pytest.raises(DocumentError, match="lastV5C is no day"):
        decode(Issued, f'{{"lastV5C":"{said}"}}'.encode())


def test_a_number_is_no_day() -> None:
    with pytest.raises(DocumentError):
        decode(Issued, b'{"lastV5C":20260228}')


@given(st.none() | st.dates(), st.none() | st.dates())
def test_days_come_back(first: date | None, second: date | None) -> None:
    assert decode(Issued, encode(Issued(first, second))) == Issued(first, second)
