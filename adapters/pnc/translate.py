"""Between the contract's messages and the host's records; pure: nothing here knows of sockets, clocks or sessions.

Almost all of it is the tables of `segments.yaml`, read in both directions. Here stands what they can't say: who asks and why, how current
an answer is, and what a receipt says.
"""

import datetime
from collections.abc import Mapping
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from google.protobuf.message import Message

from adapters.kit import Officer
from adapters.kit.segments import Mapper
from adapters.pnc.records import SEGMENTS, TABLE, Segment, Transaction, runs
from adapters.pnc.replies import Outcome, classify, reply_codes
from adapters.pnc.values import CODECS, carried, pnc_id, read_date
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.answer_pb2 import Warning as Remark
from metip.pnc.reasons import reason_code
from metip.pnc.v1 import arrest_summons_service_pb2 as arrests
from metip.pnc.v1 import case_update_service_pb2 as updates
from metip.pnc.v1 import driver_enquiry_service_pb2 as drivers
from metip.pnc.v1 import person_enquiry_service_pb2 as persons
from metip.pnc.v1 import property_enquiry_service_pb2 as things
from metip.pnc.v1 import vehicle_enquiry_service_pb2 as vehicles
from metip.pnc.values import invalid, read_court_case

M = TypeVar("M", bound=Message)
Update = (
    updates.RecordDisposalRequest | updates.RecordRemandRequest | updates.RecordDeferredSentenceRequest | updates.RecordVariationRequest
)

UPDATES: Final[Mapping[str, type[Update]]] = {
    "DISARR": updates.RecordDisposalRequest,
    "NEWREM": updates.RecordRemandRequest,
    "SENDEF": updates.RecordDeferredSentenceRequest,
    "SUBVAR": updates.RecordVariationRequest,
}
"""By function code of the header."""
HEARING_TYPES: Final[Mapping[type, str]] = {updates.RecordDeferredSentenceRequest: "D", updates.RecordVariationRequest: "V"}
CONTRACT: Final = (arrests, updates, drivers, persons, things, vehicles)
MESSAGES: Final = Mapper(
    SEGMENTS,
    TABLE["messages"],
    (kind for file in CONTRACT for kind in file.DESCRIPTOR.message_types_by_name.values()),
    CODECS,
    TABLE["codes"],
    carried,
)
LONDON: Final = ZoneInfo("Europe/London")
REFRESH: Final = datetime.time(4)
"""When the copies of the vehicle and drivers registers are renewed, every night by London time (the hour is assumed)."""
ACCOUNT: Final = "METIPHUB"
"""Who asks where nobody is behind the call, which is so when platforms are compared."""
COPIES: Final = (vehicles.GetVehicleResponse, vehicles.SearchVehiclesResponse, drivers.GetDriverResponse)


def question(request: Message, officer: Officer | None, on: datetime.date) -> tuple[Segment, ...]:
    """An enquiry. Raises `Fault` INVALID_REQUEST by field, and DUMMY_NUMBER.

    Who asks (the officer of the verified token), for whom and why is told in the segment ORG, but for the enquiry by arrest/summons number,
    which has no place for it.
    """
    access: AccessContext = getattr(request, "access")  # noqa: B009 - every request has it, and no type says so
    station = f"{officer.force}{officer.unit}" if officer else ""
    asking = {
        "user": officer.warrant_number if officer else ACCOUNT,
        "station": station if len(station) == 4 else "",
        "reason_code": reason_code(access.purpose, on).code,
    }
    return written(request, {"ORG": asking})


def update(request: Update, owner: str) -> tuple[Segment, ...]:
    """What a court did. `owner` is the force and station for a request that names none. Raises `Fault` INVALID_REQUEST by field."""
    owner = request.owner or owner
    if not owner:
        raise invalid("owner", "is needed, since the adapter's setting update_owner names none")
    return written(request, {"FSC": {"force_station": owner}, "SUB": {"hearing_type": HEARING_TYPES.get(type(request), "")}})


def written(message: Message, given: Mapping[str, Mapping[str, str]]) -> tuple[Segment, ...]:
    """The segments of a message, with what only the caller knows."""
    return tuple(Segment(tag, body) for tag, body in MESSAGES.write(message, given))


def answer(kind: type[M], reply: Transaction, at: datetime.datetime) -> M:
    """The answer in a reply, as of an instant, or of the last refresh where a register's copy answers."""
    people = runs(reply.walk(), "NOM")
    arranged = [segment for first, *rest in people for segment in (first, *sorted(rest, key=_moved_in, reverse=True))]
    message: Any = read(kind, arranged or reply.walk(), at.date())
    nominals = message.nominals if kind is persons.SearchPersonsResponse else [message.nominal] if kind is persons.GetPersonResponse else ()
    for nominal, run in zip(nominals, people, strict=False):
        born = (read_date(segment["born"]) for segment in run if segment.tag == "ALI")
        nominal.other_dates_of_birth.extend(date for date in born if date is not None and date != nominal.person.date_of_birth)
    message.provenance.system = "PNC"
    message.provenance.as_of.FromDatetime(last_refresh(at) if kind in COPIES else at)
    message.provenance.truncated |= len(reply.all("VEH")) > 1  # a mark that was used twice
    message.provenance.warnings.extend(Remark(code=text.code, text=text.text) for text in reply_codes(reply))
    return message  # type: ignore[no-any-return]  # only here it is any message


def read(kind: type[M], segments: Any, today: datetime.date) -> M:
    """The message that segments make up; also an update that another sender wrote, by its transaction's segments."""
    return MESSAGES.read(kind, segments, {"PncId": pnc_id(today)})


def last_refresh(at: datetime.datetime) -> datetime.datetime:
    """The last 04:00 in London at or before an instant."""
    local = at.astimezone(LONDON)
    refreshed = datetime.datetime.combine(local.date(), REFRESH, LONDON)
    if refreshed > local:
        refreshed = datetime.datetime.combine(local.date() - datetime.timedelta(days=1), REFRESH, LONDON)
    return refreshed.astimezone(datetime.UTC)


def receipt(reply: Transaction) -> updates.UpdateReceipt:
    """What the host said to an update that was done: the first acceptance (or, where it only warned, the warning), then the rest."""
    texts = reply_codes(reply)
    chief = next((text for text in texts if classify(text.code, update=True) is Outcome.ACCEPTED), texts[0])
    return updates.UpdateReceipt(code=chief.code, remarks=[Remark(code=text.code, text=text.text) for text in texts if text is not chief])


def disposal_receipt(reply: Transaction) -> updates.RecordDisposalResponse:
    """The receipt of a disposal, with the case that was opened for what was carried forward."""
    opened = reply.find("CCR")
    return updates.RecordDisposalResponse(
        receipt=receipt(reply), additional_case=read_court_case(opened["court_case_ref"]) if opened else None
    )


def _moved_in(segment: Segment) -> str:
    """Addresses come latest first; nothing else is moved."""
    since = segment["from_date"] if segment.tag == "NAD" else ""
    return since[4:] + since[2:4] + since[:2]
