"""What stands where: each code means what the contract's enumeration says, requests and records come out as golden documents."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.connect import codes, layout, translate
from adapters.connect.records import Page
from adapters.kit import Fault, Reason
from adapters.kit.mapping import document
from adapters.kit.serving import installed_contracts
from metip.common.v1.pole_pb2 import Sex
from metip.connect.v1 import change_service_pb2 as changes
from metip.connect.v1 import custody_pb2, entity_pb2, intelligence_service_pb2, investigation_pb2
from metip.connect.v1.custody_service_pb2 import CreateCustodyRecordRequest, GetCustodyRecordResponse
from metip.connect.v1.intelligence_service_pb2 import SubmitIntelligenceReportRequest
from metip.connect.v1.investigation_service_pb2 import CreateInvestigationRequest, CreateInvestigationResponse
from metip.connect.v1.person_service_pb2 import GetPersonResponse, SearchPersonsRequest, SearchPersonsResponse
from metip.custody.v1 import custody_record_pb2 as nspis
from metip.options.v1.options_pb2 import Purpose
from tests.adapters.connect.asking import investigation, record

ENUMERATIONS: Mapping[str, tuple[Any, Mapping[str, int], dict[str, str]]] = {
    "kinds": (
        entity_pb2.EntityKind,
        codes.KIND,
        {"N": "PERSON", "V": "VEHICLE", "L": "LOCATION", "I": "INVESTIGATION", "C": "CUSTODY_RECORD", "R": "INTELLIGENCE_REPORT"},
    ),
    "sections": (entity_pb2.Section, codes.SECTION, {name: name.upper() for name in codes.SECTION}),
    "sources": (
        entity_pb2.SourceSystem,
        codes.SOURCE,
        {
            **{name: name for name in ("CONNECT", "CRIS", "CRIMINT", "MERLIN", "AIRSPACE", "COPA")},
            "NSPIS": "NSPIS_CUSTODY",
            "EWMS": "EMERALD",
        },
    ),
    "roles": (
        entity_pb2.LinkRole,
        codes.ROLE,
        {
            "VIC": "VICTIM",
            "SUS": "SUSPECT",
            "WIT": "WITNESS",
            "DP": "DETAINED_PERSON",
            "KPR": "KEEPER",
            "RES": "RESIDENT",
            "LOC": "SCENE",
            "INV": "INVOLVED",
            "SUB": "SUBJECT",
            "ARR": "ARREST",
        },
    ),
    "statuses": (
        investigation_pb2.InvestigationStatus,
        codes.STATUS,
        {"OPEN": "OPEN", "DETECTED": "DETECTED", "SCREENED_OUT": "CLOSED"},
    ),
    "steps": (
        investigation_pb2.WorkflowStep,
        codes.STEP,
        {"VNA": "VICTIM_NEEDS_ASSESSMENT", "DARA": "DOMESTIC_ABUSE_RISK_ASSESSMENT", "HATE": "HATE_CRIME_STATEMENT"},
    ),
    "observation": (
        custody_pb2.ObservationLevel,
        codes.OBSERVATION,
        {"L1": "GENERAL", "L2": "INTERMITTENT", "L3": "CONSTANT", "L4": "CLOSE_PROXIMITY"},
    ),
    "outcomes": (
        custody_pb2.CustodyDisposalKind,
        codes.OUTCOME,
        {
            "CHG": "CHARGED",
            "CAU": "CAUTIONED",
            "BAIL": "BAILED_BEFORE_CHARGE",
            "RUI": "RELEASED_UNDER_INVESTIGATION",
            "NFA": "NO_FURTHER_ACTION",
        },
    ),
    "releases": (
        custody_pb2.CustodyReleaseKind,
        codes.RELEASE,
        {"UNC": "UNCONDITIONAL", "BAIL": "ON_BAIL", "COURT": "TO_COURT", "TRF": "TRANSFERRED"},
    ),
    "changes": (
        changes.ChangeKind,
        codes.CHANGE,
        {
            **{name: name for name in ("CREATED", "UPDATED", "MERGED", "UNMERGED")},
            "ERASED": "WITHDRAWN",
            "RESTRICTED": "WITHDRAWN",
            "OPENED": "CREATED",
        },
    ),
    "source grades": (
        intelligence_service_pb2.SourceEvaluation,
        codes.SOURCE_GRADE,
        {"1": "RELIABLE", "2": "UNTESTED", "3": "NOT_RELIABLE"},
    ),
    "information grades": (
        intelligence_service_pb2.InformationEvaluation,
        codes.INFORMATION_GRADE,
        {
            "A": "KNOWN_DIRECTLY",
            "B": "KNOWN_INDIRECTLY_CORROBORATED",
            "C": "KNOWN_INDIRECTLY",
            "D": "NOT_KNOWN",
            "E": "SUSPECTED_FALSE",
        },
    ),
    "handling": (intelligence_service_pb2.Handling, codes.HANDLING, {"P": "SHARING_PERMITTED", "C": "SHARING_WITH_CONDITIONS"}),
    "sexes": (Sex, codes.SEX, {"M": "MALE", "F": "FEMALE", "U": "NOT_SPECIFIED"}),
}


@pytest.mark.parametrize(("enumeration", "table", "meant"), ENUMERATIONS.values(), ids=ENUMERATIONS)
def test_each_code_means_what_the_contract_says(enumeration: Any, table: Mapping[str, int], meant: dict[str, str]) -> None:
    prefix = enumeration.Name(0).removesuffix("UNSPECIFIED")
    assert {code: enumeration.Name(number).removeprefix(prefix) for code, number in table.items()} == meant
    assert {0, *table.values()} == set(enumeration.values())


def test_the_numbers_of_both_custody_contracts_agree() -> None:
    pairs: tuple[tuple[Any, Any, str], ...] = (
        (custody_pb2.ObservationLevel, nspis.RiskLevel, "RISK_LEVEL"),
        (custody_pb2.CustodyDisposalKind, nspis.DisposalKind, "DISPOSAL_KIND"),
        (custody_pb2.CustodyReleaseKind, nspis.ReleaseKind, "RELEASE_KIND"),
    )
    for ours, theirs, prefix in pairs:
        head = ours.Name(0).removesuffix("_UNSPECIFIED")
        assert [(name.removeprefix(head), number) for name, number in ours.items()] == [
            (name.removeprefix(prefix), number) for name, number in theirs.items()
        ]


def test_every_purpose_that_an_operation_permits_has_a_reason() -> None:
    meant = {"STREET_STOP": "STOP", "ROAD_TRAFFIC": "TRAFFIC", "ARREST_DETENTION": "DET", "CRIME_INVESTIGATION": "INV"}
    meant |= {"INCIDENT_RESPONSE": "INC", "SAFEGUARDING": "SAFE", "PROSECUTION": "PROS", "AUDIT": "AUDIT"}
    meant |= {"MIGRATION_TEST": "AUDIT"}  # what compares two platforms looks at data for their quality
    known = installed_contracts(date.min)
    asking = [one for one in known.interfaces if one.system == "connect" and not one.name.endswith("ChangeService")]
    permitted = {purpose for one in asking for operation in one.operations for purpose in operation.purpose_numbers}
    assert permitted <= codes.PURPOSE.keys()
    assert {Purpose.Name(number).removeprefix("PURPOSE_"): reason for number, reason in codes.PURPOSE.items()} == meant  # type: ignore[arg-type]


def test_what_a_search_says() -> None:
    request = SearchPersonsRequest(family_name="Halz", date_of_birth={"year": 1992, "month": 3}, pnc_id={"value": "2005/9007919R"})  # type: ignore[arg-type]
    assert document(request, layout.PERSON_CRITERIA) == {"familyName": "Halz", "dateOfBirth": "1992-03", "pncId": "2005/9007919R"}


def test_an_investigation_as_it_is_sent() -> None:
    request = investigation(flags=["DV"], summary="x")
    request.steps_taken.append(investigation_pb2.WORKFLOW_STEP_DOMESTIC_ABUSE_RISK_ASSESSMENT)
    ours = {"source": "CONNECT", "semanticVersion": "2.0.0"}
    assert translate.new_record(request, layout.NEW_INVESTIGATION) == {
        "sections": {
            "offence": {
                **ours,
                "cjsOffenceCode": "TH68006",
                "classification": "044/00",
                "committedFrom": "2026-11-20T21:15:00Z",
                "borough": "ZD",
                "flags": ["DV"],
            },
            "progress": {**ours, "summary": "x"},
        },
        "stepsTaken": ["DARA"],
    }


def test_a_custody_record_of_nspis_as_it_is_sent_and_what_stays_behind() -> None:
    told = translate.new_record(record(900_009, 2, released=True), layout.NEW_NSPIS_CUSTODY, codes.NSPIS)
    theirs = {"source": "NSPIS", "semanticVersion": "1.0.0"}
    assert told == {
        "sections": {
            "detention": {
                **theirs,
                "custodyRecordNumber": "01ZD/900009/26",
                "sourceVersion": 2,
                "suite": "01ZD",
                "arrivedAt": "2026-11-20T21:15:00Z",
                "arrestedAt": "2026-11-20T20:15:00Z",
                "offences": [{"number": 1, "cjsOffenceCode": "TH68006"}],
            },
            "identity": {
                **theirs,
                "name": {"givenNames": ["Nobody", "Atall"], "familyName": "Testcase"},
                "dateOfBirth": "1990-05",
                "sex": "M",
            },
            "identifiers": {**theirs, "pncId": "2005/9007919R"},
            "care": {**theirs, "observation": "L3"},
            "disposal": {
                **theirs,
                "outcomes": [{"offenceNumber": 1, "decidedAt": "2026-11-21T06:15:00Z", "outcome": "CHG"}],
                "releasedAt": "2026-11-21T07:15:00Z",
                "release": "COURT",
            },
        }
    }


def test_intelligence_as_it_is_sent() -> None:
    request = SubmitIntelligenceReportRequest(about=[{"value": "N0000000004"}])  # type: ignore[list-item]
    request.items.add(text="t", source_evaluation=2, information_evaluation=2, handling=2, handling_conditions="c")
    told = translate.new_record(request, layout.NEW_REPORT)
    assert told["links"] == [{"id": "N0000000004", "role": "SUB"}]
    assert told["sections"]["intelligence"]["items"] == [
        {"text": "t", "handlingConditions": "c", "grading": {"source": "2", "information": "B", "handling": "C"}}
    ]


def test_what_is_created_is_sent_in_connects_own_meaning() -> None:
    request = CreateCustodyRecordRequest(source_version=1)
    request.sheet.appropriate_adult.need_found = False
    care = translate.new_record(request, layout.NEW_CUSTODY)["sections"]["care"]
    assert care == {"source": "CONNECT", "semanticVersion": "2.0.0", "appropriateAdult": "N"}


def test_places_that_connect_refuses_are_fields_of_the_requests() -> None:
    assert layout.FIELDS["/sections/offence/classification"] == "sheet.classification"
    assert layout.FIELDS["/sections/detention/suite"] == "sheet.suite"
    assert layout.FIELDS["/stepsTaken"] == "steps_taken"
    assert CreateInvestigationRequest.DESCRIPTOR.fields_by_name["steps_taken"]


# What may be passed on.


def section(source: str, version: str, **said: Any) -> dict[str, Any]:
    """A section."""
    return {"source": source, "semanticVersion": version, **said}


@pytest.mark.parametrize(
    ("source", "version", "left_out"),
    [
        ("CONNECT", "2.0.0", False),
        ("CONNECT", "2.99.1", False),
        ("CONNECT", "1.0.0", True),
        ("CONNECT", "20.0.0", True),
        ("CONNECT", "2", True),
        ("CONNECT", "", True),
        ("CRIS", "1.0.0", False),
        ("CRIS", "2.0.0", True),
        ("SOMETHING NEW", "1.0.0", True),
    ],
)
def test_values_are_passed_on_only_in_a_meaning_that_is_known(source: str, version: str, left_out: bool) -> None:
    tree = {"id": "N0000000001", "sections": {"description": section(source, version, heightCm=180)}}
    found = translate.told(GetPersonResponse(), tree, layout.PERSON_RECORD).record
    assert found.person.height_cm == (0 if left_out else 180)
    assert [(group.section, group.source_code, group.left_out) for group in found.field_groups] == [
        (entity_pb2.SECTION_DESCRIPTION, source, left_out)
    ]


def test_a_section_without_a_name_or_a_kind_of_its_own_is_told_and_left_out() -> None:
    tree = {"id": "N0000000001", "sections": {"brandNew": section("CONNECT", "2.0.0"), "identity": ["no", "object"]}}
    groups = translate.told(GetPersonResponse(), tree, layout.PERSON_RECORD).record.field_groups
    assert [(group.section, group.left_out) for group in groups] == [(0, False), (entity_pb2.SECTION_IDENTITY, True)]


def change(**more: Any) -> dict[str, Any]:
    """A change of CONNECT's feed."""
    return {"id": "N0000000001", "version": 2, "change": "UPDATED", "at": "2026-11-20T21:15:00Z", **more}


