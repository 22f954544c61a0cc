"""The contract's messages to what CRIS asks and answers, and back, by tables. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from adapters.cris import records, vocabulary
from adapters.cris.codes import DETS, LINE, MARK, METHOD, NAME, REASON, ZONE
from adapters.cris.records import Day
from adapters.kit.latin import Transcript, to_latin
from adapters.kit.translation import By, Pair, Parts, Translation
from adapters.kit.values import Value, timestamp
from metip.call import Officer
from metip.common.v1 import pole_pb2 as pole
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.answer_pb2 import Warning as Remark
from metip.common.v1.time_pb2 import CivilDate
from metip.cris.v1 import crime_report_pb2 as cris
from metip.cris.v1 import crime_report_service_pb2 as service
from metip.faults import Fault, Reason
from metip.options.v1.options_pb2 import PURPOSE_MIGRATION_TEST

M = TypeVar("M", bound=Message)
R = TypeVar("R")
SYSTEM = "CRIS"
USUAL_HITS = 20
ROLE, ACCOUNT = "restricted_crime_reports", "METIPHUB"
LONDON: Final = ZoneInfo(ZONE)
WIDTHS: Final[Mapping[type[Message], Mapping[str, int]]] = {
    AccessContext: {"justification": REASON, "reference": 50, "on_behalf_of": 50, "device_id": 40},
    pole.PersonName: {"title": NAME, "given_names": NAME, "family_name": NAME},
    pole.Person: {"self_defined_ethnicity": 2},
    pole.Address: {"postcode": 8},
    pole.Bs7666Address: {"secondary": LINE, "primary": LINE, "street": LINE, "locality": NAME, "town": 30},
    pole.AddressLines: {"line": NAME},
    cris.CrimeSheet: {"beat": 6, "modus_operandi": METHOD},
    cris.PropertyLine: {"description": LINE, "identifying_mark": MARK},
    service.PersonCriteria: {"family_name": NAME, "given_names": 3 * NAME + 2},
    service.PlaceCriteria: {"street": LINE},
    service.PropertyCriteria: {"identifying_mark": MARK},
    service.AddDetailRequest: {"text": DETS},
    service.Reclassification: {"reason": REASON},
    service.CrimeSheetChanges: {"modus_operandi": METHOD},
}
"""Texts that callers write, and how many characters of each CRIS holds."""


@dataclass(frozen=True, slots=True)
class House:
    """How this interface presents itself and its officers to CRIS."""

    account: str = ACCOUNT
    need_to_know_role: str = ROLE

    def requestor(self, access: AccessContext, officer: Officer | None, copy: Transcript) -> records.Requestor:
        """Who asks and why. Raises `Fault` OFFICER_NEEDED: CRIS records every transaction against an officer. When platforms are compared
        nobody is behind the call, and it is recorded against the account."""
        if officer is None and access.purpose != PURPOSE_MIGRATION_TEST:
            raise Fault(Reason.OFFICER_NEEDED, "the far system records every transaction against an officer")
        officer = officer or Officer(self.account, "", "", ())
        return TRANSLATION.record(
            transcribed(access, copy, "access"),
            records.Requestor,
            account=self.account,
            warrant_no=to_latin(officer.warrant_number),
            force=to_latin(officer.force),
            unit=to_latin(officer.unit),
            need_to_know=self.need_to_know_role in officer.roles,
        )


def question(request: Message, kind: type[R], by: records.Requestor, copy: Transcript) -> R:
    """What a request asks of CRIS. Raises `Fault` INVALID_REQUEST for a text that CRIS has no room for."""
    asked = TRANSLATION.record(transcribed(request, copy), kind, requestor=by)
    copy.settle()
    return asked


def answer(record: Any, kind: type[M], warnings: Iterable[Remark]) -> M:
    """What CRIS answered. Raises `Fault` NO_TRACE when a search found nothing."""
    if isinstance(record, records.Found) and not record.hits:
        raise Fault(Reason.NO_TRACE, "the far system knows no report by that description")
    message = TRANSLATION.message(record, kind)
    provenance: Any = getattr(message, "provenance")  # noqa: B009 - every answer has one, which a type variable can't say
    provenance.warnings.extend(warnings)
    return message


def transcribed(message: M, copy: Transcript, path: str = "") -> M:
    """The message with its texts as CRIS will hold them; `path` is where it stands in the request. Who asks is transcribed apart."""
    twin = type(message)()
    twin.CopyFrom(message)
    _transcribe(twin, copy, path)
    return twin


def _transcribe(message: Any, copy: Transcript, path: str) -> None:
    for field, value in message.ListFields():
        where = f"{path}.{field.name}" if path else field.name
        most = WIDTHS.get(type(message), {}).get(field.name)
        if most and field.is_repeated:
            value[:] = [copy.copy(where, one, most) for one in value]
        elif most:
            setattr(message, field.name, copy.copy(where, value, most))
        elif field.message_type and where != "access":
            for one in value if field.is_repeated else (value,):
                _transcribe(one, copy, where)


def _instant(held: datetime) -> Timestamp | None:
    """An instant of CRIS's. In the hour that autumn repeats the earlier reading is taken, so that nothing looks fresher than it is."""
    return timestamp(held.replace(tzinfo=LONDON, fold=0).astimezone(UTC))


