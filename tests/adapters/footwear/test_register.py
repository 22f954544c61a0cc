"""The database's own rules, as its simulator keeps them: the highest version of each record, and nothing that was withdrawn."""

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.footwear import codes
from adapters.footwear.records import Asker, Fetch, Impression, Search, Shoe, Submit, Withdraw
from adapters.footwear.register import Refusal, Register

AT = datetime(2026, 11, 20, 22, 5, tzinfo=UTC)
ONE = Impression(
    reference="01ZD00123426",
    version=2,
    station="01ZD",
    offences=("TH68023",),
    shoe=Shoe(pattern="ZBC0173", size="095"),
    scan="R",
    scanned_at=AT,
)


def version(number: int, **more: object) -> Submit:
    """A version of the one impression."""
    return Submit(impression=dataclasses.replace(ONE, version=number, **more))  # type: ignore[arg-type]


def code(register: Register, question: Submit | Withdraw | Fetch) -> str:
    """How the register answers: '' when it does what is asked."""
    try:
        match question:
            case Submit():
                register.submit(question)
            case Withdraw():
                register.withdraw(question)
            case Fetch():
                register.fetch(question)
    except Refusal as refusal:
        return refusal.code
    return ""


FETCH = Fetch(asker=Asker(), reference=ONE.reference)


def withdrawal(number: int) -> Withdraw:
    """A withdrawal of the one impression."""
    return Withdraw(reference=ONE.reference, version=number)


STORIES = {
    "again": ([version(2), version(2)], ["", ""]),
    "later": ([version(2), version(3)], ["", ""]),
    "earlier": ([version(3), version(2)], ["", codes.SUPERSEDED]),
    "otherwise": ([version(2), version(2, station="01VK")], ["", codes.ANOTHER_CONTENT]),
    "not recordable": ([version(2, offences=())], [codes.NOT_RECORDABLE]),
    "withdrawn": ([version(2), withdrawal(3), FETCH], ["", "", codes.UNKNOWN]),
    "withdrawn twice": ([version(2), withdrawal(3), withdrawal(3)], ["", "", ""]),
    "withdrawn unheld": ([withdrawal(3), withdrawal(3)], [codes.UNKNOWN, ""]),
    "late after withdrawal": ([version(2), withdrawal(3), version(2)], ["", "", codes.WITHDRAWN]),
    "late after withdrawal of nothing": ([withdrawal(3), version(2)], [codes.UNKNOWN, codes.WITHDRAWN]),
    "new after withdrawal": ([version(2), withdrawal(3), version(4), FETCH], ["", "", "", ""]),
    "late withdrawal": ([version(4), withdrawal(3), FETCH], ["", codes.SUPERSEDED, ""]),
}


@pytest.mark.parametrize(("asked", "answered"), STORIES.values(), ids=STORIES)
def test_the_register_answers(asked: list[Submit | Withdraw | Fetch], answered: list[str]) -> None:
    register = Register(())
    assert [code(register, question) for question in asked] == answered


@given(st.permutations([version(1), withdrawal(2), version(3), version(3), withdrawal(2), version(1)]))
def test_the_highest_version_counts_in_whatever_order_they_come(asked: list[Submit | Withdraw]) -> None:
    register = Register(())
    for question in asked:
        code(register, question)
    assert register.fetch(FETCH).version == 3


@given(st.permutations([version(1), version(2), version(2), withdrawal(3), withdrawal(3)]))
def test_what_is_withdrawn_last_is_gone_in_whatever_order_they_come(asked: list[Submit | Withdraw]) -> None:
    register = Register(())
    for question in asked:
        code(register, question)
    assert code(register, FETCH) == codes.UNKNOWN


def test_status_follows_from_scan_and_pattern() -> None:
    register = Register(())
    assert register.submit(version(2)).status == codes.CODED
    assert register.submit(version(3), unknown_pattern=True).status == codes.AT_BUREAU
    assert register.submit(version(4, shoe=Shoe())).status == codes.AT_BUREAU
    assert register.submit(version(5, scan="", scanned_at=None)).status == codes.AWAITING_SCAN
    assert register.submit(version(6), scanned=False).status == codes.AWAITING_SCAN
    assert register.submit(version(6)).status == codes.AWAITING_SCAN  # the same again changes nothing
    assert register.fetch(FETCH).shoe == Shoe(size="095")


def test_a_search_finds_what_fits_latest_first_and_says_when_there_is_more() -> None:
    shoes = [Shoe(pattern="ZBC0173", size="095", make="A"), Shoe(pattern="ZB0174", size="090", make="A"), Shoe(pattern="C0175", make="B")]
    held = [
        dataclasses.replace(ONE, reference=f"01ZD00000{place}26", shoe=shoe, scanned_at=AT.replace(minute=place))
        for place, shoe in enumerate(shoes)
    ]
    register = Register((*held, dataclasses.replace(ONE, scan="", scanned_at=None)))

    def found(most: int = 100, **what: str) -> list[int]:
        impressions, more = register.search(Search(asker=Asker(), most=most, **what))
        assert more == (most < 2)
        return [held.index(one) for one in impressions]

    assert found(pattern="Z") == [1, 0]
    assert found(pattern="ZBC") == [0]
    assert found(size="090") == [1]
    assert found(make="A") == [1, 0]
    assert found(make="A", size="095") == [0]
    assert found(pattern="X") == []
    assert found(most=1, pattern="Z") == [1]
