"""The codec of the enquiry service's JSON documents: a record to bytes and back, with no I/O. Errors name fields, never what they hold."""

import re

from adapters.ivma.records import Document, Enquiry, Refused, Vehicle
from adapters.kit import json_documents

PATH = "/vehicle-enquiry/v1/vehicles"
CONTENT_TYPE = "application/json"
DAY = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
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
    days = (vehicle.tax_due_date, vehicle.mot_expiry_date, vehicle.date_of_last_v5_c_issued)
    if not all(said is None or DAY.fullmatch(said) for said in days):
        raise WireError("a date is no day")
    enquiry = Enquiry(registration_number=vehicle.registration_number)
    return enquiry if vehicle == Vehicle(registration_number=vehicle.registration_number) else vehicle
