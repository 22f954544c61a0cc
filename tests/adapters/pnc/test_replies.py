"""Reply texts: what each code means for an enquiry and for an update."""

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.pnc.replies import ROWS, Outcome, ReplyText, classify, overall, reply_codes, verdict
from adapters.pnc.wire import Header, Segment, Transaction

AT = datetime.datetime(2031, 5, 6, 7, 8, tzinfo=datetime.UTC)

# code, enquiry, its exception, update, its exception
MEANINGS = [
    ("A0003", Outcome.ACCEPTED, "", Outcome.ACCEPTED, ""),
    ("A0031", Outcome.ACCEPTED, "", Outcome.ACCEPTED, ""),
    ("I0001", Outcome.HOST_FAULT, "HO100314", Outcome.INVALID, "HO100402"),
    ("I0005", Outcome.HOST_FAULT, "HO100314", Outcome.INVALID, "HO100402"),
    ("I0006", Outcome.HOST_FAULT, "HO100314", Outcome.IN_DOUBT, "HO100402"),
    ("I0007", Outcome.HOST_FAULT, "HO100314", Outcome.PRECONDITION, "HO100401"),
    ("I0008", Outcome.HOST_FAULT, "HO100314", Outcome.PRECONDITION, "HO100401"),
    ("I0013", Outcome.NOT_FOUND, "HO100301", Outcome.PRECONDITION, "HO100401"),
    ("I0017", Outcome.NOT_FOUND, "HO100301", Outcome.INVALID, "HO100402"),
    ("I0022", Outcome.NOT_FOUND, "HO100301", Outcome.PRECONDITION, "HO100401"),
    ("I0023", Outcome.HOST_FAULT, "HO100314", Outcome.PRECONDITION, "HO100401"),
    ("I0024", Outcome.HOST_FAULT, "HO100314", Outcome.INVALID, "HO100402"),
    ("I0030", Outcome.HOST_FAULT, "HO100314", Outcome.INVALID, "HO100402"),
    ("I0031", Outcome.HOST_FAULT, "HO100314", Outcome.PRECONDITION, "HO100401"),
    ("I0036", Outcome.HOST_FAULT, "HO100314", Outcome.PRECONDITION, "HO100401"),
    ("I0208", Outcome.PRECONDITION, "HO100313", Outcome.PRECONDITION, "HO100401"),
    ("I0212", Outcome.PRECONDITION, "HO100313", Outcome.PRECONDITION, "HO100401"),
    ("I0256", Outcome.PRECONDITION, "HO100313", Outcome.PRECONDITION, "HO100401"),
    ("I1001", Outcome.INVALID, "HO100314", Outcome.INVALID, "HO100402"),
    ("I1008", Outcome.NOT_FOUND, "HO100301", Outcome.INVALID, "HO100402"),
    ("I1041", Outcome.INVALID, "HO100314", Outcome.INVALID, "HO100402"),
    ("J0001", Outcome.JUSTIFY, "", Outcome.IN_DOUBT, "HO100402"),
    ("I1042", Outcome.HOST_FAULT, "HO100314", Outcome.IN_DOUBT, "HO100402"),
    ("I5001", Outcome.WARNING, "HO100315", Outcome.WARNING, "HO100403"),
    ("I5999", Outcome.WARNING, "HO100315", Outcome.WARNING, "HO100403"),
    ("I6001", Outcome.UNAVAILABLE, "HO100314", Outcome.LOCKED, "HO100404"),
    ("I6002", Outcome.UNAVAILABLE, "HO100314", Outcome.LOCKED, "HO100404"),
    ("PNCUE", Outcome.UNAVAILABLE, "HO100302", Outcome.LOCKED, "HO100404"),
    ("PNCAM", Outcome.UNAVAILABLE, "HO100302", Outcome.IN_DOUBT, "HO100404"),
    ("", Outcome.HOST_FAULT, "HO100314", Outcome.IN_DOUBT, "HO100402"),
    ("I002X", Outcome.HOST_FAULT, "HO100314", Outcome.IN_DOUBT, "HO100402"),
    ("I00140", Outcome.HOST_FAULT, "HO100314", Outcome.IN_DOUBT, "HO100402"),
]


