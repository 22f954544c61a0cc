"""The enquiry by arrest/summons number: its question, and the cases and offences of its reply; pure.

The reply's form is that of Bichard 7's recorded exchanges: ASI{FSC, IDS, ((CCR | PCR), (COF, ADJ?, DIS*)*)*}. `finding_segments` and the
functions beside it write what an update shares with a reply.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from adapters.pnc.records import Segment, Transaction, runs
from adapters.pnc.translate import values
from adapters.pnc.translate.enquiries import provenance
from adapters.pnc.translate.values import date_text, raw, read_date, written
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsRequest, GetArrestSummonsResponse
from metip.pnc.v1.court_case_pb2 import Adjudication, CourtCase, Disposal, Finding, Offence, OffencePeriod, PenaltyCase, Plea, Subject

# As PNC prints them (Bichard 7's standing data).
PLEAS: Final[Mapping[str, "Plea.ValueType"]] = {
    "": Plea.PLEA_UNSPECIFIED,
    "GUILTY": Plea.PLEA_GUILTY,
    "NOT GUILTY": Plea.PLEA_NOT_GUILTY,
    "NO PLEA TAKEN": Plea.PLEA_NO_PLEA_TAKEN,
    "CONSENTED": Plea.PLEA_CONSENTED,
    "RESISTED": Plea.PLEA_RESISTED,
}
FINDINGS: Final[Mapping[str, "Finding.ValueType"]] = {
    "": Finding.FINDING_UNSPECIFIED,
    "GUILTY": Finding.FINDING_GUILTY,
    "NOT GUILTY": Finding.FINDING_NOT_GUILTY,
    "NON-CONVICTION": Finding.FINDING_NON_CONVICTION,
}
_PLEA_TEXTS: Final = {plea: text for text, plea in PLEAS.items()}
_FINDING_TEXTS: Final = {finding: text for text, finding in FINDINGS.items()}
QUALIFIERS: Final = 8
"""Columns of a disposal's qualifiers, four pairs; the four columns behind them are a duration."""


def number_key(request: GetArrestSummonsRequest) -> tuple[Segment, ...]:
    """The question. Raises `Fault` DUMMY_NUMBER and INVALID_REQUEST. This segment is the host's own and has no place for a reason."""
    path = "arrest_summons_number"
    return (written("E07", path, asn=values.arrest_summons_number_text(request.arrest_summons_number, path)),)


def arrest_summons(reply: Transaction, at: datetime.datetime) -> GetArrestSummonsResponse:
    """Everything in the reply."""
    wrapper = reply.find("ASI")
    inside = wrapper.children if wrapper else ()
    owner, person = reply.find("FSC"), reply.find("IDS")
    cases = runs(inside, "CCR", "PCR")
    return GetArrestSummonsResponse(
        owner=owner["force_station"] if owner else "",
        subject=subject(person, at.date()) if person else None,
        court_cases=[
            CourtCase(
                reference=values.read_court_case(run[0]["court_case_ref"]),
                crime_offence_reference=run[0]["crime_ref"],
                offences=offences(run),
            )
            for run in cases
            if run[0].tag == "CCR"
        ],
        penalty_cases=[
            PenaltyCase(reference=run[0]["penalty_case_ref"], crime_offence_reference=run[0]["crime_ref"], offences=offences(run))
            for run in cases
            if run[0].tag == "PCR"
        ],
        provenance=provenance(reply, at),
    )


def subject(segment: Segment, today: datetime.date) -> Subject:
    """The person that a case is about."""
    return Subject(
        pnc_id=values.read_pnc_id(segment["pnc_id"], today),
        check_name=segment["check_name"],
        cro_number=values.read_cro(segment["cro_number"]),
    )


def offences(run: Sequence[Segment]) -> list[Offence]:
    """The offences of one case."""
    return [_offence(of_offence) for of_offence in runs(run, "COF")]


