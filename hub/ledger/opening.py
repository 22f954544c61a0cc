"""Opens what is sealed in records, with data keys that are unwrapped once and remembered for a while."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from google.protobuf.message import DecodeError

from hub.ledger.index import WrappedKey
from hub.ledger.port import Statements
from metip.journal.keys import SecretError
from metip.journal.sealing import Opener, Wrapped, opened
from metip.ledger.v1 import record_pb2

REMEMBERED: Final = 256
"""Data keys in memory; an erased one is gone from it by `Particulars.forget`."""
Look = Callable[[bytes], WrappedKey | None]
"""The wrapped key of an id; None for one that is unknown or erased."""


class Unsealing:
    """Opens particulars. Of one thread: the one that gathers has its own, and the one that answers too."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds the private sealing keys `1.key`, …"""
        self._opener = Opener(folder)
        self._data_key = lru_cache(maxsize=REMEMBERED)(self._unwrapped)

    def open(self, record: record_pb2.Record, look: Look) -> record_pb2.Particulars | None:
        """What is sealed in a record; None where nothing is, where its key is erased, or where it does not open."""
        if not record.sealed:
            return None
        key = look(record.key_id)
        if key is None:
            return None
        try:
            data_key = self._data_key(Wrapped(key.id, key.interface, key.month, key.wrapped))
            return record_pb2.Particulars.FromString(opened(data_key, record.key_id, record.sealed))
        except (SecretError, DecodeError):
            return None

    def forget(self) -> None:
        """Forgets all data keys, so that none outlives its erasure."""
        self._data_key.cache_clear()

    def _unwrapped(self, key: Wrapped) -> bytes:
        return self._opener.unwrap(key)


def kept(db: Statements) -> Look:
    """Keys as the ledger keeps them."""

    def look(key_id: bytes) -> WrappedKey | None:
        row = db.execute("SELECT journal, interface, month, wrapped FROM keys WHERE id = ? AND wrapped IS NOT NULL", (key_id,)).fetchone()
        return None if row is None else WrappedKey(key_id, str(row[0]), str(row[1]), str(row[2]), bytes(row[3]))

    return look