@pytest.mark.parametrize(
    ("code", "enquiry", "enquiry_exception", "update", "update_exception"),
    MEANINGS,
    ids=[meaning[0] or "none" for meaning in MEANINGS],
)
def test_a_code_means_what_the_table_says(
    code: str, enquiry: Outcome, enquiry_exception: str, update: Outcome, update_exception: str
) -> None:
    asked, changed = verdict(code, update=False), verdict(code, update=True)
    assert (asked.outcome, asked.exception) == (enquiry, enquiry_exception)
    assert (changed.outcome, changed.exception) == (update, update_exception)
    assert (classify(code, update=False), classify(code, update=True)) == (enquiry, update)


def test_every_row_is_reached_by_some_code() -> None:
    for update in (False, True):
        spoken = [row.update if update else row.enquiry for row in ROWS]
        for row, said in zip(ROWS, spoken, strict=True):
            if said is not None:
                assert any(verdict(first, update=update) is said for first, _ in row.spans)


def test_not_found_needs_the_words_where_the_text_is_known() -> None:
    assert classify("I1008", update=False, text="ENQUIRY ERROR ARREST/SUMMONS REF (X) NOT FOUND") is Outcome.NOT_FOUND
    assert classify("I1008", update=False, text="ENQUIRY ERROR") is Outcome.INVALID


@given(st.one_of(st.text(max_size=8), st.from_regex(r"[AI][0-9]{4}", fullmatch=True)))
def test_only_an_accepted_code_or_a_warning_says_that_an_update_was_done(code: str) -> None:
    done = classify(code, update=True) in (Outcome.ACCEPTED, Outcome.WARNING)
    assert done == (re.fullmatch(r"A[0-9]{4}|I5(?!000)[0-9]{3}", code) is not None)


# body of a TXT, code, text
TEXTS = [
    ("A0031 - REMAND REPORT HAS BEEN PROCESSED", "A0031", "REMAND REPORT HAS BEEN PROCESSED"),
    ("I1008 - GWAY - ENQUIRY ERROR", "I1008", "GWAY - ENQUIRY ERROR"),
    ("  PNCUE: TRY LATER  ", "PNCUE", "TRY LATER"),
    ("PNCAM", "PNCAM", ""),
    ("SOMETHING ELSE - ENTIRELY", "", "SOMETHING ELSE - ENTIRELY"),
    ("A00311 - TOO LONG A CODE", "", "A00311 - TOO LONG A CODE"),
    ("", "", ""),
]


@pytest.mark.parametrize(("body", "code", "text"), TEXTS, ids=[text[1] or "none" for text in TEXTS])
def test_a_reply_text_is_taken_apart(body: str, code: str, text: str) -> None:
    header = Header.of("NEWREM", serial=1, sequence=2, at=AT).reply(at=AT)
    transaction = Transaction.of("CXU01", header, [Segment("TXT", body)])
    assert reply_codes(transaction) == (ReplyText(code, text),)


def test_reply_texts_come_in_order_and_do_not_show_their_text() -> None:
    header = Header.of("DISARR", serial=1, sequence=2, at=AT).reply(at=AT)
    replies = reply_codes(
        Transaction.of(
            "CXU02",
            header,
            [
                Segment.of("CCR", court_case_ref="31/0001/1A"),
                Segment.of("TXT", message="A0027 - NEW CASE 31/0001/2B"),
                Segment.of("TXT", message="A0003 - DONE"),
            ],
        )
    )
    assert [reply.code for reply in replies] == ["A0027", "A0003"]
    assert "31/0001" not in repr(replies)


# codes of a reply, outcome for an enquiry, for an update
TOGETHER = [
    ((), Outcome.HOST_FAULT, Outcome.IN_DOUBT),
    (("A0003",), Outcome.ACCEPTED, Outcome.ACCEPTED),
    (("A0003", "I5069"), Outcome.WARNING, Outcome.WARNING),
    (("A0003", "I0001"), Outcome.HOST_FAULT, Outcome.IN_DOUBT),
    (("I5069", "PNCUE"), Outcome.UNAVAILABLE, Outcome.IN_DOUBT),
    (("I0001", "I0013"), Outcome.HOST_FAULT, Outcome.PRECONDITION),
    (("PNCUE", "?"), Outcome.HOST_FAULT, Outcome.IN_DOUBT),
]


@pytest.mark.parametrize(("codes", "enquiry", "update"), TOGETHER, ids=[" ".join(row[0]) or "none" for row in TOGETHER])
def test_several_texts_have_the_outcome_that_wants_most_care(codes: tuple[str, ...], enquiry: Outcome, update: Outcome) -> None:
    texts = [ReplyText(code, "") for code in codes]
    assert overall(texts, update=False) is enquiry
    assert overall(texts, update=True) is update
