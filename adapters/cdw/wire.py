"""The codec between rows as values and what PostgreSQL takes and gives: statements, and the tuples that go with them. No I/O.

The law of a row is that what it says is in its digest: the same version again has the same digest, and another content under the same
number and version has another. Absent values are null, never an empty text.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from adapters.cdw.records import Disposal, Issue, Load, Offence, Review, Version
from adapters.cdw.schema import SCHEMA

PARTS: Final = ("offences", "disposals", "reviews", "issues")
"""Fields of a version that have tables of their own."""
COLUMNS: Final = tuple(field.name for field in dataclasses.fields(Version) if field.name not in PARTS)
UNSAID: Final = frozenset({"message_id", "issues"})
"""Fields that say nothing about the record, and are not in its digest."""


def _insert(table: str, *columns: str) -> str:
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    return f"INSERT INTO {SCHEMA}.{table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - names of our own


KEEP_VERSION: Final = f"{_insert('custody_version', *COLUMNS, 'digest')} ON CONFLICT DO NOTHING RETURNING custody_number, version"
"""Keeps a version unless it is there; gives its key when it was not."""
KEPT_DIGESTS: Final = f"""
SELECT custody_number, version, digest FROM {SCHEMA}.custody_version
JOIN unnest($1::text[], $2::bigint[]) AS asked (number, which) ON custody_number = number AND version = which
"""  # noqa: S608 - as above
_OF_VERSION = ("custody_number", "version")
KEEP_OFFENCE: Final = _insert("custody_offence", *_OF_VERSION, *Offence.__slots__)
KEEP_DISPOSAL: Final = _insert("custody_disposal", *_OF_VERSION, *Disposal.__slots__)
KEEP_REVIEW: Final = _insert("custody_review", *_OF_VERSION, *Review.__slots__)
KEEP_ISSUE: Final = _insert("quality_issue", *_OF_VERSION, "column_name", "problem")
_ALL = (*COLUMNS, "digest", "loaded_at")
MAKE_CURRENT: Final = f"""
INSERT INTO {SCHEMA}.custody_record ({", ".join(_ALL)})
SELECT DISTINCT ON (custody_number) {", ".join(_ALL)} FROM {SCHEMA}.custody_version
JOIN unnest($1::text[], $2::bigint[]) AS loaded (number, which) ON custody_number = number AND version = which
ORDER BY custody_number, version DESC
ON CONFLICT (custody_number) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _ALL if name != "custody_number")}
WHERE custody_record.version < excluded.version
"""  # noqa: S608 - as above
"""Makes versions that were just loaded current where no higher one is, whatever the order in which they arrived."""
COUNT_LOAD: Final = f"""
SELECT count(DISTINCT custody_number) AS records, count(*) AS versions, now() AS as_at,
    encode(sha256(coalesce(string_agg(digest, ''::bytea ORDER BY custody_number, version), ''::bytea)), 'hex') AS sha256,
    (SELECT count(*) FROM {SCHEMA}.quality_issue JOIN {SCHEMA}.custody_version USING (custody_number, version)
        WHERE business_date = $1) AS issues
FROM {SCHEMA}.custody_version WHERE business_date = $1
"""  # noqa: S608 - as above


def digest(version: Version) -> bytes:
    """The SHA-256 of a row: its fields in the order of the columns, then its parts, as text that cannot be read in two ways."""
    said = sha256()
    for field in dataclasses.fields(Version):
        if field.name not in UNSAID:
            said.update(f"{field.name}={_canonical(getattr(version, field.name))}\n".encode())
    return said.digest()


def version_parameters(version: Version) -> tuple[Any, ...]:
    """The parameters of `KEEP_VERSION`."""
    values = (getattr(version, name) for name in COLUMNS)
    return (
        *(_null(UUID(value) if name == "message_id" and value else value) for name, value in zip(COLUMNS, values, strict=True)),
        digest(version),
    )


def offence_parameters(versions: Iterable[Version]) -> list[tuple[Any, ...]]:
    """The parameters of `KEEP_OFFENCE`, for each offence of these versions."""
    return [(*one.key, *_values(offence)) for one in versions for offence in one.offences]


def disposal_parameters(versions: Iterable[Version]) -> list[tuple[Any, ...]]:
    """The parameters of `KEEP_DISPOSAL`, likewise."""
    return [(*one.key, *_values(disposal)) for one in versions for disposal in one.disposals]


def review_parameters(versions: Iterable[Version]) -> list[tuple[Any, ...]]:
    """The parameters of `KEEP_REVIEW`, likewise."""
    return [(*one.key, *_values(review)) for one in versions for review in one.reviews]


def issue_parameters(versions: Iterable[Version]) -> list[tuple[Any, ...]]:
    """The parameters of `KEEP_ISSUE`, likewise."""
    return [(*one.key, *_values(issue)) for one in versions for issue in one.issues]


def keys(versions: Iterable[Version]) -> tuple[list[str], list[int]]:
    """The parameters of `KEPT_DIGESTS` and `MAKE_CURRENT`: numbers and versions, beside one another."""
    found = [one.key for one in versions]
    return [number for number, _ in found], [version for _, version in found]


def storable(version: Version) -> Version:
    """The version without the one character that PostgreSQL cannot store (U+0000); a field that had it becomes a quality issue."""
    mended = {name: getattr(version, name).replace("\0", "\ufffd") for name in COLUMNS if "\0" in str(getattr(version, name))}
    if not mended:
        return version
    issues = (*version.issues, *(Issue(name, "CHARACTER_REPLACED") for name in mended))
    return dataclasses.replace(version, **mended, issues=issues)


def load_of(row: Sequence[Any]) -> Load:
    """The load in the row of `COUNT_LOAD`."""
    records, versions, as_at, sha, issues = row
    return Load(records=records, versions=versions, sha256=sha, issues=issues, as_at=as_at)


def _values(part: Any) -> tuple[Any, ...]:
    return tuple(_null(getattr(part, name)) for name in part.__slots__)


def _null(value: Any) -> Any:
    return None if value == "" else value


def _canonical(value: Any) -> str:
    """A value as text: instants in UTC to the microsecond, texts with their length before them, parts as lists."""
    if isinstance(value, tuple):
        return f"[{','.join(_canonical(one) for one in value)}]"
    if dataclasses.is_dataclass(value):
        return f"({','.join(_canonical(getattr(value, field.name)) for field in dataclasses.fields(value))})"
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, int):
        return str(value)
    return f"{len(value)}:{value}"
