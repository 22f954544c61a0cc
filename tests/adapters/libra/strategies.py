"""Submissions that keep the contract, drawn over everything that it lets through; and records of results."""

from datetime import date, time
from typing import Any

from hypothesis import strategies as st

from adapters.libra import records, results
from metip.common.v1 import pole_pb2, time_pb2
from metip.common.v1.access_pb2 import AccessContext
from metip.libra.v1 import case_pb2, court_pb2
from metip.libra.v1.case_service_pb2 import SubmitCaseRequest
from tests.adapters.libra.samples import sample_case

RESTRICTED = "".join(chr(one) for one in range(0x20, 0x7F) if chr(one) not in "`|") + "£€"
"""The GovTalk restricted set."""
OBJECT = "0123456789:;<=>?@ABCXYZ%&'()*+abcxyz "
WIDE = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")


def filled(alphabet: str, longest: int) -> st.SearchStrategy[str]:
    """Texts with something else than blanks at both ends, as a codec that strips them keeps them."""
    return st.text(alphabet, min_size=1, max_size=longest).map(str.strip).filter(bool)


def empty_or(some: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.just("") | some


def free(longest: int, *, needed: bool = False) -> st.SearchStrategy[str]:
    """Sentences in any script."""
    some = st.text(WIDE, min_size=1, max_size=longest).filter(str.strip)
    return some if needed else st.just("") | some


DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31)).map(lambda day: time_pb2.CivilDate(year=day.year, month=day.month, day=day.day))
TIMES = st.times().map(lambda at: time_pb2.LocalTime(hour=at.hour, minute=at.minute))
SEXES = st.sampled_from([0, 1, 2, 9])
PHONES = st.text("0123456789", min_size=3, max_size=12)
EMAILS = st.from_regex(r"[a-z'.]{1,8}@[a-z0-9.\-]{1,8}", fullmatch=True)
NAMES = st.builds(
    pole_pb2.PersonName,
    title=empty_or(filled(RESTRICTED, 35)),
    given_names=st.lists(filled(RESTRICTED, 35), max_size=3),
    family_name=filled(RESTRICTED, 35),
)
OBJECTS = st.builds(
    court_pb2.AddressableObject,
    start_number=st.from_regex("[0-9]{0,4}", fullmatch=True),
    start_suffix=st.sampled_from(["", "A", "Z"]),
    end_number=st.from_regex("[0-9]{0,4}", fullmatch=True),
    end_suffix=st.sampled_from(["", "A", "Z"]),
    name=empty_or(filled(OBJECT, 90)),
).filter(lambda one: one.ByteSize() > 0)
ADDRESSES = st.builds(
    court_pb2.StructuredAddress,
    secondary=st.none() | OBJECTS,
    primary=OBJECTS,
    street=filled(RESTRICTED, 100),
    usrn=st.integers(0, 99_999_999),
    locality=empty_or(filled(RESTRICTED, 35)),
    town=filled(RESTRICTED, 30),
    administrative_area=empty_or(filled(RESTRICTED, 30)),
    post_town=empty_or(filled(RESTRICTED, 30)),
    postcode=st.sampled_from(["", "CR0 1AA", "SW1A 2AA"]),
    uprn=st.integers(0, 999_999_999_999),
)


def contacts(*, home: bool = True, mobile: bool = True) -> st.SearchStrategy[Any]:
    made = st.builds(
        court_pb2.Contact,
        business_telephone=empty_or(PHONES),
        home_telephone=empty_or(PHONES) if home else st.just(""),
        mobile_telephone=empty_or(PHONES) if mobile else st.just(""),
        emails=st.lists(EMAILS, max_size=2),
    )
    return st.none() | made.filter(lambda one: one.ByteSize() > 0)


