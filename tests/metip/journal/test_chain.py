"""The chain: its published form, and that nothing can be done to a journal unnoticed."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as some

from metip.journal import chain

RECORDS = some.lists(some.binary(max_size=60), min_size=1, max_size=12)
Row = tuple[int, bytes, bytes]


def chained(records: list[bytes], name: str = "sample-0") -> list[Row]:
    """Rows as a journal has them."""
    link, rows = chain.start(name), list[Row]()
    for position, record in enumerate(records, 1):
        link = chain.after(link, record)
        rows.append((position, record, link))
    return rows


def first_break(rows: list[Row]) -> int | None:
    """Where the chain of the whole journal breaks."""
    return chain.first_break(0, chain.start("sample-0"), rows)


def test_the_form_is_the_documented_one() -> None:
    zero = sha256(b"metip-journal/1\nsample-0").digest()
    leaf = sha256(b"\x00record").digest()
    assert chain.start("sample-0") == zero
    assert chain.leaf_hash(b"record") == leaf
    assert chain.after(zero, b"record") == sha256(b"\x02" + zero + leaf).digest()


@given(RECORDS)
def test_a_journal_as_it_was_written_chains_from_any_record_on(records: list[bytes]) -> None:
    rows = chained(records)
    assert first_break(rows) is None
    for number, (position, _, link) in enumerate(rows, 1):
        assert chain.first_break(position, link, rows[number:]) is None


@given(RECORDS, some.data())
def test_one_bit_that_was_flipped_is_found_where_it_is(records: list[bytes], data: some.DataObject) -> None:
    rows = chained(records)
    at = data.draw(some.integers(0, len(rows) - 1))
    position, record, link = rows[at]
    bit = data.draw(some.integers(0, 8 * (len(record) + len(link)) - 1))
    changed = bytearray(record + link)
    changed[bit // 8] ^= 1 << bit % 8
    rows[at] = position, bytes(changed[: len(record)]), bytes(changed[len(record) :])
    assert first_break(rows) == position


@given(RECORDS, some.data())
def test_a_record_that_was_taken_out_is_found_unless_it_was_the_last(records: list[bytes], data: some.DataObject) -> None:
    rows = chained([*records, b"last"])
    at = data.draw(some.integers(0, len(rows) - 2))
    renumbered = [(position, record, link) for position, (_, record, link) in enumerate(rows[:at] + rows[at + 1 :], 1)]
    assert first_break(rows[:at] + rows[at + 1 :]) == at + 1
    assert first_break(renumbered) == at + 1


@given(RECORDS, some.data())
def test_a_record_that_was_put_in_or_moved_is_found(records: list[bytes], data: some.DataObject) -> None:
    rows = chained(records)
    at = data.draw(some.integers(0, len(rows) - 1))
    put_in = [*records[:at], b"put in " + records[at], *records[at:]]
    assert (
        first_break([(one, record, (rows[one - 1] if one <= len(rows) else rows[-1])[2]) for one, record in enumerate(put_in, 1)]) == at + 1
    )


def test_a_journal_under_another_name_does_not_chain() -> None:
    assert first_break(chained([b"record"], "sample-1")) == 1
