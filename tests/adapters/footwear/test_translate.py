"""What the database is told of a custody record, in its own forms, and what it is never told."""

from datetime import UTC
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.footwear import translate, wire
from adapters.footwear.keeping import NEXT, Step, left
from adapters.footwear.records import Impression, Shoe, Submit, Withdraw
from adapters.kit import Fault
from metip.custody.v1 import custody_record_pb2 as custody
from metip.custody.v1.custody_record_service_pb2 import PublishCustodyRecordRequest
from metip.footwear.v1 import impression_pb2 as contract
from tests.adapters.footwear.asking import PERSONAL, footwear, record

NFA = custody.DISPOSAL_KIND_NO_FURTHER_ACTION
CHARGED = custody.DISPOSAL_KIND_CHARGED
BAILED = custody.DISPOSAL_KIND_BAILED_BEFORE_CHARGE

STEPS: list[tuple[str, dict[str, Any], type[Submit] | type[Withdraw] | None]] = [
    ("nobody recorded any footwear", {"without_footwear": True}, None),
    ("it was not taken", {"shoe": custody.Footwear(taken=False)}, None),
    ("no footwear and no recordable offence", {"without_footwear": True, "recordable": (False,), "released": True}, None),
    ("taken for a recordable offence", {}, Submit),
    ("taken and not scanned yet", {"shoe": custody.Footwear(taken=True)}, Submit),
    ("one of two offences is recordable", {"recordable": (False, True)}, Submit),
    ("no offence is recordable", {"recordable": (False, False)}, Withdraw),
    ("released, charged", {"decided": (CHARGED,), "released": True}, Submit),
    ("released on bail before charge", {"decided": (BAILED,), "released": True}, Submit),
    ("released, nothing decided yet", {"released": True}, Submit),
    ("released, no further action", {"decided": (NFA,), "released": True}, Withdraw),
    ("no further action, and still detained", {"decided": (NFA,)}, Submit),
    ("released, one dropped and one charged", {"recordable": (True, True), "decided": (NFA, CHARGED), "released": True}, Submit),
    ("released, charged with what is not recordable", {"recordable": (True, False), "decided": (NFA, CHARGED), "released": True}, Withdraw),
]


@pytest.mark.parametrize(("said", "step"), [(said, step) for _, said, step in STEPS], ids=[name for name, _, _ in STEPS])
def test_the_law_says_what_the_database_is_told(said: dict[str, Any], step: type[Any] | None) -> None:
    found = translate.step(record(1, 3, **said))
    assert (type(found) if found else None) is step


def test_the_law_s_table_is_complete() -> None:
    assert set(NEXT) == set(product((True, False), repeat=2))
    assert [key for key, step in NEXT.items() if step is Step.SUBMIT] == [(True, True)]


@given(st.sets(st.integers(1, 9)), st.sets(st.integers(1, 9)), st.booleans())
def test_only_recordable_offences_are_left_and_only_release_takes_any_away(recordable: set[int], dropped: set[int], released: bool) -> None:
    found = left(recordable, dropped, released=released)
    assert found <= recordable
    assert found == recordable or released
    assert not (released and found & dropped)


def test_what_is_submitted_is_in_the_database_s_forms() -> None:
    said = record(1234, 3, recordable=(True, False, True), decided=(NFA,), released=True)
    assert translate.step(said) == Submit(
        impression=Impression(
            reference="01ZD00123426",
            version=3,
            station="01ZD",
            offences=("TH68003",),
            shoe=Shoe(pattern="ZBC0973", size="095", make="TESTMAKE", model="RUNNER"),
            scan="R",
            scanned_at=footwear().scanned_at.ToDatetime(tzinfo=UTC),
        )
    )


def test_a_withdrawal_names_the_record_and_nothing_else() -> None:
    assert translate.step(record(1234, 3, recordable=(False,))) == Withdraw(reference="01ZD00123426", version=3)


@pytest.mark.parametrize("said", [{}, {"recordable": (False,)}, {"recordable": (True, False)}], ids=["submit", "withdraw", "mixed"])
def test_nothing_that_names_the_person_is_sent(said: dict[str, Any]) -> None:
    told = translate.step(record(1, **said))
    assert told is not None
    document = wire.encode(told).decode().casefold()
    assert not [word for word in PERSONAL if word.casefold() in document]
    assert "TH68002".casefold() not in document  # an offence that is not recordable is nobody's business there


SERIALS = st.integers(0, 999_999)


@given(st.from_regex(r"[A-Z0-9]{4}", fullmatch=True), SERIALS, st.integers(0, 99))
def test_a_custody_record_number_comes_back(station: str, serial: int, year: int) -> None:
    number = f"{station}/{serial}/{year:02d}"
    assert translate.custody_number(translate.reference(number)).value == number


@given(st.from_regex(r"[A-Z](-[A-Z]){0,5}-[0-9]{4}", fullmatch=True))
def test_a_pattern_comes_back(code: str) -> None:
    assert translate._pattern(translate._native_pattern(code)) == code


@given(st.integers(0, 99), st.booleans())
def test_a_size_comes_back(whole: int, half: bool) -> None:
    size = f"{whole}{'.5' if half else ''}"
    assert translate._size(translate._native_size(size)) == size


@pytest.mark.parametrize("received", ["", "01ZD", "01ZD0012342", "01zd00123426"])
def test_a_reference_that_is_none_is_never_guessed(received: str) -> None:
    number = translate.custody_number(received)
    assert (number.value, number.as_received) == ("", received)


@pytest.mark.parametrize("native", ["", "95", "093", "ABC"])
def test_a_size_that_is_none_is_left_out(native: str) -> None:
    assert translate._size(native) == ""


def test_every_code_has_its_counterpart() -> None:
    assert set(translate.SCAN) == {number for number in custody.ScanType.values() if number}
    assert set(translate.METHOD) == set(translate.SCAN.values())
    assert set(translate.METHOD.values()) == {number for number in contract.ScanMethod.values() if number}
    assert set(translate.STATUS.values()) == {number for number in contract.ImpressionStatus.values() if number}


def test_an_instant_outside_the_calendar_is_a_fault() -> None:
    request = PublishCustodyRecordRequest()
    request.CopyFrom(record(1))
    request.record.footwear.scanned_at.seconds = 10**14
    with pytest.raises(Fault):
        translate.step(request)
