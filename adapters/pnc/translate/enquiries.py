"""Names and vehicle enquiries: the contract's questions as segments, and the replies' segments as answers; pure.

The segments are our own invention in the host's envelope (assumed, see `segments`); the contract above them would stay.
"""

import datetime
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from adapters.kit import Officer
from adapters.pnc.records import Segment, Transaction, runs
from adapters.pnc.replies import reply_codes
from adapters.pnc.translate import values
from adapters.pnc.translate.reasons import originator
from adapters.pnc.translate.values import read_date, written
from metip import identifiers
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.answer_pb2 import Warning as Remark
from metip.common.v1.identifiers_pb2 import PncId, Vrm
from metip.common.v1.pole_pb2 import Person, PersonName, Sex, Vehicle, WarningSignal
from metip.pnc.reports import circulation, vehicle_report
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, GetPersonResponse, SearchPersonsRequest, SearchPersonsResponse
from metip.pnc.v1.person_pb2 import Nominal
from metip.pnc.v1.vehicle_enquiry_service_pb2 import (
    GetVehicleRequest,
    GetVehicleResponse,
    Keeper,
)

SYSTEM: Final = "PNC"
MOST: Final = 20
LONDON: Final = ZoneInfo("Europe/London")
REFRESH: Final = datetime.time(4)
"""When the vehicle register's copy is renewed, every night by London time (the hour is assumed)."""

REPORT: Final = ("force_station", "reference", "text")
SEXES: Final = {"M": Sex.SEX_MALE, "F": Sex.SEX_FEMALE, "U": Sex.SEX_NOT_SPECIFIED}
_SEX_LETTERS: Final = {sex: letter for letter, sex in SEXES.items()}
_SEARCH_PATHS: Final = {"surname": "family_name", "forenames": "given_names"}


def search(request: SearchPersonsRequest, officer: Officer | None, today: datetime.date) -> tuple[Segment, ...]:
    """The names enquiry by description. Raises `Fault` INVALID_REQUEST by field."""
    return (
        originator(request.access, officer, today),
        written(
            "N01",
            _SEARCH_PATHS,
            surname=request.family_name,
            forenames=request.given_names,
            sex=_SEX_LETTERS.get(request.sex, ""),
            born_from=values.bound_text(getattr(request.born, "from"), "born.from", last=False),
            born_to=values.bound_text(request.born.to, "born.to", last=True),
            maximum=str(request.limit or MOST),
        ),
    )


def by_number(request: GetPersonRequest, officer: Officer | None, today: datetime.date) -> tuple[Segment, ...]:
    """The names enquiry by number."""
    key = written("N01", "key", pnc_id=request.pnc_id.value, cro_number=request.cro_number.value, maximum="1")
    return originator(request.access, officer, today), key


def vehicle_key(request: GetVehicleRequest, officer: Officer | None, today: datetime.date) -> tuple[Segment, ...]:
    """The vehicle enquiry."""
    return originator(request.access, officer, today), written("V01", "key", vrm=request.vrm.value, vin=request.vin)


def candidates(reply: Transaction, at: datetime.datetime) -> SearchPersonsResponse:
    """Everybody in the reply, in the host's order."""
    return SearchPersonsResponse(nominals=[nominal(run) for run in people(reply)], provenance=provenance(reply, at))


def person(reply: Transaction, at: datetime.datetime) -> GetPersonResponse:
    """The one person in the reply; a reply with data has at least one."""
    return GetPersonResponse(nominal=nominal(people(reply)[0]), provenance=provenance(reply, at))


def people(reply: Transaction) -> list[tuple[Segment, ...]]:
    """One run of segments for each person."""
    return runs(_inside(reply), "NOM")


