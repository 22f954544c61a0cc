"""Contracts as they are read: what is refused, with which words, and what follows from those that load.

Every bad contract below is compiled together with all others and read in one run, as a repository full of mistakes would be.
"""

from datetime import date, timedelta
from pathlib import Path

import pytest
from checkout import ROOT
from contract_sets import compiled
from google.protobuf.message import DecodeError

from metip.contracts import Contracts, DeliveryClass, Interface, Operation, read, reviews_due

TODAY = date(2026, 11, 23)
GOOD = """syntax = "proto3";
package metip.PACKAGE.v1;
import "metip/common/v1/access.proto";
import "metip/options/v1/options.proto";
// Looks after things.
// They are many.
service ThingService {
  option (metip.options.v1.interface) = {
    owner: "Lost property"
    dpia: {reference: "DPIA-1" review_by: "2026-11-23"}
    classification: CLASSIFICATION_OFFICIAL
    legal_regime: LEGAL_REGIME_MIXED
  };
  // Gives a thing.
  rpc GetThing(GetThingRequest) returns (GetThingResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (metip.options.v1.operation) = {
      timeout: {seconds: 2 nanos: 500000000}
      verb: VERB_CONSULTATION
      purposes: [PURPOSE_AUDIT, PURPOSE_TRAINING]
    };
  }
}
message GetThingRequest { metip.common.v1.AccessContext access = 1; }
message GetThingResponse {}
"""
INTERFACE = GOOD[GOOD.index("  option (metip.options.v1.interface)") : GOOD.index("  // Gives a thing.")]
OPERATION = GOOD[GOOD.index("    option (metip.options.v1.operation)") : GOOD.index("  }\n}\nmessage")]
SERVICE, METHOD = "metip.PACKAGE.v1.ThingService", "metip.PACKAGE.v1.ThingService/GetThing"

BAD: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "no_interface_option": (INTERFACE, "", [(SERVICE, "has no interface option")]),
    "no_owner": ('owner: "Lost property"', "", [(SERVICE, "names no owner")]),
    "blank_owner": ('owner: "Lost property"', 'owner: "  "', [(SERVICE, "names no owner")]),
    "no_dpia_reference": ('reference: "DPIA-1"', "", [(SERVICE, "has no DPIA reference")]),
    "no_review_date": ('review_by: "2026-11-23"', "", [(SERVICE, "has no date by which its DPIA is reviewed")]),
    "review_date_that_is_none": ("2026-11-23", "next year", [(SERVICE, "has no date by which its DPIA is reviewed")]),
    "overdue_review": ("2026-11-23", "2026-11-22", [(SERVICE, "has a DPIA whose review was due on 2026-11-22")]),
    "no_dpia": (
        'dpia: {reference: "DPIA-1" review_by: "2026-11-23"}',
        "",
        [(SERVICE, "has no DPIA reference"), (SERVICE, "has no date by which its DPIA is reviewed")],
    ),
    "no_classification": ("classification: CLASSIFICATION_OFFICIAL", "", [(SERVICE, "has no classification")]),
    "unspecified_classification": ("CLASSIFICATION_OFFICIAL", "CLASSIFICATION_UNSPECIFIED", [(SERVICE, "has no classification")]),
    "no_legal_regime": ("legal_regime: LEGAL_REGIME_MIXED", "", [(SERVICE, "names no legal regime")]),
    "no_operation_option": (OPERATION, "", [(METHOD, "has no operation option")]),
    "no_timeout": ("timeout: {seconds: 2 nanos: 500000000}", "", [(METHOD, "has no timeout")]),
    "timeout_of_nothing": ("seconds: 2 nanos: 500000000", "", [(METHOD, "has no timeout")]),
    "negative_timeout": ("seconds: 2 nanos: 500000000", "seconds: -2", [(METHOD, "has no timeout")]),
    "no_verb": ("verb: VERB_CONSULTATION", "", [(METHOD, "has no section 62 verb")]),
    "no_purposes": ("purposes: [PURPOSE_AUDIT, PURPOSE_TRAINING]", "", [(METHOD, "permits no purpose")]),
    "unspecified_purpose": ("PURPOSE_TRAINING", "PURPOSE_UNSPECIFIED", [(METHOD, "permits the unspecified purpose")]),
    "no_access_context": ("metip.common.v1.AccessContext access = 1;", "", [(METHOD, "has a request without AccessContext")]),
    "access_of_another_type": ("metip.common.v1.AccessContext access", "string access", [(METHOD, "has a request without AccessContext")]),
    "access_by_another_name": ("AccessContext access", "AccessContext reason", [(METHOD, "has a request without AccessContext")]),
    "sampled_command": (
        "NO_SIDE_EFFECTS;",
        "IDEMPOTENT;",
        [(METHOD, "would be sent twice though it has side effects")],
    ),
    "huge_requests": ("purposes:", "max_request_bytes: 16777217 purposes:", [(METHOD, "allows requests over 16777216 bytes")]),
    "unknown_consulted": (
        "purposes:",
        'consults: "metip.none.v1.NoneService/Get" purposes:',
        [(METHOD, "consults metip.none.v1.NoneService/Get, which no contract declares")],
    ),
    "mirrored_command": ("NO_SIDE_EFFECTS;", "IDEMPOTENT;", [(METHOD, "would be sent twice though it has side effects")]),
    "compared_and_consulting": (
        "purposes:",
        'consults: "metip.good.v1.ThingService/GetThing" purposes:',
        [(METHOD, "would be compared though it consults others, which it can't do without the officer's token")],
    ),
    "many_mistakes": (
        'owner: "Lost property"',
        "",
        [(SERVICE, "names no owner"), (METHOD, "has no timeout"), (METHOD, "permits no purpose")],
    ),
}
FURTHER = {
    "sampled_command": [("verb:", "mirror: MIRROR_POLICY_SAMPLED verb:")],
    "mirrored_command": [("verb:", "mirror: MIRROR_POLICY_REPLICA verb:")],
    "compared_and_consulting": [("verb:", "mirror: MIRROR_POLICY_RECORDED verb:")],
    "many_mistakes": [("timeout: {seconds: 2 nanos: 500000000}", ""), ("purposes: [PURPOSE_AUDIT, PURPOSE_TRAINING]", "")],
}
"""More changes to the same contract."""


