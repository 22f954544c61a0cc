"""The codec of the enquiry service's JSON documents: a record to bytes and back, with no I/O.

The law: a field that is left out is None, and None is left out. Names that no record has are passed over, so that a later release may add
some. A value of another type than the published description has is refused. Errors name fields, never what they hold.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, cast

from adapters.ivma.records import Document, Enquiry, Problem, Refused, Vehicle

PATH = "/vehicle-enquiry/v1/vehicles"
CONTENT_TYPE = "application/json"
LONGEST = 200
"""Characters of one text."""


class WireError(ValueError):
    """A document that is not what it should be; the text names the field and repeats none of it."""


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise ValueError
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ValueError
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _day(value: object) -> date:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError
    return date.fromisoformat(value)


Reader = Callable[[object], Any]
FIELDS: Mapping[str, tuple[str, Reader]] = {
    "registration": ("registrationNumber", _text),
    "tax_status": ("taxStatus", _text),
    "tax_due": ("taxDueDate", _day),
    "mot_status": ("motStatus", _text),
    "mot_expiry": ("motExpiryDate", _day),
    "make": ("make", _text),
    "colour": ("colour", _text),
    "year": ("yearOfManufacture", _whole),
    "first_registered": ("monthOfFirstRegistration", _text),
    "engine_cc": ("engineCapacity", _whole),
    "co2": ("co2Emissions", _whole),
    "fuel": ("fuelType", _text),
    "exported": ("markedForExport", _flag),
    "type_approval": ("typeApproval", _text),
    "euro_status": ("euroStatus", _text),
    "wheelplan": ("wheelplan", _text),
    "v5c_issued": ("dateOfLastV5CIssued", _day),
}
"""Our name of a field to its name in JSON (the published OpenAPI description of the service), and how its value is read."""


def encode(document: Document) -> bytes:
    """A document as JSON. Raises `WireError` for text that UTF-8 can't hold."""
    try:
        return json.dumps(_printed(document), ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise WireError("a text holds half a character") from None


def decode(data: bytes) -> Document:
    """The record of a document. Raises `WireError` when it is none that the service has."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):  # no UTF-8, no JSON, or a number that nobody would write
        raise WireError("the document is no JSON") from None
    if not isinstance(said, dict):
        raise WireError("the document is no object")
    if "errors" in said or "registrationNumber" not in said:
        return _refused(said)
    return Enquiry(registration=_read(said, "registration")) if set(said) == {"registrationNumber"} else _vehicle(said)


def _printed(document: Document) -> dict[str, object]:
    if isinstance(document, Refused):
        if not document.problems:
            return {"message": document.message}
        return {"errors": [{name: said for name in PROBLEM if (said := getattr(one, name))} for one in document.problems]}
    if isinstance(document, Enquiry):
        return {"registrationNumber": document.registration}
    values = ((named, getattr(document, name)) for name, (named, _) in FIELDS.items())
    return {named: value.isoformat() if isinstance(value, date) else value for named, value in values if value is not None}


PROBLEM = ("status", "code", "title", "detail")


def _refused(said: dict[str, object]) -> Refused:
    problems = said.get("errors", [])
    if not isinstance(problems, list) or not all(isinstance(one, dict) for one in problems):
        raise WireError("errors is no list of objects")
    message = said.get("message", "")
    if not isinstance(message, str) or not (problems or message):
        raise WireError("the document is neither a vehicle nor a list of errors")
    return Refused(problems=tuple(_problem(one) for one in problems), message="" if problems else message[:LONGEST])


def _problem(said: dict[str, object]) -> Problem:
    # The service writes a status as text in some errors and as a number in others.
    values = {name: said.get(name, "") for name in PROBLEM}
    if any(not isinstance(value, str | int) or isinstance(value, bool) for value in values.values()):
        raise WireError("errors holds something that is no text")
    return Problem(**{name: _shown(cast("str | int", value)) for name, value in values.items()})


def _shown(value: str | int) -> str:
    return value[:LONGEST] if isinstance(value, str) else str(value % 10**9)


def _vehicle(said: dict[str, object]) -> Vehicle:
    return Vehicle(**{name: _read(said, name) for name, (named, _) in FIELDS.items() if said.get(named) is not None})


def _read(said: dict[str, object], name: str) -> Any:
    named, reader = FIELDS[name]
    try:
        return reader(said[named])
    except ValueError:
        raise WireError(f"{named} is not what it should be") from None