DETAILS = st.builds(court_pb2.PersonDetails, name=NAMES, contact=contacts(), date_of_birth=st.none() | DAYS, sex=SEXES)
ETHNICITIES = st.none() | st.builds(case_pb2.Ethnicity, observed=st.integers(0, 9), self_defined=st.sampled_from(["", "W1", "A9"]))
OFFENCES = st.builds(
    court_pb2.OffenceDetails,
    sequence_number=st.integers(0, 999),
    offence_code=st.from_regex("[A-Z]{2}[0-9]{5}[A-Z]?", fullmatch=True),
    wording=free(60, needed=True),
    date_code=st.integers(1, 6),
    start_date=DAYS,
    start_time=st.none() | TIMES,
    end_date=st.none() | DAYS,
    end_time=st.none() | TIMES,
    charge_date=st.none() | DAYS,
    arrest_date=st.none() | DAYS,
    location=free(60),
    alcohol=st.none() | st.builds(court_pb2.AlcoholLevel, amount=st.integers(0, 999), method=st.sampled_from("ABZ")),
)
VICTIMS = st.builds(
    case_pb2.Victim,
    name=st.none() | NAMES,
    address=ADDRESSES,
    contact=contacts(),
    date_of_birth=st.none() | DAYS,
    sex=st.none() | SEXES,
    ethnicity=ETHNICITIES,
)
CHARGES = st.builds(case_pb2.CaseOffence, details=OFFENCES, prosecution_facts=free(60), victims=st.lists(VICTIMS, max_size=1))
INDIVIDUALS = st.builds(
    case_pb2.IndividualDefendant,
    details=DETAILS,
    nationality=st.sampled_from(["", "GBR"]),
    bail_conditions=free(60),
    perceived_birth_year=st.just(0) | st.integers(1900, 2026),
    address=ADDRESSES,
    ethnicity=ETHNICITIES,
    occupation_code=st.from_regex("[0-9]{0,5}", fullmatch=True),
    occupation=empty_or(filled(RESTRICTED, 54)),
    offender_code=st.sampled_from(["", "PO", "PYO"]),
    custody_status=st.integers(0, 7),
    documentation_language=st.integers(1, 2),
    hearing_language=st.integers(1, 2),
    language_needs=empty_or(filled(RESTRICTED, 150)),
    special_needs=empty_or(filled(RESTRICTED, 80)),
    driving_licence=st.none()
    | st.builds(case_pb2.DrivingLicence, driver_number=st.just("MARCH902171E99ZZ"), code=st.sampled_from("FP"), issue=st.just("12")),
    aliases=st.lists(NAMES, max_size=2),
    guardian=st.none() | st.builds(case_pb2.Guardian, details=DETAILS, address=ADDRESSES, ethnicity=ETHNICITIES),
)
CORPORATES = st.builds(
    case_pb2.CorporateDefendant,
    name=filled(RESTRICTED, 255),
    contact=contacts(home=False, mobile=False),
    address=ADDRESSES,
    aliases=st.lists(filled(RESTRICTED, 255), max_size=2),
)
NUMBER = sample_case().defendants[0].arrest_summons_number
DEFENDANTS = st.builds(case_pb2.CaseDefendant, arrest_summons_number=st.just(NUMBER), offences=st.lists(CHARGES, min_size=1, max_size=2))


@st.composite
def defendants(draw: st.DrawFn) -> case_pb2.CaseDefendant:
    """A person or an organisation, with offences."""
    made = draw(DEFENDANTS)
    if draw(st.booleans()):
        made.individual.CopyFrom(draw(INDIVIDUALS))
    else:
        made.corporate.CopyFrom(draw(CORPORATES))
    return made


HEARINGS = st.builds(court_pb2.Hearing, court=st.just("B01EF01"), date=DAYS, time=TIMES)
OFFICERS = st.builds(
    case_pb2.OfficerInCase,
    name=NAMES,
    rank=filled(RESTRICTED, 35),
    worker_reference=filled(RESTRICTED, 15),
    worker_location=filled(RESTRICTED, 10),
    address=st.none() | ADDRESSES,
    contact=contacts(home=False),
    dx_address=empty_or(filled(RESTRICTED, 80)),
    fax=empty_or(PHONES),
)
STARTS = st.sampled_from(
    [
        *(SubmitCaseRequest(initiation=one) for one in (case_pb2.INITIATION_CHARGE, case_pb2.INITIATION_REQUISITION)),
        SubmitCaseRequest(initiation=case_pb2.INITIATION_SUMMONS),
        SubmitCaseRequest(initiation=case_pb2.INITIATION_SUMMONS, summons_type=case_pb2.SUMMONS_TYPE_ON_APPLICATION),
        SubmitCaseRequest(initiation=case_pb2.INITIATION_SUMMONS, summons_type=case_pb2.SUMMONS_TYPE_WITNESS_STATEMENT),
        SubmitCaseRequest(initiation=case_pb2.INITIATION_SINGLE_JUSTICE),
    ]
)


