"""The keys that sign checkpoints: one in use, and the public halves of all that ever were, by which every old checkpoint is still checked.

The law: a public key is on disk before anything is signed with its private half, and none is ever taken away. A private key that is
replaced is gone: nobody can sign an old state anew.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from hub.ledger import notes
from hub.ledger.notes import Kind, NoteError, Signer, Verifier

FOLDER: Final = "signing"
"""Within the folder of the ledger's keys."""


@dataclass(frozen=True)
class Role:
    """Whose keys they are: how the files are called, and what is signed."""

    name: str
    kind: Kind

    @property
    def private(self) -> str:
        """The file of the private key."""
        return f"{self.name}.key"

    @property
    def public(self) -> str:
        """The file of the public keys."""
        return f"{self.name}.vkey"


LEDGER: Final = Role("ledger", Kind.SIGNATURE)
WITNESS: Final = Role("witness", Kind.COSIGNATURE)


class SigningKeyError(Exception):
    """A signing key that is missing, exposed, or not what it should be; the text names the file and never what is in it."""


@dataclass(frozen=True)
class SigningKeys:
    """Who signs, and whom to trust."""

    signer: Signer
    trusted: tuple[Verifier, ...]
    """All public keys, the one in use last."""


def origin(trust_domain: str) -> str:
    """The ledger's name, on its checkpoints and keys."""
    return f"{trust_domain}/ledger"


def ensure(folder: Path, origin: str, role: Role = LEDGER) -> None:
    """Makes the first key where there is none. Raises `OSError`."""
    if not (folder / role.private).exists():
        add(folder, origin, role)


def add(folder: Path, origin: str, role: Role = LEDGER) -> SigningKeys:
    """Puts a new key in use, and forgets the private half of the one before. Raises `OSError`, `SigningKeyError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signer = Signer(origin, Ed25519PrivateKey.generate(), role.kind)
    before = public(folder, role) if (folder / role.public).exists() else ()
    trusted = (*before, signer.verifier)
    _write(folder / role.public, "".join(f"{one}\n" for one in trusted).encode())
    _write(folder / role.private, signer.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return SigningKeys(signer, trusted)


def load(folder: Path, origin: str, role: Role = LEDGER) -> SigningKeys:
    """The keys of a folder. Raises `SigningKeyError`.

    A public key that was written before a crash, and whose private half was not, stays trusted; nothing was ever signed with it.
    """
    path = folder / role.private
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read()
    except OSError as error:
        raise SigningKeyError(f"{path} can't be read: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SigningKeyError(f"{path} is open to other users (mode {mode:04o}): chmod 600 it")
    try:
        private = load_pem_private_key(content, None)
    except (ValueError, TypeError):
        raise SigningKeyError(f"{path} is no private key in PEM") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningKeyError(f"{path} is no Ed25519 key")
    signer, trusted = Signer(origin, private, role.kind), public(folder, role)
    if signer.verifier not in trusted:
        raise SigningKeyError(f"{folder / role.public} lacks the public half of {role.private} as a key of {origin}")
    return SigningKeys(signer, (*(one for one in trusted if one != signer.verifier), signer.verifier))


def public(folder: Path, role: Role = LEDGER) -> tuple[Verifier, ...]:
    """The public keys of a folder, the one in use last. Raises `SigningKeyError`."""
    return read_public(folder / role.public)


def read_public(path: Path) -> tuple[Verifier, ...]:
    """The public keys of a file, the one in use last. Raises `SigningKeyError`."""
    try:
        return notes.parsed_keys(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SigningKeyError(f"{path} can't be read: {error.strerror}") from None
    except (NoteError, UnicodeDecodeError) as error:
        raise SigningKeyError(f"{path}: {error}") from None


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
