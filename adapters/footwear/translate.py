"""Between the contracts and the database's records: forms of numbers, sizes and patterns, codes, and what is left out.

What goes to the database is another controller's then, so it is the least that serves: no name, no date of birth, no number of the
person; the custody record number, the suite, recordable offences, and the shoe.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from adapters.footwear.keeping import NEXT, Step, left
from adapters.footwear.records import Asker, Fetch, Found, Impression, Search, Shoe, Submit, Withdraw
from adapters.kit import Call, Fault, Reason
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.identifiers_pb2 import CustodyNumber
from metip.custody.v1 import custody_record_pb2 as custody
from metip.custody.v1.custody_record_service_pb2 import PublishCustodyRecordRequest
from metip.footwear.v1 import impression_pb2 as contract
from metip.footwear.v1.footwear_service_pb2 import (
    GetImpressionRequest,
    GetImpressionResponse,
    SearchImpressionsRequest,
    SearchImpressionsResponse,
)
from metip.identifiers import parse_custody_number
from metip.options.v1 import options_pb2

SYSTEM = "NFD"
MOST = 100
SCAN: Mapping[int, str] = {
    custody.SCAN_TYPE_DYNAMIC: "D",
    custody.SCAN_TYPE_ZOOMED: "Z",
    custody.SCAN_TYPE_ROLLED: "R",
}
METHOD: Mapping[str, contract.ScanMethod.ValueType] = {
    "D": contract.SCAN_METHOD_DYNAMIC,
    "Z": contract.SCAN_METHOD_ZOOMED,
    "R": contract.SCAN_METHOD_ROLLED,
}
STATUS: Mapping[str, contract.ImpressionStatus.ValueType] = {
    "A": contract.IMPRESSION_STATUS_AWAITING_SCAN,
    "B": contract.IMPRESSION_STATUS_AT_BUREAU,
    "C": contract.IMPRESSION_STATUS_CODED,
}
REASON: Mapping[int, str] = {
    options_pb2.PURPOSE_ARREST_DETENTION: "DET",
    options_pb2.PURPOSE_CRIME_INVESTIGATION: "INV",
    options_pb2.PURPOSE_AUDIT: "AUD",
    options_pb2.PURPOSE_MIGRATION_TEST: "AUD",
}


def step(request: PublishCustodyRecordRequest) -> Submit | Withdraw | None:
    """What the database is told of a version of a custody record; None for nothing. The law is in `adapters.footwear.keeping`."""
    record = request.record
    recordable = {one.number for one in record.arrest.offences if one.recordable}
    dropped = {one.offence_number for one in record.disposals if one.kind == custody.DISPOSAL_KIND_NO_FURTHER_ACTION}
    kept = left(recordable, dropped, released=record.HasField("release"))
    match NEXT[record.footwear.taken, bool(kept)]:
        case Step.SUBMIT:
            return Submit(impression=_impression(request, kept))
        case Step.WITHDRAW:
            return Withdraw(reference=reference(request.custody_record_number.value), version=request.version)
    return None


def _impression(request: PublishCustodyRecordRequest, kept: frozenset[int]) -> Impression:
    record, footwear = request.record, request.record.footwear
    return Impression(
        reference=reference(request.custody_record_number.value),
        version=request.version,
        station=record.suite,
        offences=tuple(one.cjs_offence_code for one in record.arrest.offences if one.number in kept),
        shoe=Shoe(
            pattern=_native_pattern(footwear.pattern_code),
            size=_native_size(footwear.size),
            make=footwear.make.upper(),
            model=footwear.model.upper(),
        ),
        scan=SCAN.get(footwear.scan_type, ""),
        scanned_at=_instant(footwear.scanned_at) if footwear.scan_type and footwear.HasField("scanned_at") else None,
    )


def search(request: SearchImpressionsRequest, call: Call) -> Search:
    """What is looked for."""
    return Search(
        asker=_asker(request.access, call),
        pattern=_native_pattern(request.pattern_code),
        size=_native_size(request.size),
        make=request.make.upper(),
        most=request.limit or MOST,
    )


def fetch(request: GetImpressionRequest, call: Call) -> Fetch:
    """Which one is asked for."""
    return Fetch(asker=_asker(request.access, call), reference=reference(request.custody_record_number.value))


def impressions(found: Found) -> SearchImpressionsResponse:
    """What was found."""
    return SearchImpressionsResponse(impressions=[_message(one) for one in found.impressions], provenance=_provenance(found))


def impression(found: Found) -> GetImpressionResponse:
    """The one that was asked for."""
    return GetImpressionResponse(impression=_message(found.impressions[0]), provenance=_provenance(found))


def reference(number: str) -> str:
    """A custody record number as the database writes it: `01ZD/1234/26` is `01ZD00123426`."""
    station, serial, year = parse_custody_number(number).canonical.split("/")
    return f"{station}{int(serial):06d}{year}"


def custody_number(received: str) -> CustodyNumber:
    """The custody record number of a reference; without a value when it is none."""
    found = re.fullmatch("([A-Z0-9]{4})([0-9]{6})([0-9]{2})", received)
    if found is None:
        return CustodyNumber(as_received=received[:40])
    return CustodyNumber(value=f"{found[1]}/{int(found[2])}/{found[3]}", as_received=received)


def _native_pattern(code: str) -> str:
    return code.replace("-", "")


def _pattern(native: str) -> str:
    found = re.fullmatch("([A-Z]{1,6})([0-9]{4})", native)
    return f"{'-'.join(found[1])}-{found[2]}" if found else ""


def _native_size(size: str) -> str:
    """In tenths, three digits: `9.5` is `095`."""
    if not size:
        return ""
    whole, _, half = size.partition(".")
    return f"{int(whole):02d}{half or '0'}"


def _size(native: str) -> str:
    if not re.fullmatch("[0-9]{2}[05]", native):
        return ""
    return f"{int(native[:2])}{'.5' if native[2] == '5' else ''}"


def _asker(access: AccessContext, call: Call) -> Asker:
    officer = call.officer
    return Asker(
        user=officer.warrant_number if officer else "",
        force=officer.force if officer else "",
        reason=REASON[access.purpose],
        reference=access.reference,
        justification=access.justification,
    )


def _message(held: Impression) -> contract.Impression:
    message = contract.Impression(
        custody_record_number=custody_number(held.reference),
        version=held.version,
        suite=held.station,
        offence_codes=held.offences,
        shoe=contract.Shoe(
            pattern_code=_pattern(held.shoe.pattern), size=_size(held.shoe.size), make=held.shoe.make, model=held.shoe.model
        ),
        status=STATUS.get(held.status, contract.IMPRESSION_STATUS_UNSPECIFIED),
        scan_method=METHOD.get(held.scan, contract.SCAN_METHOD_UNSPECIFIED),
    )
    if held.scanned_at is not None:
        message.scanned_at.FromDatetime(held.scanned_at)
    return message


def _provenance(found: Found) -> Provenance:
    as_of = Timestamp()
    as_of.FromDatetime(found.as_at)
    return Provenance(system=SYSTEM, as_of=as_of, truncated=found.more)


def _instant(stamp: Timestamp) -> datetime:
    try:
        return stamp.ToDatetime(tzinfo=UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise Fault(Reason.INVALID_REQUEST, "an instant lies outside the calendar") from None