def contract(package: str, *changes: tuple[str, str]) -> str:
    """The good contract under another package, with texts replaced."""
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text.replace("PACKAGE", package)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Contracts:
    """All contracts of this module, read in one run: the bad ones, a good one, and variations of that."""
    found = {name: contract(name, (old, new), *FURTHER.get(name, [])) for name, (old, new, _) in BAD.items()}
    found["good"] = contract("good")
    found["command"] = contract("command", ("    option idempotency_level = NO_SIDE_EFFECTS;\n", ""), ("verb:", "unattended: true verb:"))
    found["idempotent"] = contract("idempotent", ("NO_SIDE_EFFECTS;", "IDEMPOTENT;"), ("verb:", "max_request_bytes: 100 verb:"))
    found["impersonal"] = contract(
        "impersonal",
        ("VERB_CONSULTATION", "VERB_NONE"),
        ("purposes: [PURPOSE_AUDIT, PURPOSE_TRAINING]", ""),
        ("owner:", "private: true owner:"),
    )
    found["asking"] = contract(
        "asking",
        ("purposes:", 'consults: "metip.good.v1.ThingService/GetThing" purposes:'),
        ("owner:", "justification_required: true owner:"),
        ("returns (GetThingResponse)", "returns (stream GetThingResponse)"),
    )
    found["mirrored"] = contract("mirrored", ("purposes:", "mirror: MIRROR_POLICY_REPLICA purposes:"))
    files = {f"metip/{name}/v1/thing.proto": text for name, text in found.items()}
    return read(compiled(tmp_path_factory.mktemp("protos"), files, against=ROOT / "protos"), today=TODAY)


@pytest.mark.parametrize(("package", "expected"), [(name, expected) for name, (_, _, expected) in BAD.items()], ids=BAD)
def test_a_bad_contract_is_refused_for_all_its_faults(everything: Contracts, package: str, expected: list[tuple[str, str]]) -> None:
    found = [(one.element, one.problem) for one in everything.faults if one.element.startswith(f"metip.{package}.")]
    assert sorted(found) == sorted((element.replace("PACKAGE", package), problem) for element, problem in expected)


def test_one_run_reports_every_fault_of_every_contract(everything: Contracts) -> None:
    assert len(everything.faults) == sum(len(expected) for _, _, expected in BAD.values())


def test_an_interface_with_any_fault_does_not_load(everything: Contracts) -> None:
    assert {one.name.split(".")[1] for one in everything.interfaces} & set(BAD) == set()
    with pytest.raises(KeyError):
        everything.interface("metip.no_owner.v1.ThingService")


def test_the_faults_of_one_interface_keep_no_other_from_loading(everything: Contracts) -> None:
    assert {one.system for one in everything.interfaces} == {"good", "command", "idempotent", "impersonal", "asking", "mirrored"}


def test_every_fault_says_what_to_write(everything: Contracts) -> None:
    for fault in everything.faults:
        assert fault.fix[0].isupper()
        assert str(fault) == f"{fault.element}: {fault.problem}. {fault.fix}"


