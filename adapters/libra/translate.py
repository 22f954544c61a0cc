"""The contract's messages to native records and back, by tables. Pure: no driver, no XML.

A code that the contract lacks was kept aside by the codec, so that it never comes here; a value that the courts lack is written as no code.
"""

import dataclasses
import re
from collections.abc import Callable
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from adapters.kit.documents import Aside
from adapters.kit.translation import By, Pair, Parts, Translation
from adapters.kit.values import CLOCK, DAY, IDENTIFIERS, Value, identified, identifier, received, timestamp
from adapters.kit.vocabulary import read_vocabularies
from adapters.libra import cases_sent as sent
from adapters.libra import envelopes, records
from adapters.libra import results as resulted
from adapters.libra.wire import digest
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CroNumber, PncId, PtiUrn
from metip.common.v1.pole_pb2 import PersonName
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.identifiers import plain_pnc_id
from metip.libra.v1 import case_pb2, court_pb2, result_pb2
from metip.libra.v1.case_service_pb2 import SubmitCaseRequest
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.options.v1.options_pb2 import PURPOSE_PROSECUTION

LONDON: Final = ZoneInfo("Europe/London")
LONGEST_ID = 200
OBJECT: Final = re.compile(r"([0-9 ]{4})([A-Z ])(?:([0-9 ]{4})([A-Z ])(.*))?", re.DOTALL)
"""An addressable object as BS7666 packs it into one text."""


def case_record(request: SubmitCaseRequest) -> sent.NewCase:
    """The document of a submission. Raises `ValueError` for a date that no calendar has."""
    case = TRANSLATION.record(request, sent.Case)
    if not case.summons_type:
        case = dataclasses.replace(case, initiation_code="", case_initiation=case.initiation_code)
    return sent.NewCase(case=case, aside=tuple(Aside(one.path, one.xml) for one in request.kept_aside))


def case_message(record: sent.NewCase, *, submission: int = 1) -> SubmitCaseRequest:
    """The submission that a document says, facts for facts; the document itself does not number it."""
    request = TRANSLATION.message(record.case or sent.Case(), SubmitCaseRequest)
    said = SubmitCaseRequest(access=AccessContext(purpose=PURPOSE_PROSECUTION), submission=submission, kept_aside=_kept(record.aside))
    request.MergeFrom(said)
    return request


def results(
    cases: resulted.ResultedCases, delivery_id: str = "", created: datetime | None = None, origin: str = ""
) -> list[PublishResultRequest]:
    """A message for each case. A delivery that has no name of its own, or an endless one, is known by its digest."""
    session = cases.session or resulted.Session()
    return [_result(session, number, cases.aside, delivery_id, created, origin) for number in range(1, len(session.cases) + 1)]


def delivered(delivery: envelopes.DeliverRequest, cases: resulted.ResultedCases) -> list[PublishResultRequest]:
    """The messages of a delivery and its payload."""
    metadata = delivery.metadata or envelopes.DeliveryMetadata()
    return results(cases, delivery.message_id, metadata.created, metadata.origin.name if metadata.origin else "")


def routed(data: envelopes.RouteData, cases: resulted.ResultedCases) -> list[PublishResultRequest]:
    """The messages of a payload that was routed here."""
    sender, stream = data.sender or envelopes.System(), data.stream or envelopes.DataStream()
    return results(cases, sender.correlation_id, None, stream.system or sender.system_id)


def _result(
    session: resulted.Session, number: int, aside: tuple[Aside, ...], delivery_id: str, created: datetime | None, origin: str
) -> PublishResultRequest:
    case, court = session.cases[number - 1], session.hearing or resulted.CourtHearing()
    # What stands in another case of the delivery is that case's; what stands in none is everybody's.
    mine = tuple(one for one in aside if re.match(r"Session/Case\[(\d+)\]/", one.path) is None or one.path.startswith(_path(number)))
    alone = resulted.ResultedCases(session=resulted.Session(hearing=court, cases=(case,)), aside=tuple(map(_alone, mine)))
    content, defendant = digest(alone), case.defendant or resulted.CourtDefendant()
    return PublishResultRequest(
        access=AccessContext(purpose=PURPOSE_PROSECUTION),
        delivery_id=delivery_id if 0 < len(delivery_id) <= LONGEST_ID else content,
        case_number=number,
        content_digest=content,
        pti_urn=identifier(PtiUrn, case.pti_urn),
        hearing=TRANSLATION.message(court.hearing, court_pb2.Hearing) if court.hearing else None,
        psa_code=court.psa_code,
        defendant=TRANSLATION.message(defendant, result_pb2.ResultedDefendant),
        offences=[TRANSLATION.message(one, result_pb2.ResultedOffence) for one in defendant.offences],
        created=timestamp(created),
        originating_system=origin[:LONGEST_ID],
        kept_aside=_kept(mine),
    )