def _offence(run: Sequence[Segment]) -> Offence:
    first = run[0]
    return Offence(
        number=values.read_count(first["offence_ref"]),
        cjs_offence_code=first["cjs_code"],
        npcc_offence_code=first["npcc_code"],
        qualifiers=[qualifier for qualifier in (first["qualifier_1"], first["qualifier_2"]) if qualifier],
        committed=period(first),
        adjudication=adjudication(run),
        disposals=disposals(run),
    )


def period(segment: Segment) -> OffencePeriod:
    """When an offence was committed: of COF or ACH."""
    return OffencePeriod(
        start_date=read_date(segment["start_date"]),
        start_time=values.read_time(segment["start_time"]),
        end_date=read_date(segment["end_date"]),
        end_time=values.read_time(segment["end_time"]),
    )


def period_fields(committed: OffencePeriod) -> dict[str, str]:
    """When an offence was committed, as fields of COF or ACH."""
    return {
        "start_date": date_text(committed.start_date),
        "start_time": values.time_text(committed.start_time) if committed.HasField("start_time") else "",
        "end_date": date_text(committed.end_date),
        "end_time": values.time_text(committed.end_time) if committed.HasField("end_time") else "",
    }


def adjudication(run: Iterable[Segment]) -> Adjudication | None:
    """Plea and finding among an offence's segments; None where there is none."""
    segment = next((segment for segment in run if segment.tag == "ADJ"), None)
    if segment is None:
        return None
    plea, finding = segment["plea"], segment["adjudication"]
    return Adjudication(
        plea=PLEAS.get(plea, Plea.PLEA_UNSPECIFIED),
        plea_as_received="" if plea in PLEAS else plea,
        finding=FINDINGS.get(finding, Finding.FINDING_UNSPECIFIED),
        finding_as_received="" if finding in FINDINGS else finding,
        sentence_date=read_date(segment["sentence_date"]),
        offences_taken_into_consideration=values.read_count(segment["tics"]),
        weed_flag=segment["weed_flag"],
    )


def disposals(run: Iterable[Segment]) -> list[Disposal]:
    """The disposals among an offence's segments."""
    return [_disposal(segment) for segment in run if segment.tag == "DIS"]


def _disposal(segment: Segment) -> Disposal:
    qualifiers = raw(segment, "qualifiers")
    return Disposal(
        code=values.read_count(segment["disposal_code"]),
        duration=values.read_duration(segment["duration"]),
        date=read_date(segment["date"]),
        amount_pence=values.read_amount(segment["amount"]),
        units_fined=values.read_count(segment["units_fined"]),
        qualifiers=values.paired(qualifiers[:QUALIFIERS]),
        qualifier_duration=values.read_duration(qualifiers[QUALIFIERS:].strip()),
        text=segment["text"],
    )


def finding_segments(adjudication: Adjudication, path: str) -> list[Segment]:
    """The segment ADJ; none for a message that is not set."""
    return [
        written(
            "ADJ",
            f"{path}.adjudication",
            plea=_PLEA_TEXTS.get(adjudication.plea, "") or adjudication.plea_as_received,
            adjudication=_FINDING_TEXTS.get(adjudication.finding, "") or adjudication.finding_as_received,
            sentence_date=date_text(adjudication.sentence_date),
            tics=f"{adjudication.offences_taken_into_consideration:04d}",
            weed_flag=adjudication.weed_flag,
        )
    ]


def disposal_segments(disposals: Iterable[Disposal], path: str) -> list[Segment]:
    """A segment DIS for each."""
    return [
        written(
            "DIS",
            f"{path}.disposals[{number}]",
            disposal_code=str(disposal.code),
            duration=values.duration_text(disposal.duration),
            date=date_text(disposal.date),
            amount=values.amount_text(disposal.amount_pence),
            units_fined=f"{disposal.units_fined:02d}",
            qualifiers=_qualifiers(disposal),
            text=disposal.text,
        )
        for number, disposal in enumerate(disposals)
    ]


def _qualifiers(disposal: Disposal) -> str:
    return f"{values.unpaired(disposal.qualifiers):<{QUALIFIERS}}{values.duration_text(disposal.qualifier_duration)}"