def _provenance(record: Any) -> Provenance:
    return Provenance(system=SYSTEM, as_of=_instant(record.as_at), truncated=getattr(record, "more", False))


VALUES: Final[Mapping[type[Message], Value]] = {
    CivilDate: Value(
        lambda day: CivilDate(year=day.year, month=day.month, day=day.day) if day and day != Day(0, 0, 0) else None,
        lambda date: Day(date.year, date.month, date.day) if date.year or date.month or date.day else None,
    ),
    Timestamp: Value(_instant, lambda stamp: stamp.ToDatetime(LONDON).replace(tzinfo=None)),
}
CLASS: Final = Parts(code="class_code", title=By("class_title", Value(str, lambda title: "")))
"""The title of a classification is CRIS's own, so it never goes in."""
TRANSLATION: Final = Translation(
    pairs=(
        Pair(
            records.Requestor,
            AccessContext,
            *("account", "warrant_no", "force", "unit", "need_to_know"),
            purpose="reason_code",
            justification="reason_text",
        ),
        Pair(records.Address, pole.Address, bs7666=Parts(), lines=Parts(line="lines")),
        Pair(
            records.Person,
            pole.Person,
            *("cro_number", "aliases", "warning_signals"),
            name=Parts(),
            observed_ethnicity="ic_code",
            self_defined_ethnicity="sde_code",
            addresses="address",
        ),
        Pair(records.Party, cris.CrimeParty),
        Pair(records.PropertyLine, cris.PropertyLine, identifying_mark="mark"),
        Pair(records.Period, cris.CommittedPeriod),
        Pair(
            records.Sheet,
            cris.CrimeSheet,
            reporting_channel="channel",
            classification=CLASS,
            venue=Parts(address="venue"),
            modus_operandi="mo_text",
            cad_number="cad_no",
        ),
        Pair(records.Det, cris.DetailEntry),
        Pair(records.Report, cris.CrimeReport, crime_report_number="crime_no", details="dets"),
        Pair(
            records.Changes,
            service.CrimeSheetChanges,
            reclassification=Parts(code="class_code", reason="class_reason"),
            modus_operandi="mo_text",
        ),
        Pair(
            records.Hit,
            cris.CrimeReportSummary,
            crime_report_number="crime_no",
            classification=CLASS,
            committed_on="committed_from",
        ),
        Pair(
            records.Search,
            service.SearchCrimeReportsRequest,
            *("access", "requestor"),
            person=Parts(),
            place=Parts(),
            property=Parts(identifying_mark="mark"),
            committed=Parts(**{"from": "committed_from", "to": "committed_to"}),
            limit=By("maximum", Value(int, lambda limit: limit or USUAL_HITS)),
        ),
        Pair(records.Get, service.GetCrimeReportRequest, "access", "requestor", crime_report_number="crime_no"),
        Pair(
            records.Create,
            service.CreateCrimeReportRequest,
            *("access", "requestor"),
            # Letters of a UUID may come in either case, and the far system compares it as text.
            client_reference=By("client_ref", Value(str, str.lower)),
        ),
        Pair(records.AddDet, service.AddDetailRequest, "access", "requestor", crime_report_number="crime_no"),
        Pair(records.Update, service.UpdateCrimeReportRequest, "access", "requestor", crime_report_number="crime_no"),
        Pair(records.Found, service.SearchCrimeReportsResponse, "as_at", "more", reports="hits", provenance=_provenance),
        Pair(records.Given, service.GetCrimeReportResponse, "as_at", "more", provenance=_provenance),
        Pair(
            records.Created,
            service.CreateCrimeReportResponse,
            "as_at",
            crime_report_number="crime_no",
            already_recorded="duplicate",
            provenance=_provenance,
        ),
        Pair(records.Added, service.AddDetailResponse, "as_at", number="det_no", provenance=_provenance),
        Pair(records.Updated, service.UpdateCrimeReportResponse, "as_at", provenance=_provenance),
    ),
    values=VALUES,
    vocabularies=vocabulary.ALL,
)
"""Which field is which."""