def _path(number: int) -> str:
    return f"Session/Case[{number}]/"


def _alone(aside: Aside) -> Aside:
    """The same part where its case is the only one."""
    return Aside(re.sub(r"^Session/Case\[\d+\]/", _path(1), aside.path), aside.xml)


def _kept(asides: tuple[Aside, ...]) -> list[court_pb2.KeptAside]:
    return [court_pb2.KeptAside(path=one.path, xml=one.xml) for one in asides]


def _pnc_id(raw: str) -> PncId | None:
    """A PNC id, which the courts write without its slash."""
    found = identifier(PncId, raw or "")
    if found.value and plain_pnc_id(found.value) == raw:
        found.as_received = ""
    return found if raw else None


def _cro(raw: str) -> CroNumber | None:
    """A CRO number. The contract has no canonical form for that of the old small file, so such a one stays as received."""
    found = identifier(CroNumber, raw or "")
    return (CroNumber(as_received=raw) if found.value.startswith("SF") else found) if raw else None


def _object(packed: str) -> court_pb2.AddressableObject | None:
    """What is packed into one text; one that is packed in no known way is a name."""
    if not packed.strip():
        return None
    found = OBJECT.fullmatch(packed)
    parts = [(part or "").strip() for part in found.groups()] if found else []
    if not found or any(" " in parts[index] for index in (0, 2)):
        return court_pb2.AddressableObject(name=packed.strip())
    return court_pb2.AddressableObject(
        start_number=parts[0], start_suffix=parts[1], end_number=parts[2], end_suffix=parts[3], name=parts[4]
    )


def _packed(message: court_pb2.AddressableObject) -> str:
    start = f"{message.start_number:>4}{message.start_suffix:1}"
    rest = f"{message.end_number:>4}{message.end_suffix:1}{message.name}"
    return start + rest if rest.strip() else start


def _in_london(*pairs: tuple[str, str]) -> Callable[[Any], Any]:
    """Moves days and times that name a zone to the clock of London."""

    def moved(record: Any) -> Any:
        changes: dict[str, Any] = {}
        for day, at in pairs:
            on, clock = getattr(record, day), getattr(record, at)
            if on and clock and clock.tzinfo:
                instant = datetime.combine(on, clock).astimezone(LONDON)
                changes |= {day: instant.date(), at: instant.time()}
        return dataclasses.replace(record, **changes)

    return moved


def _secondary(record: resulted.Result) -> list[result_pb2.CourtDuration]:
    duration = record.outcome.duration if record.outcome and record.outcome.duration else resulted.Duration()
    pairs = zip_longest(duration.secondary_values, duration.secondary_units)
    return [TRANSLATION.message(resulted.Duration(value=value or 0, unit=unit or ""), result_pb2.CourtDuration) for value, unit in pairs]


def _party(field: str) -> tuple[str, str]:
    """A field that a person and an organisation have both."""
    return f"individual.{field}", f"corporate.{field}"


