"""The codec of the enquiry service's JSON documents: a record to bytes and back, with no I/O. Errors name fields, never what they hold."""

from datetime import date

from adapters.ivma.records import Document, Enquiry, Refused, Vehicle
from adapters.kit import json_documents

PATH = "/vehicle-enquiry/v1/vehicles"
CONTENT_TYPE = "application/json"
DAYS = ("tax_due_date", "mot_expiry_date", "date_of_last_v5_c_issued")
WireError = json_documents.DocumentError


def encode(document: Document) -> bytes:
    """A document as JSON. Raises `WireError` for text that UTF-8 can't hold."""
    return json_documents.encode(document)


def decode(data: bytes) -> Document:
    """The record of a document, which is known by what it has: a mark alone asks, a mark with facts answers, anything else refuses.

    Raises `WireError` when it is none of them.
    """
    refused = json_documents.decode(Refused, data)
    if refused.errors or refused.message:
        return refused
    vehicle = json_documents.decode(Vehicle, data)
    for name in DAYS:
        _check_day(name, getattr(vehicle, name) or "2000-01-01")
    enquiry = Enquiry(registration_number=vehicle.registration_number)
    return enquiry if vehicle == Vehicle(registration_number=vehicle.registration_number) else vehicle


def _check_day(name: str, said: str) -> None:
    try:
        date.fromisoformat(said if len(said) == len("yyyy-mm-dd") and said[4] == "-" == said[7] else "")
    except ValueError:
        raise WireError(f"{name} is no day") from None
