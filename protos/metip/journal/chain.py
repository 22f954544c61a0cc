"""The chain over a journal's records: each link holds the one before it, so that nothing can be changed, left out or put in between.

The law: leaf(r) = SHA-256(0x00 || r), the leaf hash of RFC 6962 section 2.1, over the bytes as they were first written;
chain(0) = SHA-256("metip-journal/1\\n" || the journal's name); chain(n) = SHA-256(0x02 || chain(n-1) || leaf(record n)).
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

SIZE: Final = 32
"""Bytes of a link."""
_HEAD: Final = b"metip-journal/1\n"


def leaf_hash(record: bytes) -> bytes:
    """The leaf hash of a record's bytes; 32 bytes."""
    return sha256(b"\x00" + record).digest()


def start(name: str) -> bytes:
    """The link before the first record of the journal of that name; 32 bytes."""
    return sha256(_HEAD + name.encode()).digest()


def after(link: bytes, record: bytes) -> bytes:
    """The link of a record that follows the one with `link`; 32 bytes."""
    return sha256(b"\x02" + link + sha256(b"\x00" + record).digest()).digest()


def first_break(position: int, link: bytes, rows: Iterable[tuple[int, bytes, bytes]]) -> int | None:
    """The first position that does not follow: a gap, a record or a link that was changed; None when all do.

    `rows` are (position, record, link) in order, and `link` is that of the record at `position`, or `start` with position 0. A changed
    record and a changed link look alike, and both are named by their own position.
    """
    for at, record, stored in rows:
        position += 1
        link = after(link, record)
        if at != position or link != stored:
            return position
    return None