CHANGES: dict[str, tuple[dict[str, Any], tuple[str, str] | None]] = {
    "of an open record": (change(sections=["identity", "links", "unheardOf"]), ("UPDATED", "")),
    "of a restricted one": (change(restricted=True), None),
    "that restricts": (change(change="RESTRICTED", restricted=True), ("WITHDRAWN", "")),
    "that erases": (change(change="ERASED"), ("WITHDRAWN", "")),
    "that erases a restricted one": (change(change="ERASED", restricted=True), None),
    "that opens": (change(change="OPENED"), ("CREATED", "")),
    "a merge": (change(change="MERGED", other="N0000000002"), ("MERGED", "N0000000002")),
    "a merge into a restricted one": (change(change="MERGED", other="N0000000002", otherRestricted=True), ("WITHDRAWN", "")),
    "a merge of a restricted one": (change(change="MERGED", other="N0000000002", restricted=True), None),
    "an unmerge": (change(change="UNMERGED", other="N0000000002"), ("UNMERGED", "N0000000002")),
    "an unmerge from a restricted one": (change(change="UNMERGED", other="N0000000002", otherRestricted=True), ("CREATED", "")),
    "with a flag that is none": (change(restricted="no"), None),
}


@pytest.mark.parametrize(("tree", "told"), CHANGES.values(), ids=CHANGES)
def test_what_is_published_of_a_change(tree: dict[str, Any], told: tuple[str, str] | None) -> None:
    request = translate.change(tree)
    if told is None:
        assert request is None
        return
    assert request is not None
    assert (changes.ChangeKind.Name(request.change).removeprefix("CHANGE_KIND_"), request.counterpart.value) == told
    assert (request.entity_id.value, request.version, request.kind) == ("N0000000001", 2, entity_pb2.ENTITY_KIND_PERSON)
    if "sections" in tree:
        assert list(request.sections) == [entity_pb2.SECTION_IDENTITY, entity_pb2.SECTION_LINKS]


