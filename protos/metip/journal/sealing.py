"""Sealing what is personal in a record, so that it can be erased while the record stays: its key is deleted.

The law: one data key (32 bytes) per process, interface and month, which the process keeps in memory only; after a restart it makes others.
A data key is kept wrapped: number of the sealing key (4 bytes, big endian), then HPKE (RFC 9180, base mode, X25519, HKDF-SHA256,
AES-256-GCM) to the ledger's public sealing key of that number, bound to key id, interface and month. Particulars are AES-256-GCM under the
data key with the key id as associated data: 12 bytes of nonce, ciphertext, tag. Nonces of a key count up, so none comes twice.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from metip.journal.blinding import LOOK_EVERY
from metip.journal.keys import SecretError, numbered, read_secret

ID_SIZE: Final = 16
NONCE_SIZE: Final = 12
_NUMBER: Final = 4
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key as it is kept: `month` is `YYYY-MM`."""

    id: bytes
    interface: str
    month: str
    wrapped: bytes = field(repr=False)


@dataclass(slots=True)
class _DataKey:
    id: bytes
    cipher: AESGCM
    used: int = 0


class Sealer:
    """Seals for one process. Not for several threads at once: nonces are counted."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`folder` holds the public sealing keys `1.pub`, … of which the highest is used. Raises `SecretError` when it holds none."""
        self._folder, self._clock, self._looked = folder, clock, clock()
        self._keys: dict[tuple[str, str], _DataKey] = {}
        self.unsaved: list[Wrapped] = []
        """Keys made since they were last saved; whoever keeps the records keeps them in the same transaction, and clears this."""
        self._number, self._public = self._newest()

    def seal(self, interface: str, month: str, particulars: bytes) -> tuple[bytes, bytes]:
        """The key's id and the sealed particulars. Raises `SecretError` when a newer sealing key can't be read."""
        key = self._keys.get((interface, month)) or self._made(interface, month)
        nonce = key.used.to_bytes(NONCE_SIZE, "big")
        key.used += 1
        return key.id, nonce + key.cipher.encrypt(nonce, particulars, key.id)

    def forget(self) -> None:
        """Makes new keys from now on: the last ones were not saved, or the sealing key has changed."""
        self._keys.clear()
        self.unsaved.clear()

    def look(self) -> None:
        """Takes a newer sealing key into use when there is one. To be called while nothing is unsaved."""
        if self._clock() - self._looked < LOOK_EVERY:
            return
        self._looked = self._clock()
        number, public = self._newest()
        if number != self._number:
            self._number, self._public = number, public
            self.forget()

    def _made(self, interface: str, month: str) -> _DataKey:
        # A month that is over needs no key any more; it is told by its text, which sorts.
        self._keys = {place: key for place, key in self._keys.items() if place[1] >= month or place[0] != interface}
        data, key_id = AESGCM.generate_key(256), secrets.token_bytes(ID_SIZE)
        sealed = _SUITE.encrypt(data, self._public, info=_bound(key_id, interface, month))
        self.unsaved.append(Wrapped(key_id, interface, month, self._number.to_bytes(_NUMBER, "big") + sealed))
        key = self._keys[interface, month] = _DataKey(key_id, AESGCM(data))
        return key

    def _newest(self) -> tuple[int, X25519PublicKey]:
        found = numbered(self._folder, ".pub")
        if not found:
            raise SecretError(f"{self._folder} holds no public sealing key")
        number = max(found)
        content = found[number].read_bytes()
        if len(content) != 32:
            raise SecretError(f"{found[number]} has not 32 bytes")
        return number, X25519PublicKey.from_public_bytes(content)


class Opener:
    """Opens what was sealed, with the private sealing keys that only the hub has."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds the private keys `1.key`, … which are read when they are needed."""
        self._folder = folder
        self._private: dict[int, X25519PrivateKey] = {}

    def unwrap(self, key: Wrapped) -> bytes:
        """The data key. Raises `SecretError` when its sealing key is not there, or when it was not wrapped for that interface and month."""
        number = int.from_bytes(key.wrapped[:_NUMBER], "big")
        private = self._private.get(number)
        if private is None:
            private = X25519PrivateKey.from_private_bytes(read_secret(self._folder / f"{number}.key", 32))
            self._private[number] = private
        try:
            return _SUITE.decrypt(key.wrapped[_NUMBER:], private, info=_bound(key.id, key.interface, key.month))
        except (InvalidTag, ValueError):
            raise SecretError("a data key does not open: it, its interface or its month was changed") from None


def opened(data_key: bytes, key_id: bytes, sealed: bytes) -> bytes:
    """The particulars of a record. Raises `SecretError` when they were changed or belong to another key."""
    try:
        return AESGCM(data_key).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], key_id)
    except (InvalidTag, ValueError):
        raise SecretError("sealed particulars do not open: they or their key were changed") from None


def _bound(key_id: bytes, interface: str, month: str) -> bytes:
    return b"metip-sealing/1\n" + key_id + f"\n{interface}\n{month}".encode()
