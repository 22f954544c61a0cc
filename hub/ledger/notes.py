"""C2SP's text forms: the signed note, the checkpoint of a log, and the cosignature of a witness (c2sp.org: signed-note, tlog-checkpoint,
tlog-cosignature v1).

    metip.local/ledger                              origin
    20852163                                        size
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=    root, base64
                                                    an empty line, which belongs to no text
    — metip.local/ledger Az3grl…                    signatures: the key's name; base64 of the key's id (4 bytes) and the signature

The law: what is not exactly of the form is refused, for two readers must never read one note differently.
"""

import base64
import binascii
import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.ledger.tree import HASH_BYTES

LONGEST_NOTE: Final = 64 * 1024
MOST_SIGNATURES: Final = 64
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
DASH: Final = "\u2014 "
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class NoteError(Exception):
    """A note, a key or a checkpoint that is not of the form, or that nobody trusted signed; the text says which and why."""


class Kind(IntEnum):
    """What a key signs; the numbers are C2SP's signature types."""

    SIGNATURE = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True)
class Verifier:
    """A public key by name."""

    name: str
    key: bytes
    """Ed25519, 32 bytes."""
    kind: Kind = Kind.SIGNATURE

    @property
    def id(self) -> bytes:
        """4 bytes by which a signature names its key."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes((self.kind,)) + self.key).digest()[:4]

    def __str__(self) -> str:
        """The key as text: name, id and key joined by `+`."""
        return f"{self.name}+{self.id.hex()}+{_text(bytes((self.kind,)) + self.key)}"

    def verify(self, text: str, signature: bytes) -> int | None:
        """Checks a signature without its key id. Returns the time (seconds since 1970) of a cosignature. Raises `NoteError`."""
        time, signed = None, text.encode()
        if self.kind is Kind.COSIGNATURE:
            if len(signature) != 8 + SIGNATURE_BYTES:
                raise NoteError(f"the cosignature of {self.name} has {len(signature)} bytes, not {8 + SIGNATURE_BYTES}")
            time, signature = int.from_bytes(signature[:8]), signature[8:]
            signed = _cosigned(text, time)
        if len(signature) != SIGNATURE_BYTES:
            raise NoteError(f"the signature of {self.name} has {len(signature)} bytes, not {SIGNATURE_BYTES}")
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, signed)
        except InvalidSignature:
            raise NoteError(f"the signature of {self.name} is not of this text") from None
        return time


@dataclass(frozen=True)
class Signer:
    """A private key by name."""

    name: str
    private: Ed25519PrivateKey
    kind: Kind = Kind.SIGNATURE

    @property
    def verifier(self) -> Verifier:
        """Its public half. Raises `NoteError` for a name that no note can carry."""
        _check_name(self.name)
        return Verifier(self.name, self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), self.kind)

    def sign(self, text: str, *, time: int = 0) -> str:
        """The signature's line over a note's text; a cosignature also states `time`, in seconds since 1970."""
        stamp, signed = b"", text.encode()
        if self.kind is Kind.COSIGNATURE:
            stamp, signed = time.to_bytes(8), _cosigned(text, time)
        return f"{DASH}{self.name} {_text(self.verifier.id + stamp + self.private.sign(signed))}\n"


@dataclass(frozen=True)
class Signature:
    """One signature's line."""

    name: str
    key_id: bytes
    value: bytes

    def __str__(self) -> str:
        return f"{DASH}{self.name} {_text(self.key_id + self.value)}\n"


@dataclass(frozen=True)
class Note:
    """A signed text."""

    text: str
    """Ends with a line's end."""
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    def signed_by(self, trusted: Iterable[Verifier]) -> dict[Verifier, int | None]:
        """Those of the trusted keys that signed, with the time of a cosignature; unknown signatures count for nothing.

        Raises `NoteError` where a trusted key's signature is wrong: such a note is not merely unsigned, it is forged or damaged.
        """
        found: dict[Verifier, int | None] = {}
        for key in trusted:
            for one in self.signatures:
                if (one.name, one.key_id) == (key.name, key.id):
                    if key in found:
                        raise NoteError(f"{key.name} signed twice")
                    found[key] = key.verify(self.text, one.value)
        return found