LEAVES = st.none() | st.booleans() | st.integers(-5, 2**40) | st.text(max_size=5) | st.sampled_from(["CONNECT", "2.0.0", "N0000000001"])
KEYS = st.sampled_from(
    ["id", "sections", "identity", "name", "links", "source", "semanticVersion", "version", "places", "addresses", "care"]
)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12)


def reason_of(work: Callable[[], object]) -> Reason | None:
    """The reason of the fault that the work ends with; None when it ends well."""
    try:
        work()
    except Fault as fault:
        return fault.reason
    return None


def test_a_command_that_is_answered_with_the_whole_record_is_done() -> None:
    tree = {
        "id": "I0000000001",
        "version": 2,
        "replayed": False,
        "sections": {"offence": {"source": "CONNECT", "semanticVersion": "2.0.0"}},
    }
    done = translate.told(CreateInvestigationResponse(), tree, layout.DONE)
    assert (done.entity_id.value, done.version) == ("I0000000001", 2)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, TREES, max_size=5))
def test_any_tree_is_an_answer_or_a_fault_of_connect(tree: dict[str, Any]) -> None:
    for work in (
        lambda: translate.told(GetPersonResponse(), tree, layout.PERSON_RECORD).SerializeToString(),
        lambda: translate.told(GetCustodyRecordResponse(), tree, layout.CUSTODY_RECORD).SerializeToString(),
        lambda: translate.listed(SearchPersonsResponse(), Page(items=(tree,)), layout.PERSON_SUMMARY).SerializeToString(),
        lambda: translate.change(tree),
    ):
        assert reason_of(work) in (None, Reason.UPSTREAM_FAULT)