OF_PARTY: Final = ("present", "bail_status", "address", "pnc_id")
"""What a record has with the person or organisation, and the contract with the defendant."""
CONTACT: Final = {"contact": Parts()}
COUNT: Final = Value(lambda number: number or 0, lambda number: number)
"""A number that is always written, be it 0."""
YES: Final = Value(lambda letter: letter == "Y", lambda said: "Y" if said else "N")
VALUES: Final = {
    **IDENTIFIERS,
    PtiUrn.DESCRIPTOR.full_name: identified(PtiUrn, always=True),
    ArrestSummonsNumber.DESCRIPTOR.full_name: identified(ArrestSummonsNumber, always=True),
    PncId.DESCRIPTOR.full_name: Value(_pnc_id, lambda message: plain_pnc_id(message.value) if message.value else message.as_received),
    CroNumber.DESCRIPTOR.full_name: Value(_cro, received),
    court_pb2.AddressableObject.DESCRIPTOR.full_name: Value(_object, _packed),
    CivilDate.DESCRIPTOR.full_name: DAY,
    LocalTime.DESCRIPTOR.full_name: CLOCK,
}
"""How identifiers, days, times and packed texts go over, by the full name of their messages."""
TRANSLATION: Final = Translation(
    pairs=(
        Pair(records.Hearing, court_pb2.Hearing, {"date": "day", "time": "at"}),
        Pair(records.Name, PersonName),
        Pair(records.Person, court_pb2.PersonDetails, CONTACT),
        Pair(records.Address, court_pb2.StructuredAddress),
        Pair(records.Alcohol, court_pb2.AlcoholLevel, {"amount": By("amount", COUNT)}),
        Pair(records.OffenceVehicle, court_pb2.OffenceVehicle),
        Pair(records.Offence, court_pb2.OffenceDetails, {"sequence_number": By("sequence_number", COUNT)}),
        Pair(sent.Ethnicity, case_pb2.Ethnicity),
        Pair(sent.Guardian, case_pb2.Guardian),
        Pair(sent.Officer, case_pb2.OfficerInCase, CONTACT),
        Pair(sent.Individual, case_pb2.IndividualDefendant, {"driving_licence": Parts(code="licence_code", issue="licence_issue")}),
        Pair(sent.Corporate, case_pb2.CorporateDefendant, CONTACT),
        Pair(sent.Victim, case_pb2.Victim, CONTACT),
        Pair(sent.CaseOffence, case_pb2.CaseOffence),
        Pair(sent.Defendant, case_pb2.CaseDefendant, {"arrest_summons_number": "reference"}),
        Pair(
            sent.Case,
            SubmitCaseRequest,
            {"initiation": ("initiation_code", "case_initiation"), "initial_hearing": "hearing", "officer_in_case": "officer"},
            without=("access", "submission", "kept_aside"),
        ),
        Pair(resulted.SimpleAddress, result_pb2.SimpleAddress),
        Pair(resulted.CourtAddress, result_pb2.CourtAddress),
        Pair(
            resulted.CourtIndividual,
            result_pb2.ResultedIndividual,
            {"guardian": "guardian.details", "guardian_address": "guardian.address"},
            without=OF_PARTY,
        ),
        Pair(resulted.CourtCorporate, result_pb2.ResultedOrganisation, CONTACT, without=OF_PARTY),
        Pair(
            resulted.CourtDefendant,
            result_pb2.ResultedDefendant,
            {
                "arrest_summons_number": "reference",
                "organisation": "corporate",
                "present_at_hearing": _party("present"),
                "bail_status": _party("bail_status"),
                "address": _party("address"),
                "pnc_id": _party("pnc_id"),
            },
            without=("offences",),
        ),
        Pair(
            resulted.CourtOffence,
            result_pb2.ResultedOffence,
            {
                "details": "base",
                "initiated_date": "initiated",
                "final_disposal": By("final_disposal", YES),
                "conviction_date": "convicted",
            },
        ),
        Pair(
            resulted.Result,
            result_pb2.CourtResult,
            {
                "penalty_points": "outcome.penalty_points",
                "amount_pence": "outcome.pence",
                "duration": Parts("outcome.duration"),
                "secondary_durations": _secondary,
                "start_date": "outcome.duration.start",
                "end_date": "outcome.duration.end",
            },
            without=("outcome.duration.secondary_values", "outcome.duration.secondary_units"),
        ),
        Pair(resulted.Duration, result_pb2.CourtDuration, without=("start", "end", "secondary_values", "secondary_units")),
        Pair(resulted.NextHearing, result_pb2.NextHearing),
    ),
    values=VALUES,
    vocabularies=read_vocabularies(Path(__file__).with_name("codes.yaml")),
    ready={
        records.Hearing: _in_london(("day", "at")),
        records.Offence: _in_london(("start_date", "start_time"), ("end_date", "end_time")),
    },
)
"""Which field is which. A submission goes both ways, results only out."""