def test_an_assessment_is_in_date_on_the_last_day(everything: Contracts) -> None:
    assert _interface(everything, "good").dpia.review_by == TODAY


def test_an_interface_says_who_answers_for_it(everything: Contracts) -> None:
    good = _interface(everything, "good")
    assert (good.system, good.owner, good.dpia.reference) == ("good", "Lost property", "DPIA-1")
    assert (good.classification, good.legal_regime, good.private) == ("OFFICIAL", "MIXED", False)
    assert good.description == "Looks after things. They are many."
    assert _interface(everything, "impersonal").private


def test_a_query_may_be_repeated_and_needs_an_officer(everything: Contracts) -> None:
    query = _operation(everything, "good")
    assert (query.delivery_class, query.delivery_class.repeatable) == (DeliveryClass.READ, True)
    assert (query.timeout, query.verb, query.purposes) == (2.5, "CONSULTATION", ("AUDIT", "TRAINING"))
    assert (query.mirror, query.consults, query.max_request_bytes) == ("NEVER", (), 65_536)
    assert query.personal
    assert query.officer_required
    assert not query.justification_required
    assert (query.path, query.method) == ("/metip.good.v1.ThingService/GetThing", "GetThing")
    assert (query.request, query.reply) == ("metip.good.v1.GetThingRequest", "metip.good.v1.GetThingResponse")
    assert query.description == "Gives a thing."


def test_a_command_without_a_level_is_never_repeated(everything: Contracts) -> None:
    command = _operation(everything, "command")
    assert (command.delivery_class, command.delivery_class.repeatable) == (DeliveryClass.WRITE_ONCE, False)


def test_an_unattended_operation_needs_no_officer_but_reads_a_token(everything: Contracts) -> None:
    command = _operation(everything, "command")
    assert not command.officer_required
    assert command.officer_admissible


def test_a_command_with_an_idempotency_key_may_be_repeated(everything: Contracts) -> None:
    command = _operation(everything, "idempotent")
    assert (command.delivery_class, command.delivery_class.repeatable) == (DeliveryClass.WRITE_IDEMPOTENT, True)
    assert command.max_request_bytes == 100


def test_an_operation_without_personal_data_has_no_use_for_purpose_or_officer(everything: Contracts) -> None:
    impersonal = _operation(everything, "impersonal")
    assert (impersonal.personal, impersonal.officer_required, impersonal.officer_admissible) == (False, False, False)


def test_a_stream_that_consults_says_so(everything: Contracts) -> None:
    asking = _operation(everything, "asking")
    assert (asking.client_streams, asking.server_streams) == (False, True)
    assert asking.consults == ("metip.good.v1.ThingService/GetThing",)
    assert asking.justification_required


def test_only_a_query_whose_policy_is_not_never_may_be_compared(everything: Contracts) -> None:
    assert _operation(everything, "mirrored").mirror == "REPLICA"
    assert _operation(everything, "mirrored").comparable
    assert not _operation(everything, "good").comparable


def test_operations_are_found_by_their_full_names(everything: Contracts) -> None:
    assert everything.operations["metip.good.v1.ThingService/GetThing"].interface == "metip.good.v1.ThingService"


def test_packages_outside_ours_are_not_read(tmp_path: Path) -> None:
    foreign = 'syntax = "proto3"; package other.v1; service AnyService { rpc Do(Nothing) returns (Nothing); } message Nothing {}'
    assert read(compiled(tmp_path, {"other/v1/any.proto": foreign}), today=TODAY) == Contracts(
        (), (), (tmp_path / "set.binpb").read_bytes()
    )


def test_bytes_that_are_no_descriptor_set_are_refused() -> None:
    with pytest.raises(DecodeError):
        read(b"\xff\xff\xff", today=TODAY)


def _interface(known: Contracts, package: str) -> Interface:
    return known.interface(f"metip.{package}.v1.ThingService")


def _operation(known: Contracts, package: str) -> Operation:
    (operation,) = _interface(known, package).operations
    return operation


@pytest.mark.parametrize(("days", "warned"), [(61, False), (60, True), (1, True), (0, True), (-1, True)])
def test_an_assessment_is_warned_of_sixty_days_ahead_and_still_when_it_is_overdue(everything: Contracts, days: int, warned: bool) -> None:
    day = _interface(everything, "good").dpia.review_by - timedelta(days=days)
    found = [one for one in reviews_due(everything, day) if one.element == _interface(everything, "good").name]
    assert [(one.reference, one.days) for one in found] == ([("DPIA-1", days)] if warned else [])
    if warned:
        assert f"DPIA-1 is to be reviewed by {TODAY}" in str(found[0])
