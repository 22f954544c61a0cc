"""Contracts of messages as they are read: what is refused, with which words, and what follows from those that load."""

from datetime import date

import pytest
from checkout import ROOT
from contract_sets import compiled

from metip.contracts import Contracts, Delivery, Start, Subscription, read

TODAY = date(2026, 11, 23)
GOOD = """syntax = "proto3";
package metip.PACKAGE.v1;
import "google/protobuf/timestamp.proto";
import "metip/exchange/v1/receipt.proto";
import "metip/options/v1/options.proto";
// Takes things.
service ThingService {
  option (metip.options.v1.interface) = {
    owner: "Lost property"
    dpia: {reference: "DPIA-1" review_by: "2027-11-23"}
    classification: CLASSIFICATION_OFFICIAL
    legal_regime: LEGAL_REGIME_MIXED
    subscribes: {operation: "metip.PACKAGE.v1.ThingService/PublishThing" first_delay: {seconds: 2} in_flight: 3 parked_lets_pass: true}
  };
  // Takes a thing.
  rpc PublishThing(PublishThingRequest) returns (metip.exchange.v1.Receipt) {
    option idempotency_level = IDEMPOTENT;
    option (metip.options.v1.operation) = {
      timeout: {seconds: 7}
      verb: VERB_NONE
      delivery: {dedupe_window: {seconds: 259200} retention: {seconds: 300000} max_age: {seconds: 60} delay: {seconds: 5}}
    };
  }
}
message Named { string value = 1; }
message PublishThingRequest {
  Named name = 1 [(metip.options.v1.field).idempotency_key = true, (metip.options.v1.field).ordering_key = true];
  uint32 version = 2 [(metip.options.v1.field).idempotency_key = true];
  repeated string words = 3;
  google.protobuf.Timestamp due = 4 [(metip.options.v1.field).deliver_after = true];
}
"""
SERVICE, METHOD = "metip.PACKAGE.v1.ThingService", "metip.PACKAGE.v1.ThingService/PublishThing"
DELIVERY = GOOD[GOOD.index("      delivery: ") : GOOD.index("    };\n  }\n}")]
KEYS = "[(metip.options.v1.field).idempotency_key = true, (metip.options.v1.field).ordering_key = true]"
BAD: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "no_delivery": (DELIVERY, "", [(METHOD, "returns Receipt and has no delivery option")]),
    "short_window": (
        "dedupe_window: {seconds: 259200}",
        "dedupe_window: {seconds: 259199}",
        [(METHOD, "forgets idempotency keys before 72 h")],
    ),
    "short_retention": (
        "retention: {seconds: 300000}",
        "retention: {seconds: 259199}",
        [(METHOD, "keeps messages for less than the window")],
    ),
    "no_side_effects": ("= IDEMPOTENT", "= NO_SIDE_EFFECTS", [(METHOD, "is a message and has no side effects")]),
    "streams": ("returns (metip", "returns (stream metip", [(METHOD, "streams and returns Receipt")]),
    "repeated_key": (
        "repeated string words = 3",
        "repeated string words = 3 [(metip.options.v1.field).ordering_key = true]",
        [(f"{METHOD} words", "can't be a key")],
    ),
    "key_without_value": (
        "message Named { string value = 1; }",
        "message Named { string text = 1; }",
        [(f"{METHOD} name", "can't be a key")],
    ),
    "late_by_a_number": (
        "uint32 version = 2 [(metip",
        "uint32 version = 2 [(metip.options.v1.field).deliver_after = true, (metip",
        [(METHOD, "has several times to deliver after"), (f"{METHOD} version", "is no time to deliver after")],
    ),
    "unknown_subscription": (
        'operation: "metip.PACKAGE.v1.ThingService/PublishThing"',
        'operation: "metip.PACKAGE.v1.ThingService/PublishNothing"',
        [(SERVICE, "subscribes to metip.PACKAGE.v1.ThingService/PublishNothing, which no contract declares")],
    ),
    "start_without_time": ("first_delay:", "start: START_TIME first_delay:", [(SERVICE, f"subscribes to {METHOD} from no time")]),
}


def written(package: str, old: str = "", new: str = "") -> str:
    """The good contract in a package of its own, with one thing changed."""
    assert old in GOOD
    return GOOD.replace(old, new, 1).replace("PACKAGE", package) if old else GOOD.replace("PACKAGE", package)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Contracts:
    """The good contract and every bad one, read in one run."""
    texts = {name: written(name, old, new) for name, (old, new, _) in BAD.items()}
    texts["good"] = written("good")
    mixed = (
        written("mixed")
        .replace("message Named", "message GetResponse {}\nmessage Named")
        .replace(
            "  // Takes a thing.",
            "  // Gives a thing.\n  rpc Get(Named) returns (GetResponse) {\n    option (metip.options.v1.operation) = "
            "{timeout: {seconds: 1} verb: VERB_NONE delivery: {}};\n  }\n  // Takes a thing.",
        )
    )
    texts["mixed"] = mixed
    texts["keyless"] = written("keyless").replace(f" {KEYS}", "").replace(" [(metip.options.v1.field).idempotency_key = true]", "")
    files = {f"metip/{name}/v1/thing.proto": text for name, text in texts.items()}
    return read(compiled(tmp_path_factory.mktemp("protos"), files, against=ROOT / "protos"), today=TODAY)


@pytest.mark.parametrize(("package", "expected"), [(name, row[2]) for name, row in BAD.items()], ids=BAD)
def test_a_bad_contract_is_refused_with_what_is_wrong(everything: Contracts, package: str, expected: list[tuple[str, str]]) -> None:
    found = [(one.element, one.problem) for one in everything.faults if f"metip.{package}." in one.element]
    assert found == [(element.replace("PACKAGE", package), problem.replace("PACKAGE", package)) for element, problem in expected]


def test_messages_and_calls_are_not_mixed_and_only_messages_are_delivered(everything: Contracts) -> None:
    found = [one.problem for one in everything.faults if "metip.mixed." in one.element]
    assert found == ["mixes messages with operations that are answered at once", "has a delivery option and returns no Receipt"]


def test_a_message_has_a_key(everything: Contracts) -> None:
    assert [one.problem for one in everything.faults if "metip.keyless." in one.element] == ["has no idempotency key"]


def test_what_follows_from_a_good_one(everything: Contracts) -> None:
    interface = everything.interface("metip.good.v1.ThingService")
    (operation,) = interface.operations
    assert interface.of_messages
    assert operation.delivery == Delivery(259200.0, 300000.0, 60.0, 5.0, "due")
    assert (operation.idempotency_fields, operation.ordering_fields) == (("name", "version"), ("name",))
    name = "metip.good.v1.ThingService/PublishThing"
    said = Subscription("good", name, Start.BEGINNING, first_delay=2.0, attempt_timeout=7.0, in_flight=3, parked_blocks=False)
    assert everything.subscriptions == (said,)
    assert said.name == f"good:{name}"
