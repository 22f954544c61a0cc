"""Systems that serve what another owns, as their contracts are read: what is refused, and who serves what in the end."""

from datetime import date
from pathlib import Path

import pytest
from checkout import ROOT
from contract_sets import compiled

from metip.contracts import Contracts, read

TODAY = date(2026, 11, 23)
OWNED = """syntax = "proto3";
package metip.owner.v1;
import "metip/common/v1/access.proto";
import "metip/exchange/v1/receipt.proto";
import "metip/options/v1/options.proto";
// Gives and takes things.
service ThingService {
  option (metip.options.v1.interface) = {
    owner: "Lost property"
    dpia: {reference: "DPIA-1" review_by: "2027-11-23"}
    classification: CLASSIFICATION_OFFICIAL
    legal_regime: LEGAL_REGIME_MIXED
  };
  // Gives a thing.
  rpc GetThing(GetThingRequest) returns (GetThingResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (metip.options.v1.operation) = {timeout: {seconds: 2} verb: VERB_NONE};
  }
  // Gives another.
  rpc GetOther(GetOtherRequest) returns (GetOtherResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (metip.options.v1.operation) = {timeout: {seconds: 2} verb: VERB_NONE};
  }
}
// Tells of things.
service TellingService {
  option (metip.options.v1.interface) = {
    owner: "Lost property"
    dpia: {reference: "DPIA-1" review_by: "2027-11-23"}
    classification: CLASSIFICATION_OFFICIAL
    legal_regime: LEGAL_REGIME_MIXED
  };
  // Tells of a thing.
  rpc PublishThing(PublishThingRequest) returns (metip.exchange.v1.Receipt) {
    option idempotency_level = IDEMPOTENT;
    option (metip.options.v1.operation) = {
      timeout: {seconds: 7}
      verb: VERB_NONE
      delivery: {dedupe_window: {seconds: 259200} retention: {seconds: 300000}}
    };
  }
}
message GetThingRequest {}
message GetThingResponse {}
message GetOtherRequest {}
message GetOtherResponse {}
message PublishThingRequest { string name = 1 [(metip.options.v1.field).idempotency_key = true]; }
"""
GOOD = """syntax = "proto3";
package metip.PACKAGE.v1;
import "metip/options/v1/options.proto";
option (metip.options.v1.back_end) = {
  owner: "Lost property"
  dpia: {reference: "DPIA-2" review_by: "2027-11-23"}
  serves: ["metip.owner.v1.ThingService/GetThing"]
  subscribes: [{operation: "metip.owner.v1.TellingService/PublishThing"}]
};
message Settings {}
"""
AT = "metip.PACKAGE.v1 back_end"
SERVED, TOLD = "metip.owner.v1.ThingService/GetThing", "metip.owner.v1.TellingService/PublishThing"
NONE_OF_ITS_OWN = "which has no subscription of its own to it"
BAD: dict[str, tuple[str, str, str]] = {
    "no_owner": ('owner: "Lost property"', "", "names no owner"),
    "no_reference": ('reference: "DPIA-2"', "", "has no DPIA reference"),
    "no_review": ('review_by: "2027-11-23"', "", "has no date by which its DPIA is reviewed"),
    "overdue": ("2027-11-23", "2026-11-22", "has a DPIA whose review was due on 2026-11-22"),
    "nothing": (f'serves: ["{SERVED}"]\n  subscribes: [{{operation: "{TOLD}"}}]', "", "serves nothing"),
    "nobody": (f'operation: "{TOLD}"', f'operation: "{TOLD}" instead_of: "no"', f"subscribes to {TOLD} instead of no, {NONE_OF_ITS_OWN}"),
    "itself": (f'operation: "{TOLD}"', f'operation: "{TOLD}" instead_of: "PACKAGE"', f"subscribes to {TOLD} instead of itself"),
    "stranger": (SERVED, f"{SERVED}s", f"serves {SERVED}s, which no contract declares"),
    "message": (SERVED, TOLD, f"serves {TOLD}, which is a message"),
    "unheard": (TOLD, f"{TOLD}s", f"subscribes to {TOLD}s, which no contract declares"),
    "no_message": (TOLD, SERVED, f"subscribes to {SERVED}, which returns no Receipt"),
}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Contracts:
    """All of them together, as a repository full of mistakes would be."""
    texts = {"good": GOOD, **{name: GOOD.replace(old, new, 1) for name, (old, new, _) in BAD.items()}}
    files = {f"metip/{name}/v1/settings.proto": text.replace("PACKAGE", name) for name, text in texts.items()}
    files["metip/owner/v1/thing_service.proto"] = OWNED
    files["metip/owner/v1/settings.proto"] = GOOD.replace("PACKAGE", "owner")
    return read(compiled(tmp_path_factory.mktemp("c"), files, against=ROOT / "protos"), today=TODAY)


@pytest.mark.parametrize(("name", "problem"), [(name, problem) for name, (_, _, problem) in BAD.items()], ids=BAD)
def test_a_back_end_with_a_fault_is_named_and_does_not_load(everything: Contracts, name: str, problem: str) -> None:
    assert [one.problem for one in everything.faults if one.element == AT.replace("PACKAGE", name)] == [problem]
    assert all(one.system != name for one in everything.back_ends)


def test_nobody_is_a_back_end_of_its_own(everything: Contracts) -> None:
    assert [one.problem for one in everything.faults if one.element.startswith("metip.owner.v1")] == [f"serves {SERVED}, which is its own"]


def test_who_serves_what_follows_from_both_contracts(everything: Contracts) -> None:
    interface = everything.interface("metip.owner.v1.ThingService")
    (back_end,) = everything.back_ends
    assert (back_end.system, back_end.serves, back_end.dpia.reference) == ("good", (SERVED,), "DPIA-2")
    assert everything.serving(SERVED) == everything.back_ends_of(interface.name) == ("good",)
    assert everything.serving("metip.owner.v1.ThingService/GetOther") == ()
    assert [one.method for one in everything.served_by("good", interface)] == ["GetThing"]
    assert everything.served_by("owner", interface) == interface.operations
    assert [one.name for one in everything.subscriptions] == [f"good:{TOLD}"]


def test_a_subscriber_serves_the_whole_interface_of_messages(everything: Contracts, tmp_path: Path) -> None:
    interface = everything.interface("metip.owner.v1.TellingService")
    assert everything.served_by("good", interface) == interface.operations


def test_who_delivers_in_the_place_of_another_shares_its_post(tmp_path: Path) -> None:
    old = GOOD.replace("PACKAGE", "old").replace(f'operation: "{TOLD}"', f'operation: "{TOLD}" instead_of: "good"')
    files = {"metip/good/v1/settings.proto": GOOD.replace("PACKAGE", "good"), "metip/old/v1/settings.proto": old}
    files["metip/owner/v1/thing_service.proto"] = OWNED
    found = read(compiled(tmp_path, files, against=ROOT / "protos"), today=TODAY)
    assert found.faults == ()
    assert {one.system: one.post for one in found.subscriptions} == {"good": f"good:{TOLD}", "old": f"good:{TOLD}"}
    assert found.post("old", TOLD) == found.post("good", TOLD) == f"good:{TOLD}"
    assert found.post("stranger", TOLD) == found.post("good", SERVED) == ""
