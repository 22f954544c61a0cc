"""Two messages to their differences: the rules of contracts, what a list lost, and what holds for any message of any contract."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from any_message import changed, filled
from every_message import every_message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parity_contract import Contract

from hub.parity.comparing import Comparing
from hub.parity.differences import MIRROR, Difference, Kind

MESSAGES = every_message()
Change = Callable[[Any], object]


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return Contract(tmp_path_factory.mktemp("contract"))


def looks(found: list[Difference]) -> list[tuple[str, str, str]]:
    return [(one.path, one.kind.value, f"{one.hint} {one.detail}".strip()) for one in found]


def put(**values: Any) -> Change:
    def change(message: Any) -> None:
        for name, value in values.items():
            if isinstance(value, dict):
                part = getattr(message, name)
                part.SetInParent()
                put(**value)(part)
            elif isinstance(value, list):
                for one in value:
                    if isinstance(one, dict):
                        put(**one)(getattr(message, name).add())
                    else:
                        getattr(message, name).append(one)
            else:
                setattr(message, name, value)

    return change


def plain(*names: str) -> list[dict[str, Any]]:
    return [{"one": name, "two": f"{name}2", "three": f"{name}3", "four": "same"} for name in names]


def records(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"id": name, "text": f"of {name}", **more} for name in names]


SAME: dict[str, tuple[Change, Change]] = {
    "blanks and capitals": (put(trimmed=" ab  c "), put(trimmed="AB C")),
    "blanks and nothing": (put(trimmed="  "), put()),
    "punctuation and accents": (put(postcode="N1 1ÀA"), put(postcode="n11AA".upper())),
    "zeros in front": (put(code="0042"), put(code="42")),
    "digits only": (put(phone="020 7946-0000"), put(phone="02079460000")),
    "within the tolerance": (put(near=1.0), put(near=1.5)),
    "what is not a number": (put(amount=float("nan")), put(amount=float("nan"))),
    "no sign of zero": (put(amount=0.0), put(amount=-0.0)),
    "the same day in London": (put(day={"seconds": 1_782_946_800}), put(day={"seconds": 1_782_946_800 + 3600 * 20})),
    "instants within the tolerance": (put(near_at={"seconds": 10}), put(near_at={"seconds": 12})),
    "clocks": (put(clock={"seconds": 10}), put(clock={"seconds": 4000})),
    "no clock": (put(clock={"seconds": 10}), put()),
    "a bag": (put(bag=["a", "b", "a"]), put(bag=["b", "a", "a"])),
    "a bag of numbers": (put(bag_of_numbers=[1.0, 2.0, 3.0]), put(bag_of_numbers=[3.05, 1.05, 2.05])),
    "a bag of messages": (put(bag_of_plain=plain("a", "b")), put(bag_of_plain=plain("b", "a"))),
    "unset and empty": (put(lax=""), put()),
    "unset and empty part": (put(lax_part={}), put()),
    "what is ignored": (put(ignored="a"), put(ignored="b")),
    "what is ignored in a list": (put(records=records("1", stamp="a")), put(records=records("1", stamp="b"))),
    "tolerance in a list": (put(records=records("1", amount=1.0)), put(records=records("1", amount=1.005))),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_what_the_contract_takes_for_the_same_is_no_difference(contract: Contract, one: Change, other: Change) -> None:
    assert looks(Comparing().messages(contract.made(one), contract.made(other))) == []
    assert looks(Comparing().messages(contract.made(other), contract.made(one))) == []


TOLD: dict[str, tuple[Change, Change, list[tuple[str, str, str]]]] = {
    "missing": (put(text="a"), put(), [("text", "MISSING", "")]),
    "added": (put(), put(text="a"), [("text", "ADDED", "")]),
    "truncated": (put(text="ABCDEF"), put(text="ABC"), [("text", "CHANGED", "truncated at 3")]),
    "longer": (put(text="ABC"), put(text="ABCDEF"), [("text", "CHANGED", "longer at 3")]),
    "padded": (put(text="42"), put(text="0042"), [("text", "CHANGED", "padded with zeros to 4")]),
    "misread": (put(text="MÜLLER"), put(text="MÃœLLER"), [("text", "CHANGED", "encoding UTF-8 read as cp1252")]),
    "replaced": (put(text="MÜLLER"), put(text="M?LLER"), [("text", "CHANGED", "encoding letters replaced")]),
    "accents": (put(text="MÜLLER"), put(text="MULLER"), [("text", "CHANGED", "accents lost letters lost their marks")]),
    "escaped": (put(text="a&b"), put(text="a&amp;b"), [("text", "CHANGED", "escaped once")]),
    "capitals": (put(text="Smith"), put(text="SMITH"), [("text", "CHANGED", "capitals")]),
    "date form": (put(text="1980-05-17"), put(text="17/05/1980"), [("text", "CHANGED", "date written otherwise")]),
    "date in a text": (put(text="1980-05-17"), put(text="1980-05-18"), [("text", "CHANGED", "one day later")]),
    "transposed": (put(text="12345"), put(text="12435"), [("text", "CHANGED", "characters transposed characters 3 and 4")]),
    "words": (put(text="JOHN PAUL"), put(text="PAUL, JOHN"), [("text", "CHANGED", "words reordered")]),
    "rounded": (put(amount=1.256), put(amount=1.26), [("amount", "CHANGED", "rounded to 2 decimals")]),
    "cut to whole": (put(amount=1.75), put(amount=1.0), [("amount", "CHANGED", "rounded to whole numbers")]),
    "tens": (put(number=187), put(number=190), [("number", "CHANGED", "rounded to 10s")]),
    "unit": (put(number=123), put(number=12300), [("number", "CHANGED", "another unit times 100")]),
    "wrapped": (put(number=70_003), put(number=4_467), [("number", "CHANGED", "wrapped around a smaller integer type")]),
    "flag": (put(flag=True), put(), [("flag", "CHANGED", "inverted yes became no")]),
    "code": (put(colour=1), put(colour=2), [("colour", "CHANGED", "another code")]),
    "unknown code": (put(colour=1), put(colour=77), [("colour", "CHANGED", "unknown code")]),
    "no code": (put(colour=1), put(), [("colour", "MISSING", "")]),
    "hour": (put(at={"seconds": 10}), put(at={"seconds": 3610}), [("at", "CHANGED", "one hour later")]),
    "precision": (put(at={"seconds": 10, "nanos": 5000}), put(at={"seconds": 10}), [("at", "CHANGED", "rounded to seconds")]),
    "clock": (put(clock={"seconds": 10}), put(clock={"seconds": 3620}), [("clock", "CHANGED", "clock an hour ahead")]),
    "day": (put(day={"seconds": 0}), put(day={"seconds": 90_000}), [("day", "CHANGED", "one day later")]),
    "born": (
        put(born={"year": 1980, "month": 5, "day": 7}),
        put(born={"year": 1980, "month": 7, "day": 5}),
        [("born", "CHANGED", "day and month swapped")],
    ),
    "part of a date": (put(born={"year": 1980, "month": 5}), put(born={"year": 1980}), [("born", "CHANGED", "part unknown")]),
    "time": (put(time={"hour": 9}), put(time={"hour": 10}), [("time", "CHANGED", "one hour later")]),
    "presence": (put(maybe=""), put(), [("maybe", "MISSING", "empty")]),
    "an empty part": (put(part={}), put(), [("part", "MISSING", "empty")]),
    "alternatives": (put(lines="a"), put(parts={"one": "a"}), [("form", "CHANGED", "parts instead of lines")]),
    "an alternative less": (put(lines="a"), put(), [("lines", "MISSING", "")]),
    "swapped": (
        put(text="a", other="b"),
        put(text="b", other="a"),
        [("text", "CHANGED", "swapped with other"), ("other", "CHANGED", "swapped with text")],
    ),
    "moved": (put(text="a"), put(other="a"), [("text", "MISSING", "moved to other"), ("other", "ADDED", "moved from text")]),
    "label lost": (lambda one: one.labels.update(a="1", b="2"), lambda one: one.labels.update(a="1"), [("labels{}", "LOST_RECORD", "")]),
    "label changed": (
        lambda one: one.labels.update(a="123"),
        lambda one: one.labels.update(a="12"),
        [("labels{}", "CHANGED", "truncated at 2")],
    ),
    "in a map": (
        lambda one: put(text="a")(one.by_name["x"]),
        lambda one: put(text="b")(one.by_name["x"]),
        [("by_name{}.text", "CHANGED", "another value")],
    ),
    "name lost": (put(names=["a", "b"]), put(names=["a"]), [("names[]", "LOST_RECORD", "at the end 1 of 2")]),
    "names reordered": (put(names=["a", "b"]), put(names=["b", "a"]), [("names[]", "REORDERED", "")]),
    "name doubled": (put(names=["a", "b"]), put(names=["a", "b", "a"]), [("names[]", "DUPLICATE_RECORD", "at the end 1 of 3")]),
    "name changed": (put(names=["a", "bcd"]), put(names=["a", "bc"]), [("names[]", "CHANGED", "truncated at 2")]),
    "bag smaller": (put(bag=["a", "a"]), put(bag=["a"]), [("bag[]", "MERGED_RECORD", "at the end 1 of 2")]),
    "first lost": (put(plain=plain("a", "b", "c")), put(plain=plain("b", "c")), [("plain[]", "LOST_RECORD", "amid others 1 of 3")]),
    "all lost": (put(plain=plain("a")), put(), [("plain[]", "LOST_RECORD", "all of them 1 of 1")]),
    "record lost and another changed": (
        put(plain=plain("a", "b", "c")),
        put(plain=[{**plain("b")[0], "one": "B"}, *plain("c")]),
        [("plain[].one", "CHANGED", "capitals"), ("plain[]", "LOST_RECORD", "amid others 1 of 3")],
    ),
    "record by id": (put(records=records("1", "2")), put(records=records("2")), [("records[]", "LOST_RECORD", "amid others 1 of 2")]),
    "records reordered and changed": (
        put(records=[*records("1", "2"), *records("3", text="new")]),
        put(records=[*records("3", text="old"), *records("1", "2")]),
        [("records[].text", "CHANGED", "another value"), ("records[]", "REORDERED", "")],
    ),
    "record doubled though it is not quite the same": (
        put(records=records("1", "2")),
        put(records=[*records("1", "2"), *records("1", amount=5.0)]),
        [("records[]", "DUPLICATE_RECORD", "at the end 1 of 3")],
    ),
    "nested lists": (
        put(records=[{"id": "1", "inside": records("a", "b")}]),
        put(records=[{"id": "1", "inside": records("a")}]),
        [("records[].inside[]", "LOST_RECORD", "at the end 1 of 2")],
    ),
}


@pytest.mark.parametrize(("one", "other", "expected"), TOLD.values(), ids=TOLD)
def test_a_difference_is_told_by_its_path_kind_and_look(
    contract: Contract, one: Change, other: Change, expected: list[tuple[str, str, str]]
) -> None:
    assert looks(Comparing().messages(contract.made(one), contract.made(other))) == expected


def test_one_record_of_twenty_that_is_lost_is_one_difference(contract: Contract) -> None:
    names = [f"n{number}" for number in range(20)]
    whole, rest = contract.made(put(plain=plain(*names))), contract.made(put(plain=plain(*(names[:7] + names[8:]))))
    assert looks(Comparing().messages(whole, rest)) == [("plain[]", "LOST_RECORD", "amid others 1 of 20")]


def test_a_field_that_the_contract_does_not_know_is_told_by_its_number(contract: Contract) -> None:
    kind = contract.kind("GetExampleResponse")
    one, other = kind(), kind.FromString(b"\xa2\x06\x02hi")
    assert looks(Comparing().messages(one, other)) == [("(100)", "ADDED", "not in the contract")]


def test_streams_are_sequences_unless_they_are_declared_as_sets(contract: Contract) -> None:
    from hub.parity.answers import Answers
    from hub.parity.pairs import Answer

    kind, answers = contract.kind("Record"), Answers(contract.contracts)
    replies = [kind(id=name, text=f"of {name}").SerializeToString() for name in "abc"]
    one = Answer("old", "METIP", replies=tuple(replies))
    for name, expected in (("ListExamples", [("(replies)[]", "REORDERED", "")]), ("FindExamples", [])):
        operation = answers.operation(f"metip.example.v1.ExampleService/{name}")
        other = Answer("new", "METIP2", replies=tuple(replies[::-1]))
        assert looks(answers.differences(operation, one, other)) == expected
        lost = Answer("new", "METIP2", replies=tuple(replies[:2]))
        assert looks(answers.differences(operation, one, lost)) == [("(replies)[]", "LOST_RECORD", "at the end 1 of 3")]


def test_errors_are_compared_by_code_and_reason(contract: Contract) -> None:
    from hub.parity.answers import Answers
    from hub.parity.pairs import Answer

    answers = Answers(contract.contracts)
    operation = answers.operation("metip.example.v1.ExampleService/GetExample")
    no_trace, fine, gone = Answer("a", "METIP", 5, "NO_TRACE"), Answer("b", "METIP2"), Answer("b", "METIP2", 14, "Mr Smith is away")
    assert looks(answers.differences(operation, no_trace, fine)) == [("(status)", "STATUS", "OK instead of NOT_FOUND NO_TRACE")]
    assert answers.differences(operation, no_trace, Answer("b", "METIP2", 5, "NO_TRACE")) == []
    assert looks(answers.differences(operation, fine, gone)) == [("(status)", "STATUS", "UNAVAILABLE ANOTHER_REASON instead of OK")]
    broken = Answer("b", "METIP2", reply=b"\xff\xff")
    assert looks(answers.differences(operation, fine, broken)) == [("(reply)", "UNREADABLE", "of the shadow")]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(MESSAGES), st.integers(0, 2**32))
def test_no_message_of_any_contract_differs_from_itself(kind: Any, seed: int) -> None:
    message = filled(kind, random.Random(seed))
    copy = kind.FromString(message.SerializeToString())
    assert Comparing().messages(message, copy) == []
    comparing = Comparing()
    found: list[Difference] = []
    comparing._walk(message, copy, "", found)  # not by the short way
    assert found == []


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(MESSAGES), st.integers(0, 2**32))
def test_a_difference_is_seen_from_both_sides(kind: Any, seed: int) -> None:
    dice = random.Random(seed)
    one = filled(kind, dice)
    other = changed(one, dice) if seed % 3 else filled(kind, dice)
    there = Counter((each.path, each.kind) for each in Comparing().messages(one, other))
    back = Counter((each.path, MIRROR[each.kind]) for each in Comparing().messages(other, one))
    assert set(there) == set(back)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.permutations(range(6)))
def test_an_unordered_list_may_come_in_any_order(contract: Contract, order: list[int]) -> None:
    names = [f"n{number}" for number in range(6)]
    one, other = put(bag_of_plain=plain(*names), bag=names), [names[place] for place in order]
    assert Comparing().messages(contract.made(one), contract.made(put(bag_of_plain=plain(*other), bag=other))) == []


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from("abcdefgh"), max_size=8), st.lists(st.sampled_from("abcdefgh"), max_size=8))
def test_what_lists_lost_and_gained_adds_up(contract: Contract, one: list[str], other: list[str]) -> None:
    found = Counter(each.kind for each in Comparing().messages(contract.made(put(names=one)), contract.made(put(names=other))))
    lost, new = found[Kind.LOST_RECORD] + found[Kind.MERGED_RECORD], found[Kind.EXTRA_RECORD] + found[Kind.DUPLICATE_RECORD]
    assert len(one) - lost + new == len(other)
    assert (not found) == (one == other)