def nominal(run: Sequence[Segment]) -> Nominal:
    """One person of their segments: NOM, then ALI, WRN, NAD and RPT in any order."""
    first = run[0]
    aliases = _tagged(run, "ALI")
    born = read_date(first["born"])
    others = [date for alias in aliases if (date := read_date(alias["born"])) is not None and date != born]
    homes = sorted(_tagged(run, "NAD"), key=lambda home: _sortable(home["from_date"]), reverse=True)
    return Nominal(
        person=Person(
            name=_name(first),
            date_of_birth=born,
            sex=SEXES.get(first["sex"], Sex.SEX_UNSPECIFIED),
            observed_ethnicity=values.read_count(first["ethnic_appearance"]),
            height_cm=values.read_count(first["height_cm"]),
            pnc_id=_long_pnc_id(first["pnc_id"]),
            cro_number=values.read_cro(first["cro_number"]),
            aliases=[_name(alias) for alias in aliases],
            addresses=[values.address(home["address"], home["postcode"]) for home in homes],
            warning_signals=[WarningSignal(code=signal["code"], text=signal["text"]) for signal in _tagged(run, "WRN")],
        ),
        place_of_birth=first["birth_place"],
        circulations=[circulation(*_told(report, "type", *REPORT)) for report in _tagged(run, "RPT")],
        other_dates_of_birth=others,
    )


def vehicle(reply: Transaction, at: datetime.datetime) -> GetVehicleResponse:
    """The vehicle in the reply; where a mark was used twice, the first, and the provenance says that there is more."""
    found = runs(_inside(reply), "VEH")
    first, *rest = found[0]
    keeper = next(iter(_tagged(rest, "KPR")), None)
    source = provenance(reply, last_refresh(at))
    source.truncated |= len(found) > 1
    return GetVehicleResponse(
        vehicle=Vehicle(
            vrm=Vrm(value=first["vrm"]) if first["vrm"] else None,
            vin=first["vin"],
            make=first["make"],
            model=first["model"],
            colour=first["colour"],
            first_registered=read_date(first["first_registered"]),
        ),
        keeper=_keeper(keeper) if keeper else None,
        taxed=first["taxed"] == "Y",
        mot_expiry=read_date(first["mot_expiry"]),
        insured=first["insured"] == "Y",
        reports=[vehicle_report(*_told(report, "type", "handling", *REPORT)) for report in _tagged(rest, "VRP")],
        provenance=source,
        keeper_changes=values.read_count(first["keeper_changes"]),
    )


def last_refresh(at: datetime.datetime) -> datetime.datetime:
    """The last 04:00 in London at or before an instant."""
    local = at.astimezone(LONDON)
    refreshed = datetime.datetime.combine(local.date(), REFRESH, LONDON)
    if refreshed > local:
        refreshed = datetime.datetime.combine(local.date() - datetime.timedelta(days=1), REFRESH, LONDON)
    return refreshed.astimezone(datetime.UTC)


def provenance(reply: Transaction, at: datetime.datetime) -> Provenance:
    """Where the answer is from, with what the host remarked on it."""
    more = reply.find("MOR")
    source = Provenance(
        system=SYSTEM,
        truncated=more is not None and more["more"] == "Y",
        warnings=[Remark(code=text.code, text=text.text) for text in reply_codes(reply)],
    )
    source.as_of.FromDatetime(at)
    return source


def _name(segment: Segment) -> PersonName:
    return PersonName(given_names=segment["forenames"].split(maxsplit=2), family_name=segment["surname"])


def _long_pnc_id(text: str) -> PncId | None:
    """These segments have room for four digits of the year, so that no century is guessed."""
    if not text:
        return None
    canonical = identifiers.parse_pnc_id(text, today=datetime.date.max).canonical
    return PncId(value=text) if canonical == text else PncId(as_received=text)


def _keeper(segment: Segment) -> Keeper:
    return Keeper(name=segment["name"], address=values.address(segment["address"], segment["postcode"]), since=read_date(segment["since"]))


def _told(segment: Segment, *names: str) -> list[str]:
    return [segment[name] for name in names]


def _inside(reply: Transaction) -> tuple[Segment, ...]:
    wrapper = reply.find("ASI")
    return wrapper.children if wrapper else ()


def _tagged(run: Sequence[Segment], tag: str) -> list[Segment]:
    return [segment for segment in run if segment.tag == tag]


def _sortable(date: str) -> str:
    return date[4:] + date[2:4] + date[:2]
