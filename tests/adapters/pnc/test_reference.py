"""The codec against the exchanges that Bichard 7 recorded with the PNC; they stay outside the repository."""

import dataclasses
import functools
import os
import re
from pathlib import Path

import pytest

from adapters.pnc.records import OPERATIONS, SEGMENTS
from adapters.pnc.replies import UNKNOWN_ENQUIRY, UNKNOWN_UPDATE, Outcome, reply_codes, verdict
from adapters.pnc.wire import Direction, Segment, Transaction, decode, encode

BESIDE_THE_CHECKOUT = Path(__file__).parents[4] / "shared" / "reference"
FOLDER = Path(os.environ.get("METIP_REFERENCE_DIR") or BESIDE_THE_CHECKOUT) / "pnc" / "exchanges"
FILES = sorted(FOLDER.glob("*.txt"))

MESSAGE = re.compile(rb"<\?xml[^>]*\?>\s*<(\w+)>.*?</\1>", re.DOTALL)

pytestmark = pytest.mark.skipif(not FILES, reason="METIP_REFERENCE_DIR names no folder that holds pnc/exchanges/*.txt")
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@functools.cache
def recorded(file: Path) -> list[bytes]:
    return [found.group() for found in MESSAGE.finditer(file.read_bytes())]


@functools.cache
def transactions(file: Path) -> list[Transaction]:
    return [decode(message) for message in recorded(file)]


@each_file
def test_every_recorded_message_comes_back_byte_for_byte(file: Path) -> None:
    messages = recorded(file)
    assert len(messages) == file.read_bytes().count(b"<?xml")
    assert [encode(decode(message)) for message in messages] == messages
    around = [b"\r\n " + message + b"\n\n" for message in messages]
    assert [encode(decode(message)) for message in around] == around


@each_file
def test_recorded_messages_do_not_contradict_themselves(file: Path) -> None:
    for transaction in transactions(file):
        assert transaction.problems() == ()
        assert Transaction.of(transaction.root, transaction.header, transaction.segments).trailer == transaction.trailer


@each_file
def test_recorded_segments_are_as_wide_as_the_table_says(file: Path) -> None:
    for segment in leaves(file):
        layout = SEGMENTS.get(segment.tag)
        assert layout is not None, segment.tag
        assert len(segment.body) == layout.width, segment.tag


@each_file
def test_recorded_segments_can_be_built_again_from_their_fields(file: Path) -> None:
    for segment in leaves(file):
        assert Segment.of(segment.tag, **segment.fields()) == segment, segment.tag


@each_file
def test_recorded_messages_written_from_their_values_read_the_same(file: Path) -> None:
    for transaction in transactions(file):
        forgotten = dataclasses.replace(transaction, segments=tuple(map(without_spelling, transaction.segments)))
        written = encode(forgotten)
        assert b"\n" not in written
        assert decode(written) == transaction


@each_file
def test_recorded_headers_carry_known_functions(file: Path) -> None:
    known = {(operation.root, operation.group, operation.kind, name) for name, operation in OPERATIONS.items()}
    for transaction in transactions(file):
        header = transaction.header
        functions = [name for name in OPERATIONS if name.endswith(header.function.removeprefix("ERR"))]
        assert any((transaction.root, header.group, header.kind, name) in known for name in functions)
        assert (header.direction == Direction.ERROR) == header.function.startswith("ERR")


@each_file
def test_recorded_replies_echo_the_header_they_answer(file: Path) -> None:
    asked = {}
    for transaction in transactions(file):
        header = transaction.header
        if header.direction == Direction.SENT:
            asked[header.group, header.serial] = header
        elif (request := asked.get((header.group, header.serial))) is not None:
            error = header.direction == Direction.ERROR
            echo = dataclasses.replace(
                request,
                direction=header.direction,
                function=f"ERR{request.function[3:]}" if error else request.function,
                date=header.date,
                time=header.time,
            )
            assert header == echo


@each_file
def test_recorded_reply_texts_all_have_a_meaning(file: Path) -> None:
    for transaction in transactions(file):
        for reply in reply_codes(transaction):
            said = verdict(reply.code, update=transaction.update, text=reply.text)
            assert said not in (UNKNOWN_ENQUIRY, UNKNOWN_UPDATE), reply.code
            assert said.outcome in (Outcome.ACCEPTED, Outcome.WARNING, Outcome.NOT_FOUND), reply.code
            refused = transaction.header.direction == Direction.ERROR
            assert refused == (said.outcome is Outcome.NOT_FOUND), reply.code


def test_more_than_four_hundred_messages_are_recorded() -> None:
    assert sum(len(recorded(file)) for file in FILES) > 400


def leaves(file: Path) -> list[Segment]:
    return [segment for transaction in transactions(file) for segment in transaction.walk() if not segment.children]


def without_spelling(segment: Segment) -> Segment:
    return dataclasses.replace(segment, children=tuple(map(without_spelling, segment.children)))