@dataclass(frozen=True)
class Checkpoint:
    """The state of a log."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{_text(self.root)}\n"


def signed(text: str, signer: Signer) -> Note:
    """A text as a note with one signature."""
    return parsed(f"{text}\n{signer.sign(text)}")


def parsed(content: str | bytes) -> Note:
    """Reads a signed note; verifies nothing. Raises `NoteError`."""
    if len(content) > LONGEST_NOTE:
        raise NoteError(f"a note has at most {LONGEST_NOTE} bytes, and this one has {len(content)}")
    try:
        whole = content.decode() if isinstance(content, bytes) else content
        whole.encode()
    except UnicodeError:
        raise NoteError("the note is not UTF-8") from None
    if _CONTROL.search(whole):
        raise NoteError("the note has control characters")
    text, gap, tail = whole.rpartition("\n\n")
    if not gap or not text:
        raise NoteError("the note has no empty line between a text and its signatures")
    if not tail.endswith("\n"):
        raise NoteError("the note's last line has no end")
    lines = tail[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise NoteError(f"a note has at most {MOST_SIGNATURES} signatures, and this one has {len(lines)}")
    return Note(f"{text}\n", tuple(map(_signature, lines)))


def parsed_checkpoint(text: str) -> Checkpoint:
    """Reads the text of a checkpoint; extension lines are refused, since nobody here writes any. Raises `NoteError`."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise NoteError("a checkpoint has three lines: origin, size, root")
    origin, size, encoded = lines[:3]
    _check_name(origin)
    if not _DECIMAL.fullmatch(size) or int(size) >= 1 << 63:
        raise NoteError("a checkpoint's size is a decimal number below 2**63, without a sign or leading zeros")
    root = _bytes(encoded, "a checkpoint's root")
    if len(root) != HASH_BYTES:
        raise NoteError(f"a checkpoint's root has {HASH_BYTES} bytes, and this one has {len(root)}")
    return Checkpoint(origin, int(size), root)


def opened_checkpoint(content: str | bytes, trusted: Iterable[Verifier]) -> tuple[Checkpoint, Note]:
    """Reads a checkpoint that at least one trusted key, which bears the origin's name, signed. Raises `NoteError`."""
    note = parsed(content)
    checkpoint = parsed_checkpoint(note.text)
    known = [key for key in trusted if key.name == checkpoint.origin]
    if not known:
        raise NoteError(f"no trusted key is named {checkpoint.origin}, which the checkpoint has as its origin")
    if not note.signed_by(known):
        raise NoteError(f"no trusted key of {checkpoint.origin} signed the checkpoint of {checkpoint.size}")
    return checkpoint, note


def parsed_key(text: str) -> Verifier:
    """Reads a public key in the form `name+id+key`. Raises `NoteError`."""
    name, plus, rest = text.partition("+")
    named, second, encoded = rest.partition("+")
    if not plus or not second:
        raise NoteError("a verifier key has a name, an id and a key, joined by +")
    _check_name(name)
    content = _bytes(encoded, "a verifier key")
    if not content or content[0] not in tuple(Kind):
        raise NoteError("a verifier key is of type 1 (Ed25519) or 4 (Ed25519 cosignature)")
    if len(content) != 1 + KEY_BYTES:
        raise NoteError(f"a verifier key has {KEY_BYTES} bytes behind its type, and this one has {len(content) - 1}")
    key = Verifier(name, content[1:], Kind(content[0]))
    if key.id.hex() != named:
        raise NoteError(f"the key of {name} has the id {key.id.hex()}, not the one that is stated")
    return key


def parsed_keys(text: str) -> tuple[Verifier, ...]:
    """Reads a file of public keys, one a line: every key that ever signed, the one in use last. Raises `NoteError`, also for none."""
    keys = tuple(parsed_key(line) for line in text.splitlines() if line)
    if not keys:
        raise NoteError("there is no verifier key")
    return keys


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _signature(line: str) -> Signature:
    if not line.startswith(DASH):
        raise NoteError("a signature's line begins with an em dash and a blank")
    name, blank, encoded = line.removeprefix(DASH).partition(" ")
    if not blank:
        raise NoteError("a signature's line has a name and a signature")
    _check_name(name)
    content = _bytes(encoded, f"the signature of {name}")
    if len(content) < 5:
        raise NoteError(f"the signature of {name} is shorter than a key's id")
    return Signature(name, content[:4], content[4:])


def _check_name(name: str) -> None:
    if not name or "+" in name or any(one.isspace() or unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs") for one in name):
        raise NoteError("a key's name or an origin is not empty and has no blank, no control character and no +")
    if len(name) > 255:
        raise NoteError(f"a key's name or an origin has at most 255 characters, and this one has {len(name)}")


def _bytes(encoded: str, what: str) -> bytes:
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        content = None
    if content is None or _text(content) != encoded:  # the second: bits beyond the last byte that are not 0
        raise NoteError(f"{what} is not base64")
    return content


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
