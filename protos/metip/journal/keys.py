"""Key files of the ledger: made once, numbered from 1, closed to everybody else."""

import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

FILE_MODE: Final = 0o600
INDEX, SEALING = "index", "sealing"
LONGEST_TEXT: Final = 1000


class SecretError(Exception):
    """A key file that is missing, exposed or not what it should be; the text names the file and never what is in it."""


def numbered(folder: Path, suffix: str) -> Mapping[int, Path]:
    """The files `1<suffix>`, `2<suffix>`, … of a folder by number; none when there is no such folder."""
    found = {path: re.fullmatch(rf"([1-9][0-9]*){re.escape(suffix)}", path.name) for path in folder.glob(f"*{suffix}")}
    return {int(match[1]): path for path, match in found.items() if match}


def read_secret(path: Path, size: int) -> bytes:
    """The bytes of a private file. Raises `SecretError` when others can read it, or when it has not `size` bytes."""
    content = _private(path, size + 1)
    if len(content) != size:
        raise SecretError(f"{path} has not {size} bytes")
    return content


def read_secret_text(path: Path) -> str:
    """The one line of a private file, such as a password. Raises `SecretError` when others can read it, or when it is not one line."""
    try:
        text = _private(path, LONGEST_TEXT + 1).decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise SecretError(f"{path} is no text") from None
    if not text or len(text) > LONGEST_TEXT or "\n" in text:
        raise SecretError(f"{path} must hold one line of at most {LONGEST_TEXT} letters")
    return text


def _private(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(most)
    except OSError as error:
        raise SecretError(f"{path} can't be read: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretError(f"{path} is open to other users (mode {mode:04o}): chmod 600 it")
    return content


def add_index_key(folder: Path) -> int:
    """Adds an index key of 32 random bytes, which is in use from then on; its number. Raises `OSError`."""
    return _add(folder, ".key", {".key": secrets.token_bytes(32)})


def add_sealing_key(folder: Path) -> int:
    """Adds a pair of sealing keys (X25519, raw bytes), `n.key` for the hub alone and `n.pub` for whoever seals; its number."""
    private = X25519PrivateKey.generate()
    # The private half first: nobody may seal with a key that nobody can open.
    return _add(folder, ".pub", {".key": private.private_bytes_raw(), ".pub": private.public_key().public_bytes_raw()})


def ensure_keys(folder: Path) -> None:
    """Makes the first keys in `index` and `sealing` of the ledger's folder; what exists is kept. Raises `OSError`."""
    if not numbered(folder / INDEX, ".key"):
        add_index_key(folder / INDEX)
    if not numbered(folder / SEALING, ".pub"):
        add_sealing_key(folder / SEALING)


def _add(folder: Path, suffix: str, contents: Mapping[str, bytes]) -> int:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = max(numbered(folder, suffix), default=0) + 1
    for ending, content in contents.items():
        unfinished = folder / f".{number}{ending}.new"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(folder / f"{number}{ending}")
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return number
