"""Settings as their contract has them: there and back without loss, and by the same names on both sides."""

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.traffic.settings import Setting
from hub.traffic.words import KINDS, message_of, read, setting_of, text_of
from metip.traffic.v1 import traffic_state_pb2 as api

PAIRS = st.dictionaries(st.text(min_size=1, max_size=10), st.integers(0, 1000), min_size=1, max_size=4)
SECONDS = st.integers(0, 2_000_000_000_000_000).map(lambda micros: micros / 1_000_000)
BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "str": st.text(max_size=20),
    "int": st.integers(0, 1_000_000),
    "tuple[tuple[str, int], ...]": PAIRS.map(lambda pairs: tuple(sorted(pairs.items()))),
}
PERCENTS = ("delay_percent", "abort_percent")
PERCENT = st.floats(0, 100, allow_nan=False)
DURATIONS = ("delay", "ejected_for")
DURATION = st.integers(0, 300_000_000).map(lambda micros: micros / 1_000_000)
AT_LEAST_A_MOMENT = st.integers(1, 300_000_000).map(lambda micros: micros / 1_000_000)
"""Of one that is not 0 by default, 0 would come back as the default."""


def some(kind: str) -> st.SearchStrategy[Setting]:
    """Settings of one kind."""
    cls = KINDS[kind]

    def of(field: Any) -> st.SearchStrategy[Any]:
        if field.name in PERCENTS:
            return PERCENT
        if field.name == "retry_after":
            return AT_LEAST_A_MOMENT
        if field.name == "until":
            return SECONDS
        if field.name in DURATIONS:
            return DURATION
        return BY_TYPE[str(getattr(field.type, "__name__", field.type)) if isinstance(field.type, type) else str(field.type)]

    return st.builds(cls, **{field.name: of(field) for field in fields(cls)})


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_field_in_the_contract_and_all_of_its_fields_there(kind: str) -> None:
    part = api.Setting.DESCRIPTOR.fields_by_name[kind].message_type
    assert part is not None
    assert {field.name for field in fields(KINDS[kind])} == {field.name for field in part.fields}
    assert KINDS[kind].kind == kind


@given(setting=st.one_of(*map(some, KINDS)))
def test_what_is_kept_is_what_was_set(setting: Setting) -> None:
    assert setting_of(message_of(setting)) == setting
    assert read(text_of(setting)) == setting


def test_the_contract_has_no_kind_that_nobody_knows() -> None:
    assert set(api.Setting.DESCRIPTOR.fields_by_name) == set(KINDS)
    with pytest.raises(ValueError, match="no kind"):
        setting_of(api.Setting())
