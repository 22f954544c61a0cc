"""The contract's messages to native records and back, by tables. Pure: no driver, no XML.

A code that the contract lacks was kept aside by the codec, so that it never comes here; a value that the courts lack is written as no code.
"""

import dataclasses
import re
from collections.abc import Mapping
from datetime import datetime
from itertools import zip_longest
from typing import Final
from zoneinfo import ZoneInfo

from google.protobuf.message import Message

from adapters.kit.binding import Aside
from adapters.kit.translation import By, Pair, Parts, Translation
from adapters.kit.values import Value, identified, identifier, on_the_clock, timestamp
from adapters.kit.vocabulary import read_vocabularies
from adapters.libra import cases_sent as sent
from adapters.libra import envelopes, records
from adapters.libra import results as resulted
from adapters.libra.wire import digest
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, PncId, PtiUrn
from metip.common.v1.pole_pb2 import PersonName
from metip.identifiers import plain_pnc_id
from metip.libra.v1 import case_pb2, court_pb2, result_pb2
from metip.libra.v1.case_service_pb2 import SubmitCaseRequest
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.options.v1.options_pb2 import PURPOSE_PROSECUTION

VOCABULARIES: Final = read_vocabularies(__file__, "codes.yaml")
UNITS: Final = next(one for one in VOCABULARIES if one.enum == "metip.libra.v1.CourtDurationUnit")
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


def _secondary(record: resulted.Result) -> list[result_pb2.CourtDuration]:
    duration = record.outcome.duration if record.outcome and record.outcome.duration else resulted.Duration()
    pairs = zip_longest(duration.secondary_values, duration.secondary_units)
    return [result_pb2.CourtDuration(value=value or 0, unit=UNITS.value(unit or "")) for value, unit in pairs]


OF_PARTY: Final[Mapping[str, tuple[str, str]]] = {
    name: (f"individual.{name}", f"organisation.{name}") for name in ("present_at_hearing", "bail_status", "address", "pnc_id")
}
"""What a record has with the person or organisation, and the contract with the defendant."""
COUNT: Final = Value(lambda number: number or 0, lambda number: number)
"""A number that is always written, be it 0."""
YES: Final = Value(lambda letter: letter == "Y", lambda said: "Y" if said else "N")
VALUES: Final[Mapping[type[Message], Value]] = {
    PtiUrn: identified(PtiUrn, always=True),
    ArrestSummonsNumber: identified(ArrestSummonsNumber, always=True),
    PncId: identified(PncId, written=plain_pnc_id),
    court_pb2.AddressableObject: Value(_object, _packed),
}
"""How the courts write what is no record, where it is not as everybody does."""
TRANSLATION: Final = Translation(
    pairs=(
        Pair(records.Hearing, court_pb2.Hearing, date="day", time="at"),
        Pair(records.Name, PersonName),
        Pair(records.Person, court_pb2.PersonDetails, contact=Parts()),
        Pair(records.Address, court_pb2.StructuredAddress),
        Pair(records.Alcohol, court_pb2.AlcoholLevel, amount=By("amount", COUNT)),
        Pair(records.OffenceVehicle, court_pb2.OffenceVehicle),
        Pair(records.Offence, court_pb2.OffenceDetails, sequence_number=By("sequence_number", COUNT)),
        Pair(sent.Ethnicity, case_pb2.Ethnicity),
        Pair(sent.Guardian, case_pb2.Guardian),
        Pair(sent.Officer, case_pb2.OfficerInCase, contact=Parts()),
        Pair(sent.Individual, case_pb2.IndividualDefendant, driving_licence=Parts(code="licence_code", issue="licence_issue")),
        Pair(sent.Corporate, case_pb2.CorporateDefendant, contact=Parts()),
        Pair(sent.Victim, case_pb2.Victim, contact=Parts()),
        Pair(sent.CaseOffence, case_pb2.CaseOffence),
        Pair(sent.Defendant, case_pb2.CaseDefendant, arrest_summons_number="reference"),
        Pair(
            sent.Case,
            SubmitCaseRequest,
            *("access", "submission", "kept_aside"),
            initiation=("initiation_code", "case_initiation"),
            initial_hearing="hearing",
        ),
        Pair(resulted.SimpleAddress, result_pb2.SimpleAddress),
        Pair(resulted.CourtAddress, result_pb2.CourtAddress),
        Pair(resulted.CourtIndividual, result_pb2.ResultedIndividual, *OF_PARTY),
        Pair(resulted.CourtCorporate, result_pb2.ResultedOrganisation, *OF_PARTY, contact=Parts()),
        Pair(resulted.CourtDefendant, result_pb2.ResultedDefendant, "offences", arrest_summons_number="reference", **OF_PARTY),
        Pair(
            resulted.CourtOffence,
            result_pb2.ResultedOffence,
            final_disposal=By("final_disposal", YES),
            conviction_date="convicted",
        ),
        Pair(
            resulted.Result,
            result_pb2.CourtResult,
            *("outcome.duration.secondary_values", "outcome.duration.secondary_units"),
            penalty_points="outcome.penalty_points",
            amount_pence="outcome.pence",
            duration=Parts("outcome.duration"),
            secondary_durations=_secondary,
            start_date="outcome.duration.start",
            end_date="outcome.duration.end",
        ),
        Pair(resulted.NextHearing, result_pb2.NextHearing),
    ),
    values=VALUES,
    vocabularies=VOCABULARIES,
    ready={
        records.Hearing: on_the_clock(LONDON, ("day", "at")),
        records.Offence: on_the_clock(LONDON, ("start_date", "start_time"), ("end_date", "end_time")),
    },
)
"""Which field is which. A submission goes both ways, results only out."""
