"""A journal that somebody changed on disk is not opened, and the first record that does not follow is named."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from journals import NAME, Ledger

from metip.journal.file import BrokenError


def write(ledger: Ledger, number: int) -> None:
    """Keeps so many records."""

    async def body() -> None:
        with ledger.journal() as journal:
            for draft in ledger.drafts(number):
                await journal.record(draft)

    asyncio.run(body())


TAMPERING = {
    "a-flipped-bit": "update records set record = cast(x'00' || substr(record, 2) as blob) where position = 4",
    "a-changed-link": "update records set chain = zeroblob(32) where position = 4",
    "one-taken-out": "delete from records where position = 4",
    "two-exchanged": "update records set record = (select record from records where position = 7) where position = 4",
}


@pytest.mark.parametrize("statement", TAMPERING.values(), ids=TAMPERING)
def test_a_journal_that_does_not_chain_is_not_opened_and_the_first_bad_record_is_named(tmp_path: Path, statement: str) -> None:
    ledger = Ledger(tmp_path / "ledger")
    write(ledger, 8)
    ledger.change(statement)
    with pytest.raises(BrokenError, match=f"CHAIN_BROKEN: record 4 of {NAME}"), ledger.journal():
        pytest.fail("it opened")


@settings(max_examples=30, deadline=None)
@given(position=some.integers(1, 6), in_link=some.booleans(), place=some.integers(0, 10_000))
def test_a_bit_that_was_flipped_anywhere_is_found_at_opening(
    tmp_path_factory: pytest.TempPathFactory, position: int, in_link: bool, place: int
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("flipped"))
    write(ledger, 5)
    _, record, link = ledger.rows()[position - 1]
    changed = bytearray(link if in_link else record)
    bit = place % (8 * len(changed))
    changed[bit // 8] ^= 1 << bit % 8
    column = "chain" if in_link else "record"
    ledger.change(f"update records set {column} = ? where position = ?", bytes(changed), position)  # noqa: S608 - names of our own columns
    with pytest.raises(BrokenError, match=f"CHAIN_BROKEN: record {position} "), ledger.journal():
        pytest.fail("it opened")
