"""The four updates as the segments that the host takes, and the host's receipts as the contract's; pure.

Order and form are those of Bichard 7's recorded exchanges: FSC, IDS, then for a disposal CCR, COU (RCC)(CRT)(CCH, ADJ, DIS*)* and
(ASR, (ACH, ADJ, DIS*)*), for a remand ASR, REM, for a later appearance SUB, CCR, (CCH, ADJ?, DIS*)*. Each function raises `Fault`
INVALID_REQUEST by field.
"""

import textwrap
from collections.abc import Iterable, Mapping
from typing import Final

from adapters.pnc.records import Segment, Transaction
from adapters.pnc.replies import Outcome, classify, reply_codes
from adapters.pnc.translate import values
from adapters.pnc.translate.cases import disposal_segments, finding_segments, period_fields
from adapters.pnc.translate.values import date_text, invalid, written
from metip.common.v1.answer_pb2 import Warning as Remark
from metip.common.v1.identifiers_pb2 import CourtCaseReference
from metip.pnc.v1.case_update_service_pb2 import (
    AddedCharges,
    AddedOffence,
    OffenceResult,
    RecordDeferredSentenceRequest,
    RecordDisposalRequest,
    RecordDisposalResponse,
    RecordRemandRequest,
    RecordVariationRequest,
    RemandResult,
    UpdateReceipt,
)
from metip.pnc.v1.court_case_pb2 import Court, Subject

REMANDS: Final[Mapping[str, "RemandResult.ValueType"]] = {
    "B": RemandResult.REMAND_RESULT_BAIL,
    "C": RemandResult.REMAND_RESULT_CUSTODY,
    "O": RemandResult.REMAND_RESULT_CARE,
    "A": RemandResult.REMAND_RESULT_ADJOURNED,
}
_REMAND_LETTERS: Final = {result: letter for letter, result in REMANDS.items()}
VARIED, DEFERRED = "V", "D"
NO_AUTHORITY: Final = "0000"
COURT_CODE, CONDITION, CONDITION_LINE = 4, 200, 50
_IDS_PATHS: Final = {"pnc_id": "subject.pnc_id", "check_name": "subject.check_name", "cro_number": "subject.cro_number"}


def disposal(request: RecordDisposalRequest, owner: str) -> tuple[Segment, ...]:
    """The results of a hearing (DISARR). `owner` is the force and station for a request that names none."""
    hearing = request.hearing
    segments = [
        *_opening(request.owner or owner, request.subject),
        _case(request.court_case_reference, request.crime_offence_reference),
        written(
            "COU",
            "hearing",
            court_code=hearing.court.code,
            court_name=hearing.court.name,
            file_name=hearing.filed_name,
            hearing_date=date_text(hearing.date),
            tics=f"{hearing.offences_taken_into_consideration:04d}",
        ),
    ]
    if request.HasField("referral"):
        segments.append(written("RCC", "referral", pti_urn=_urn(request.referral.pti_urn), text=request.referral.text))
    if request.HasField("carry_forward"):
        court = request.carry_forward.court
        date = date_text(request.carry_forward.date)
        segments.append(written("CRT", "carry_forward", court_code=court.code, court_name=court.name, date=date))
    segments += _results(request.results)
    if request.HasField("added_charges"):
        segments += _added(request.added_charges)
    return tuple(segments)


def remand(request: RecordRemandRequest, owner: str) -> tuple[Segment, ...]:
    """A remand (NEWREM)."""
    path = "arrest_summons_number"
    number = values.arrest_summons_number_text(request.arrest_summons_number, path)
    care, custody = request.care, request.custody
    return (
        *_opening(request.owner or owner, request.subject),
        written("ASR", path, asn=number, crime_ref=request.crime_offence_reference),
        written(
            "REM",
            _REMAND_PATHS,
            remand_date=date_text(request.remanded_on),
            result=_REMAND_LETTERS.get(request.result, ""),
            location_force_station=request.remanded_at_station,
            location_court=request.court.code,
            location_court_name=request.court.name,
            next_date=date_text(request.next_appearance),
            next_court=request.next_court.code,
            next_court_name=request.next_court.name,
            bail_conditions="".join(bail_condition(condition) for condition in request.bail_conditions if condition.strip()),
            bail_address=request.bail_address,
            breach=request.breach,
            custody_force_station=custody.force_station,
            institution=custody.institution,
            prisoner_number=custody.prisoner_number,
            custody_text=custody.text,
            next_force_station=request.next_station,
            local_authority=care.local_authority_code or NO_AUTHORITY,
            local_authority_name=care.local_authority,
            secure_unit=care.secure_unit,
            social_worker=care.social_worker,
            phone=care.phone,
        ),
    )


_REMAND_PATHS: Final = {
    "bail_conditions": "bail_conditions",
    "bail_address": "bail_address",
    "breach": "breach",
    "location_court_name": "court.name",
    "next_court_name": "next_court.name",
    "institution": "custody.institution",
    "prisoner_number": "custody.prisoner_number",
    "custody_text": "custody.text",
    "local_authority_name": "care.local_authority",
    "secure_unit": "care.secure_unit",
    "social_worker": "care.social_worker",
    "phone": "care.phone",
}


