"""Keyed hashes of identifiers: what a record is found by without holding it.

The law: token = first 16 bytes of HMAC-SHA-256(key of the kind, normal form), where the key of a kind is HMAC-SHA-256(index key,
"metip-index/" || kind). So neither the ledger nor a query in it holds an identifier in clear, equal values of two kinds do not look alike,
and nobody who lacks the index key can try values out.
"""

import hmac
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

from metip.identifiers import PARSERS
from metip.journal.keys import SecretError, numbered, read_secret

SIZE: Final = 16
KEY_SIZE: Final = 32
NAME_AND_BIRTH: Final = "name_and_birth"
OFFICER: Final = "officer"
REFERENCE: Final = "reference"
LOOK_EVERY: Final = 2.0
"""Seconds between two looks for a newer key."""
REMEMBERED: Final = 8192


@dataclass(frozen=True, slots=True)
class Token:
    """Stands for one identifier; `key` numbers the index key. 16 bytes."""

    kind: str
    value: bytes
    key: int


def normal_form(kind: str, text: str) -> str:
    """The one form of an identifier under which it is indexed; empty for one that does not parse, since nothing is guessed.

    Kinds of the identifier dictionary have its canonical form. Any other, such as `officer` and `reference`, is upper case without blanks.
    `name_and_birth` is made by `name_and_birth`.
    """
    parse = PARSERS.get(kind)
    if parse is not None:
        return parse(text).canonical
    return text if kind == NAME_AND_BIRTH else "".join(text.split()).upper()


def name_and_birth(surname: str, forename: str, born: date) -> str:
    """The normal form of a person who is described: the letters of surname and first forename, without accents, and the date of birth."""
    return f"{letters(surname)}|{letters(forename)}|{born.isoformat()}"


@lru_cache(maxsize=REMEMBERED)
def letters(text: str) -> str:
    """The letters of a name in upper case, decomposed (Unicode NFKD), without accents, hyphens, apostrophes and blanks."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text).upper() if letter.isalpha())


class IndexKeys:
    """The index keys of a folder: `1.key`, `2.key`, … of 32 random bytes. The highest number is in use; older ones are still searched.

    A key that is added while the process runs is used within `LOOK_EVERY` seconds.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Reads the folder. Raises `SecretError` when it holds no key, or one that is exposed or not 32 bytes."""
        self._folder, self._clock = folder, clock
        self._changed, self._looked = -1, 0.0
        self._keys: Mapping[int, bytes] = {}
        self.number = 0
        """Of the key in use."""
        self._read()

    def in_use(self) -> int:
        """Number of the key in use, after a look for a newer one when it is time."""
        now = self._clock()
        if now - self._looked >= LOOK_EVERY:
            self._look(now)
        return self.number

    def token(self, kind: str, normal: str) -> Token:
        """The token of a normal form under the key in use."""
        self.in_use()
        return self._token(kind, normal)

    def tokens(self, kind: str, normal: str) -> tuple[Token, ...]:
        """The tokens of a normal form under every key, the newest first: what a search looks for."""
        self._look(self._clock())
        return tuple(Token(kind, _blind(_of_kind(key, kind), normal), number) for number, key in sorted(self._keys.items(), reverse=True))

    def _look(self, now: float) -> None:
        self._looked = now
        if self._folder.stat().st_mtime_ns != self._changed:
            self._read()

    def _read(self) -> None:
        changed = self._folder.stat().st_mtime_ns if self._folder.is_dir() else -1
        keys = {number: read_secret(path, KEY_SIZE) for number, path in numbered(self._folder, ".key").items()}
        if not keys:
            raise SecretError(f"{self._folder} holds no index key")
        number = max(keys)
        in_use = keys[number]
        of_kind: dict[str, bytes] = {}

        def token(kind: str, normal: str) -> Token:
            key = of_kind.get(kind) or of_kind.setdefault(kind, _of_kind(in_use, kind))
            return Token(kind, _blind(key, normal), number)

        self._token = lru_cache(maxsize=REMEMBERED)(token)  # before its number is seen: other threads remember tokens by that
        self._keys, self.number, self._changed, self._looked = keys, number, changed, self._clock()


def _of_kind(key: bytes, kind: str) -> bytes:
    return hmac.digest(key, b"metip-index/" + kind.encode(), "sha256")


def _blind(key: bytes, normal: str) -> bytes:
    return hmac.digest(key, normal.encode(), "sha256")[:SIZE]
