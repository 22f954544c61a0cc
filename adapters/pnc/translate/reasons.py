"""The segment that says who asks and why; pure. The numbers of reasons are in `metip.pnc.reasons`."""

import datetime
from typing import Final

from adapters.kit import Officer
from adapters.pnc.records import Segment
from adapters.pnc.translate.values import written
from metip.common.v1.access_pb2 import AccessContext
from metip.pnc.reasons import reason_code

_PATHS: Final = {
    "reason_text": "access.justification",
    "reference": "access.reference",
    "on_behalf_of": "access.on_behalf_of",
    "device": "access.device_id",
}


def originator(access: AccessContext, officer: Officer | None, on: datetime.date) -> Segment:
    """The segment ORG: who asks (the officer of the verified token), for whom and why. Raises `Fault` INVALID_REQUEST by field."""
    station = f"{officer.force}{officer.unit}" if officer else ""
    return written(
        "ORG",
        _PATHS,
        user=officer.warrant_number if officer else "",
        station=station if len(station) == 4 else "",
        on_behalf_of=access.on_behalf_of,
        reason_code=reason_code(access.purpose, on).code,
        reason_text=access.justification,
        reference=access.reference,
        device=access.device_id,
    )
