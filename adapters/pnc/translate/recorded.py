"""Updates as another sender put them on the wire, read back into the contract's messages; pure.

This is how recorded traffic of the old platform becomes requests that the new one can be compared by. What the wire does not carry, why
somebody asked, stays unset. Each function takes a transaction of its own function; anything else is a `LookupError`.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from adapters.pnc.records import Segment, Transaction, runs
from adapters.pnc.translate import values
from adapters.pnc.translate.cases import adjudication, disposals, period, subject
from adapters.pnc.translate.updates import CONDITION, CONDITION_LINE, COURT_CODE, NO_AUTHORITY, REMANDS
from adapters.pnc.translate.values import raw, read_date
from metip.common.v1.identifiers_pb2 import PtiUrn
from metip.pnc.v1.case_update_service_pb2 import (
    AddedCharges,
    AddedOffence,
    Appearance,
    Care,
    CarryForward,
    CaseReferral,
    Custody,
    Hearing,
    OffenceResult,
    RecordDeferredSentenceRequest,
    RecordDisposalRequest,
    RecordRemandRequest,
    RecordVariationRequest,
    RemandResult,
)
from metip.pnc.v1.court_case_pb2 import Court, Subject

Update = RecordDisposalRequest | RecordRemandRequest | RecordDeferredSentenceRequest | RecordVariationRequest


def disposal(update: Transaction, today: datetime.date) -> RecordDisposalRequest:
    """The results of a hearing (DISARR)."""
    hearing, case = _need(update, "COU"), _need(update, "CCR")
    referral, carried, added = update.find("RCC"), update.find("CRT"), update.find("ASR")
    return RecordDisposalRequest(
        owner=_owner(update),
        subject=_subject(update, today),
        court_case_reference=values.read_court_case(case["court_case_ref"]),
        crime_offence_reference=case["crime_ref"],
        hearing=Hearing(
            court=Court(code=hearing["court_code"], name=hearing["court_name"]),
            date=read_date(hearing["hearing_date"]),
            filed_name=hearing["file_name"],
            offences_taken_into_consideration=values.read_count(hearing["tics"]),
        ),
        referral=CaseReferral(pti_urn=PtiUrn(value=referral["pti_urn"]), text=referral["text"]) if referral else None,
        carry_forward=CarryForward(court=Court(code=carried["court_code"], name=carried["court_name"]), date=read_date(carried["date"]))
        if carried
        else None,
        results=_results(update),
        added_charges=_added(update, added) if added else None,
    )


def remand(update: Transaction, today: datetime.date) -> RecordRemandRequest:
    """A remand (NEWREM)."""
    arrest, rem = _need(update, "ASR"), _need(update, "REM")
    return RecordRemandRequest(
        owner=_owner(update),
        subject=_subject(update, today),
        arrest_summons_number=values.read_arrest_summons_number(arrest["asn"]),
        crime_offence_reference=arrest["crime_ref"],
        remanded_on=read_date(rem["remand_date"]),
        result=REMANDS.get(rem["result"], RemandResult.REMAND_RESULT_UNSPECIFIED),
        court=_court(rem["location_court"], rem["location_court_name"]),
        remanded_at_station=rem["location_force_station"],
        next_court=_court(rem["next_court"], rem["next_court_name"]),
        next_appearance=read_date(rem["next_date"]),
        next_station=rem["next_force_station"],
        bail_conditions=_conditions(raw(rem, "bail_conditions")),
        bail_address=rem["bail_address"],
        breach=rem["breach"],
        custody=_custody(rem),
        care=_care(rem),
    )


def deferred_sentence(update: Transaction, today: datetime.date) -> RecordDeferredSentenceRequest:
    """The sentence of a case whose sentence was deferred (SENDEF)."""
    case = _need(update, "CCR")
    return RecordDeferredSentenceRequest(
        owner=_owner(update),
        subject=_subject(update, today),
        court_case_reference=values.read_court_case(case["court_case_ref"]),
        crime_offence_reference=case["crime_ref"],
        appearance=_appearance(update),
        results=_results(update),
    )


def variation(update: Transaction, today: datetime.date) -> RecordVariationRequest:
    """A varied result (SUBVAR)."""
    case = _need(update, "CCR")
    return RecordVariationRequest(
        owner=_owner(update),
        subject=_subject(update, today),
        court_case_reference=values.read_court_case(case["court_case_ref"]),
        crime_offence_reference=case["crime_ref"],
        appearance=_appearance(update),
        results=_results(update),
    )


READERS: Final[Mapping[str, Callable[[Transaction, datetime.date], Update]]] = {
    "DISARR": disposal,
    "NEWREM": remand,
    "SENDEF": deferred_sentence,
    "SUBVAR": variation,
}
"""Function code of the header to the reader of its segments."""


def _owner(update: Transaction) -> str:
    return _need(update, "FSC")["force_station"]


def _subject(update: Transaction, today: datetime.date) -> Subject:
    return subject(_need(update, "IDS"), today)


def _appearance(update: Transaction) -> Appearance:
    sub = _need(update, "SUB")
    court = raw(sub, "court")
    return Appearance(court=_court(court[:COURT_CODE].strip(), court[COURT_CODE:].strip()), date=read_date(sub["hearing_date"]))


def _results(update: Transaction) -> list[OffenceResult]:
    return [_result(run) for run in runs(_before(update, "ASR"), "CCH")]


def _result(run: Sequence[Segment]) -> OffenceResult:
    first = run[0]
    return OffenceResult(
        number=values.read_count(first["offence_ref"]),
        cjs_offence_code=first["cjs_code"],
        npcc_offence_code=first["npcc_code"],
        qualifiers=values.paired(first["qualifier"]),
        adjudication=adjudication(run),
        disposals=disposals(run),
    )


def _added(update: Transaction, arrest: Segment) -> AddedCharges:
    return AddedCharges(
        arrest_summons_number=values.read_arrest_summons_number(arrest["asn"]),
        crime_offence_reference=arrest["crime_ref"],
        offences=[_added_offence(run) for run in runs(update.segments, "ACH")],
    )


def _added_offence(run: Sequence[Segment]) -> AddedOffence:
    first = run[0]
    return AddedOffence(
        cjs_offence_code=first["cjs_code"],
        npcc_offence_code=first["npcc_code"],
        qualifiers=values.paired(first["qualifier"]),
        crime_offence_reference=first["crime_ref"],
        number=values.read_count(first["offence_ref"]),
        description=first["description"],
        method=first["method"],
        dress=first["dress"],
        committed_on_bail=first["on_bail"] == "Y",
        location=first["location"],
        location_force_station=first["location_force_station"],
        committed=period(first),
        adjudication=adjudication(run),
        disposals=disposals(run),
    )


def _court(code: str, name: str) -> Court | None:
    return Court(code=code, name=name) if code or name else None


def _conditions(text: str) -> list[str]:
    """Each block of four lines is one condition, its lines joined by one blank; blank blocks are none."""
    blocks = [text[at : at + CONDITION] for at in range(0, len(text), CONDITION)]
    return [condition for block in blocks if (condition := " ".join(_lines(block)))]


def _lines(block: str) -> list[str]:
    lines = (block[at : at + CONDITION_LINE].strip() for at in range(0, len(block), CONDITION_LINE))
    return [line for line in lines if line]


def _custody(rem: Segment) -> Custody | None:
    custody = Custody(
        force_station=rem["custody_force_station"],
        institution=rem["institution"],
        prisoner_number=rem["prisoner_number"],
        text=rem["custody_text"],
    )
    return custody if custody.ByteSize() else None


def _care(rem: Segment) -> Care | None:
    code = rem["local_authority"]
    care = Care(
        local_authority_code="" if code == NO_AUTHORITY else code,
        local_authority=rem["local_authority_name"],
        secure_unit=rem["secure_unit"],
        social_worker=rem["social_worker"],
        phone=rem["phone"],
    )
    return care if care.ByteSize() else None


def _before(update: Transaction, tag: str) -> list[Segment]:
    tags = [segment.tag for segment in update.segments]
    return list(update.segments[: tags.index(tag)]) if tag in tags else list(update.segments)


def _need(update: Transaction, tag: str) -> Segment:
    segment = update.find(tag)
    if segment is None:
        raise LookupError(f"a message of this function has a segment {tag}")
    return segment
