"""Dates and lengths of time as far systems and settings hold them."""

import pytest

from adapters.kit.times import digits, seconds
from metip.adapter.v1.settings_pb2 import Upstream
from metip.common.v1.time_pb2 import CivilDate


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (CivilDate(year=1999, month=4, day=6), "1999-04-06"),
        (CivilDate(year=1999), "1999-00-00"),
        (CivilDate(month=4), "0000-04-00"),
        (CivilDate(), ""),
    ],
    ids=["whole", "year only", "month only", "nothing"],
)
def test_what_is_unknown_of_a_date_is_zeros(told: CivilDate, text: str) -> None:
    assert digits(told) == text


def test_a_length_of_time_that_is_set_counts_even_when_it_is_nothing() -> None:
    settings = Upstream()
    assert seconds(settings, "timeout", 8.0) == 8.0
    settings.timeout.FromMilliseconds(1500)
    assert seconds(settings, "timeout", 8.0) == 1.5
    settings.timeout.FromMilliseconds(0)
    assert seconds(settings, "timeout", 8.0) == 0.0
