"""The codec of COPA's interface: native records to elements in COPA's namespace and back, with no I/O.

Its law is the one by which .NET writes contracts (assumed, as everything about COPA's wire): a field is an element of its name in capitals
and small letters, a list an element that holds one for each item, and what is empty is left out. Days are `dd/mm/yyyy` with zeros for what
is unknown, instants UTC. Elements that no record has are passed over, so that a newer COPA can say more. Everything that can go wrong is a
`WireError`, which names the place and never what stands there.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from adapters.copa import records
from adapters.copa.records import NAMESPACE
from adapters.kit.binding import Documents, Kind, WireError, standing_alone
from adapters.kit.texts import TEXT, flag
from adapters.kit.values import Parts

__all__ = ["NAMESPACE", "PATH", "WireError", "action", "element_of", "record_of"]

PATH: Final = "/copa/CaseFile.svc"


def _read_day(text: str) -> Parts:
    found = re.fullmatch("([0-9]{2})/([0-9]{2})/([0-9]{4})", text)
    if found is None or int(found[1]) > 31 or int(found[2]) > 12:
        raise ValueError("no dd/mm/yyyy")
    return int(found[3]), int(found[2]), int(found[1])


def _read_number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,10}", text):
        raise ValueError("no number")
    return int(text)


def _read_instant(text: str) -> datetime:
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", text):
        raise ValueError("no instant")
    return datetime.fromisoformat(text)


def _named(field: str, several: type[Any] | None) -> str:
    tag = "".join(part.capitalize() for part in field.split("_"))
    return tag if several is None else f"{tag}/{'string' if several is str else several.__name__}"


KINDS: Final[Mapping[Any, Kind]] = {
    str: TEXT,
    int: Kind(_read_number),
    bool: flag("true", "false"),
    Parts: Kind(_read_day, lambda value: f"{value[2]:02d}/{value[1]:02d}/{value[0]:04d}"),
    datetime: Kind(_read_instant, lambda value: value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")),
}
DOCUMENTS: Final = Documents(*standing_alone(records), texts=KINDS, named=_named, prefixes={NAMESPACE: {None: NAMESPACE}})
element_of, record_of = DOCUMENTS.element_of, DOCUMENTS.record_of


def action(record: object) -> str:
    """The SOAP action of a question."""
    return f"{NAMESPACE}/{type(record).__name__}"
