"""A small contract with every parity rule, and the messages of its replies."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from checkout import ROOT
from contract_sets import compiled
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

import hub.contracts

PROTO = """syntax = "proto3";
package metip.example.v1;
import "google/protobuf/timestamp.proto";
import "metip/common/v1/time.proto";
import "metip/options/v1/options.proto";
service ExampleService {
  option (metip.options.v1.interface) = {
    owner: "Example" dpia: {reference: "not-personal" review_by: "2099-01-01"}
    classification: CLASSIFICATION_OFFICIAL legal_regime: LEGAL_REGIME_UK_GDPR
  };
  rpc GetExample(GetExampleRequest) returns (GetExampleResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (metip.options.v1.operation) = {timeout: {seconds: 1} verb: VERB_NONE};
  }
  rpc ListExamples(ListExamplesRequest) returns (stream Record) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (metip.options.v1.operation) = {timeout: {seconds: 1} verb: VERB_NONE};
  }
  rpc FindExamples(FindExamplesRequest) returns (stream Record) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (metip.options.v1.operation) = {timeout: {seconds: 1} verb: VERB_NONE parity: {unordered: true identified_by: "id"}};
  }
}
message GetExampleRequest { string id = 1; }
message ListExamplesRequest {}
message FindExamplesRequest {}
enum Colour { COLOUR_UNSPECIFIED = 0; COLOUR_RED = 1; COLOUR_BLUE = 2; }
message Record {
  string id = 1;
  string text = 2;
  double amount = 3 [(metip.options.v1.field).parity.tolerance = 0.01];
  string stamp = 4 [(metip.options.v1.field).parity.ignore = true];
  repeated Record inside = 5;
}
message Plain { string one = 1; string two = 2; string three = 3; string four = 4; }
message GetExampleResponse {
  option (metip.options.v1.message).personal = PERSONAL_DATA_NONE;
  string text = 1;
  string other = 2;
  string trimmed = 3 [(metip.options.v1.field).parity = {normalise: [NORMALISE_COLLAPSE_SPACES, NORMALISE_FOLD_CASE]}];
  string postcode = 4 [(metip.options.v1.field).parity = {normalise: [NORMALISE_LETTERS_AND_DIGITS, NORMALISE_UNACCENTED]}];
  string code = 5 [(metip.options.v1.field).parity = {normalise: [NORMALISE_LEADING_ZEROS]}];
  string phone = 6 [(metip.options.v1.field).parity = {normalise: [NORMALISE_DIGITS]}];
  int64 number = 7;
  double amount = 8;
  double near = 9 [(metip.options.v1.field).parity.tolerance = 0.5];
  bool flag = 10;
  Colour colour = 11;
  google.protobuf.Timestamp at = 12;
  google.protobuf.Timestamp day = 13 [(metip.options.v1.field).parity = {normalise: [NORMALISE_DATE]}];
  google.protobuf.Timestamp near_at = 14 [(metip.options.v1.field).parity.tolerance = 2];
  google.protobuf.Timestamp clock = 15 [(metip.options.v1.field).parity.clock = true];
  metip.common.v1.CivilDate born = 16;
  metip.common.v1.LocalTime time = 17;
  repeated string names = 18;
  repeated string bag = 19 [(metip.options.v1.field).parity.unordered = true];
  repeated double bag_of_numbers = 20 [(metip.options.v1.field).parity = {unordered: true tolerance: 0.1}];
  repeated Record records = 21 [(metip.options.v1.field).parity.identified_by = "id"];
  repeated Plain plain = 22;
  repeated Plain bag_of_plain = 23 [(metip.options.v1.field).parity.unordered = true];
  map<string, string> labels = 24;
  map<string, Record> by_name = 25;
  optional string maybe = 26;
  optional string lax = 27 [(metip.options.v1.field).parity.unset_is_default = true];
  Plain part = 28;
  Plain lax_part = 29 [(metip.options.v1.field).parity.unset_is_default = true];
  oneof form { string lines = 30; Plain parts = 31; int32 plot = 32; }
  bytes blob = 33;
  string ignored = 34 [(metip.options.v1.field).parity.ignore = true];
}
"""


class Contract:
    """The contract, loaded."""

    def __init__(self, folder: Path) -> None:
        made = compiled(folder, {"metip/example/v1/example_service.proto": PROTO}, against=ROOT / "protos")
        self.contracts = hub.contracts.load(date(2026, 11, 23), descriptor_set=made)
        pool: Any = DescriptorPool()
        for file in FileDescriptorSet.FromString(made).file:
            pool.Add(file)
        self._pool = pool

    def kind(self, name: str) -> Any:
        """The class of a message of the contract."""
        return GetMessageClass(self._pool.FindMessageTypeByName(f"metip.example.v1.{name}"))

    def made(self, change: Callable[[Any], object] | None = None) -> Any:
        """A reply, changed."""
        found = self.kind("GetExampleResponse")()
        if change is not None:
            change(found)
        return found