@st.composite
def submissions(draw: st.DrawFn) -> SubmitCaseRequest:
    """A case that the contract lets through."""
    request = sample_case()
    base = SubmitCaseRequest(access=AccessContext(purpose=request.access.purpose), pti_urn=request.pti_urn, submission=1)
    base.originating_organisation = draw(filled(RESTRICTED, 10))
    base.MergeFrom(draw(STARTS))
    base.informant = draw(empty_or(filled(RESTRICTED, 92)))
    base.case_marker = draw(empty_or(filled(RESTRICTED, 10)))
    base.initial_hearing.CopyFrom(draw(HEARINGS))
    base.officer_in_case.CopyFrom(draw(OFFICERS))
    base.defendants.extend(draw(st.lists(defendants(), min_size=1, max_size=2)))
    return base


DURATIONS = st.builds(
    results.Duration,
    value=st.none() | st.integers(0, 999),
    unit=st.sampled_from(["", "M", "L"]),
    start=st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    end=st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
)
SECONDARY = st.lists(st.tuples(st.integers(0, 999), st.sampled_from("DHMWY")), max_size=3)


@st.composite
def durations(draw: st.DrawFn) -> results.Duration:
    """A duration with as many secondary units as values."""
    first, pairs = draw(DURATIONS), draw(SECONDARY)
    return results.Duration(
        value=first.value,
        unit=first.unit,
        start=first.start,
        end=first.end,
        secondary_values=tuple(value for value, _ in pairs),
        secondary_units=tuple(unit for _, unit in pairs),
    )


def unless_empty(made: st.SearchStrategy[Any], empty: Any) -> st.SearchStrategy[Any]:
    """Records that say something, or none."""
    return st.none() | made.filter(lambda one: one != empty)


OUTCOMES = st.builds(
    results.Outcome,
    penalty_points=st.none() | st.integers(0, 99),
    pence=st.none() | st.integers(0, 10**12),
    duration=unless_empty(durations(), results.Duration()),
)
ORDERED = st.builds(
    results.Result,
    code=st.none() | st.integers(0, 9999),
    text=free(60),
    qualifiers=st.lists(st.sampled_from(["F", "JA"]), max_size=4).map(tuple),
    outcome=unless_empty(OUTCOMES, results.Outcome()),
)
RESULTED = st.builds(
    results.CourtOffence,
    plea=st.sampled_from(["", *"12345678"]),
    mode_of_trial=st.none() | st.integers(0, 99),
    final_disposal=st.sampled_from(["", "Y", "N"]),
    convicted=st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    convicting_court=st.sampled_from(["", "2576"]),
    finding=st.sampled_from(["", *"GNAOC"]),
    results=st.lists(ORDERED, max_size=3).map(tuple),
)
COURT_CASES = st.builds(
    results.CourtCase,
    pti_urn=st.just("01ZD0400126"),
    defendant=st.builds(
        results.CourtDefendant, reference=st.just("2601ZD0100000412345U"), offences=st.lists(RESULTED, min_size=1, max_size=3).map(tuple)
    ),
)
SITTING = results.CourtHearing(hearing=records.Hearing(court="B01EF01", day=date(2026, 12, 14), at=time(10)), psa_code="2576")
SESSIONS = st.builds(results.Session, hearing=st.just(SITTING), cases=st.lists(COURT_CASES, min_size=1, max_size=3).map(tuple))