def bail_condition(text: str) -> str:
    """A condition as four lines of 50, broken between words; where that takes a fifth line, between letters, so that nothing is lost."""
    lines = textwrap.wrap(text, CONDITION_LINE, break_on_hyphens=False)
    if len(lines) > CONDITION // CONDITION_LINE:
        return text.ljust(CONDITION)
    return "".join(line.ljust(CONDITION_LINE) for line in lines).ljust(CONDITION)


def deferred_sentence(request: RecordDeferredSentenceRequest, owner: str) -> tuple[Segment, ...]:
    """The sentence of a case whose sentence was deferred (SENDEF)."""
    return _later_appearance(request, owner, DEFERRED)


def variation(request: RecordVariationRequest, owner: str) -> tuple[Segment, ...]:
    """A varied result (SUBVAR)."""
    return _later_appearance(request, owner, VARIED)


def _later_appearance(request: RecordDeferredSentenceRequest | RecordVariationRequest, owner: str, kind: str) -> tuple[Segment, ...]:
    appearance = request.appearance
    return (
        *_opening(request.owner or owner, request.subject),
        written("SUB", "appearance", court=_court(appearance.court), hearing_date=date_text(appearance.date), hearing_type=kind),
        _case(request.court_case_reference, request.crime_offence_reference),
        *_results(request.results),
    )


def _opening(owner: str, subject: Subject) -> tuple[Segment, Segment]:
    if not owner:
        raise invalid("owner", "is needed, since the adapter's setting update_owner names none")
    return (
        written("FSC", "owner", force_station=owner),
        written(
            "IDS",
            _IDS_PATHS,
            pnc_id=values.pnc_id_text(subject.pnc_id),
            check_name=subject.check_name,
            cro_number=values.cro_text(subject.cro_number),
        ),
    )


def _case(reference: CourtCaseReference, crime: str) -> Segment:
    paths = {"court_case_ref": "court_case_reference", "crime_ref": "crime_offence_reference"}
    return written("CCR", paths, court_case_ref=values.court_case_text(reference), crime_ref=crime)


def _results(results: Iterable[OffenceResult]) -> list[Segment]:
    segments: list[Segment] = []
    for number, result in enumerate(results):
        path = f"results[{number}]"
        segments.append(
            written(
                "CCH",
                path,
                offence_ref=f"{result.number:03d}",
                qualifier=values.unpaired(result.qualifiers),
                npcc_code=result.npcc_offence_code,
                cjs_code=result.cjs_offence_code,
            )
        )
        segments += _decided(result, path)
    return segments


def _added(charges: AddedCharges) -> list[Segment]:
    path = "added_charges.arrest_summons_number"
    number = values.arrest_summons_number_text(charges.arrest_summons_number, path)
    segments = [written("ASR", "added_charges", asn=number, crime_ref=charges.crime_offence_reference)]
    for place, offence in enumerate(charges.offences):
        path = f"added_charges.offences[{place}]"
        segments.append(
            written(
                "ACH",
                path,
                crime_ref=offence.crime_offence_reference,
                offence_ref=f"{offence.number:03d}" if offence.number else "",
                qualifier=values.unpaired(offence.qualifiers),
                npcc_code=offence.npcc_offence_code,
                description=offence.description,
                cjs_code=offence.cjs_offence_code,
                method=offence.method,
                dress=offence.dress,
                on_bail="Y" if offence.committed_on_bail else "N",
                location=offence.location,
                location_force_station=offence.location_force_station,
                **period_fields(offence.committed),
            )
        )
        segments += _decided(offence, path)
    return segments


def _decided(offence: OffenceResult | AddedOffence, path: str) -> list[Segment]:
    found = finding_segments(offence.adjudication, path) if offence.HasField("adjudication") else []
    return found + disposal_segments(offence.disposals, path)


def _court(court: Court) -> str:
    """Code and name in one field of 75, as the widths of the other segments have it (4 and 71; recorded ones hold a code alone)."""
    return f"{court.code:<{COURT_CODE}}{court.name}"


def _urn(number: values.Identifier) -> str:
    return number.value or number.as_received


def receipt(reply: Transaction) -> UpdateReceipt:
    """What the host said to an update that was done: the first acceptance (or, where it only warned, the warning), then the rest."""
    texts = reply_codes(reply)
    chief = next((text for text in texts if classify(text.code, update=True) is Outcome.ACCEPTED), texts[0])
    return UpdateReceipt(code=chief.code, remarks=[Remark(code=text.code, text=text.text) for text in texts if text is not chief])


def disposal_receipt(reply: Transaction) -> RecordDisposalResponse:
    """The receipt of a disposal, with the case that was opened for what was carried forward."""
    opened = reply.find("CCR")
    return RecordDisposalResponse(
        receipt=receipt(reply), additional_case=values.read_court_case(opened["court_case_ref"]) if opened else None
    )
