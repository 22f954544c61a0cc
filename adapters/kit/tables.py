"""Native records as CSV files, for the wires that send them with a manifest; pure. RFC 4180, UTF-8, dates of ISO 8601.

A record is a dataclass; its fields are the columns, named in the first row. What is empty is left out, unless the field has no default. A
manifest is a file of its own with one row: the file's name, its count of rows, its SHA-256, the versions of schema and code sets, the time.

The law: no row is read before the manifest is there and the digest fits; until then the rest may still come. A file whose digest fits and
whose count does not is damaged, and stays so. A row that can't be read takes no other with it.
"""

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from functools import cache
from types import NoneType
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

from adapters.kit.elements import ISO, Value

R = TypeVar("R")


class Incomplete(ValueError):
    """A file that is not what its manifest says: the rest may still come."""


class Damaged(ValueError):
    """A file that can't be read; the text is a code for its sender."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What proves that a file is whole, and says how to read it."""

    file: str
    rows: int
    sha256: str
    schema: str
    code_set: str
    created: datetime


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """A row that was not taken. Row 0 means the whole file; the row of names is none."""

    row: int
    column: str = ""
    code: str


class _Column(NamedTuple):
    name: str
    value: Value
    needed: bool


def encode(records: Sequence[Any], kind: Any) -> bytes:
    """The whole file."""
    columns, text = _columns(kind), io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(column.name for column in columns)
    for record in records:
        found = ((column, getattr(record, column.name)) for column in columns)
        rows.writerow("" if value is None else column.value.write(value) for column, value in found)
    return text.getvalue().encode()


def decode(data: bytes, kind: type[R]) -> tuple[dict[int, R], list[Rejection]]:
    """The rows that can be read, by number, and what is wrong with the others. Raises `Damaged`."""
    rows, columns = _rows(data), _columns(kind)  # type: ignore[arg-type]  # mypy doubts that a class can be hashed
    if not rows or rows[0] != [column.name for column in columns]:
        raise Damaged("HEADER")
    good: dict[int, R] = {}
    bad: list[Rejection] = []
    for number, row in enumerate(rows[1:], start=1):
        found = _read(number, row, columns)
        if isinstance(found, Rejection):
            bad.append(found)
        else:
            good[number] = kind(**found)
    return good, bad


def decode_all(data: bytes, kind: type[R]) -> list[R]:
    """The rows of a file of which none may be missing. Raises `Damaged`."""
    good, bad = decode(data, kind)
    if bad:
        raise Damaged("ROWS_UNREADABLE")
    return list(good.values())


def manifest_of(file: str, data: bytes, *, rows: int, schema: str, code_set: str, created: datetime) -> bytes:
    """The manifest of a file."""
    digest = hashlib.sha256(data).hexdigest()
    told = Manifest(file=file, rows=rows, sha256=digest, schema=schema, code_set=code_set, created=created)
    return encode([told], Manifest)


def read_manifest(data: bytes, file: str, schema: str) -> Manifest:
    """The manifest of a file. Raises `Incomplete` for one without its end, `Damaged` for one that will never do."""
    if not data.endswith(b"\n"):
        raise Incomplete("the manifest has no end")
    try:
        (told,) = decode_all(data, Manifest)
    except ValueError:  # Damaged is one, too
        raise Damaged("MANIFEST") from None
    if told.file != file:
        raise Damaged("FILE_NAME")
    if told.schema != schema:
        raise Damaged("SCHEMA_UNKNOWN")
    return told


def check(told: Manifest, data: bytes) -> None:
    """Raises `Incomplete` or `Damaged` for a file that is not what its manifest says."""
    if hashlib.sha256(data).hexdigest() != told.sha256.lower():
        raise Incomplete("the digest does not fit")
    if len(_rows(data)) - 1 != told.rows:
        raise Damaged("ROW_COUNT")


def _rows(data: bytes) -> list[list[str]]:
    try:
        # What a spreadsheet writes begins with a byte order mark.
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise Damaged("UNREADABLE") from None


def _read(number: int, row: Sequence[str], columns: Sequence[_Column]) -> dict[str, Any] | Rejection:
    if len(row) != len(columns):
        return Rejection(row=number, code="COLUMNS")
    values: dict[str, Any] = {}
    for column, text in zip(columns, row, strict=True):
        if text:
            try:
                values[column.name] = column.value.read(text)
            except (ValueError, KeyError, OverflowError):
                return Rejection(row=number, column=column.name, code="FORMAT")
        elif column.needed:
            return Rejection(row=number, column=column.name, code="MISSING")
    return values


@cache
def _columns(kind: Any) -> tuple[_Column, ...]:
    hints = get_type_hints(kind)
    kinds = {name: next((one for one in get_args(hint) if one is not NoneType), hint) for name, hint in hints.items()}
    return tuple(_Column(field.name, ISO[kinds[field.name]], field.default is MISSING) for field in fields(kind))
