"""What an id is, by its form."""

import pytest

from hub.journey.ids import IdKind, identified, kind_of

KINDS = {
    "6f9619ff-8b86-4d01-b42d-00cf4fc964ff": IdKind.CALL,
    " 6F9619FF-8B86-4D01-B42D-00CF4FC964FF ": IdKind.CALL,
    "4bf92f3577b34da6a3ce929d0e0e4736": IdKind.TRACE,
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": IdKind.TRACE,
    "0": IdKind.RECORD,
    "41": IdKind.RECORD,
    "041": IdKind.BUSINESS_KEY,
    "1234567890123": IdKind.BUSINESS_KEY,
    "01ZD1234526": IdKind.BUSINESS_KEY,
    "AB12 CDE": IdKind.BUSINESS_KEY,
    "0" * 32: IdKind.BUSINESS_KEY,
    "01ZT/907919/26|4": IdKind.BUSINESS_KEY,
    "": IdKind.BUSINESS_KEY,
}


@pytest.mark.parametrize("text", KINDS)
def test_an_id_is_what_it_looks_like(text: str) -> None:
    assert kind_of(text) is KINDS[text]


def test_a_business_key_is_taken_for_each_kind_of_identifier_that_it_may_be_or_for_the_one_that_is_named() -> None:
    assert identified("AB12 CDE")["vrm"] == "AB12CDE"
    assert identified("AB12 CDE", "vrm") == {"vrm": "AB12CDE"}
    assert identified("AB12 CDE", "pti_urn") == identified("AB12 CDE", "nonsense") == {}
