"""A contract that no system has, compiled for a test: every kind of field, and an operation that can be left un-annotated."""

from pathlib import Path

from checkout import ROOT
from contract_sets import compiled

ANNOTATED = """option idempotency_level = NO_SIDE_EFFECTS;
    option (metip.options.v1.operation) = {
      timeout: {seconds: 3}
      verb: VERB_CONSULTATION
      purposes: [PURPOSE_STREET_STOP, PURPOSE_CRIME_INVESTIGATION]
    };"""

CONTRACT = """syntax = "proto3";
package metip.example.v1;

import "google/protobuf/duration.proto";
import "google/protobuf/timestamp.proto";
import "metip/cases/v1/case.proto";
import "metip/common/v1/access.proto";
import "metip/common/v1/identifiers.proto";
import "metip/common/v1/pole.proto";
import "metip/common/v1/time.proto";
import "metip/options/v1/options.proto";

// Keeps examples.
service ExampleService {
  option (metip.options.v1.interface) = {
    owner: "Example unit"
    dpia: {reference: "DPIA-EXA-2026-01" review_by: "2099-12-31"}
    classification: CLASSIFICATION_OFFICIAL
    legal_regime: LEGAL_REGIME_LAW_ENFORCEMENT
  };
  // Gives one example.
  rpc GetExample(GetExampleRequest) returns (GetExampleResponse) {
    %(options)s
  }
}

// Asks for one example.
message GetExampleRequest {
  metip.common.v1.AccessContext access = 1;
  string text = 2;
  int32 number = 3;
  uint32 count = 4;
  int64 large = 5;
  double share = 6;
  bool yes = 7;
  bytes raw = 8;
  Kind kind = 9;
  repeated Kind kinds = 10;
  repeated string words = 11;
  repeated Line lines = 12;
  map<string, int32> scores = 13;
  map<string, Line> marked = 14;
  metip.common.v1.PersonName name = 15;
  metip.common.v1.CivilDate born = 16;
  metip.common.v1.LocalTime at = 17;
  metip.common.v1.DateRange between = 18;
  metip.common.v1.CadNumber cad = 19;
  google.protobuf.Timestamp since = 20;
  google.protobuf.Duration within = 21;
  oneof choice {
    string left = 22;
    Line right = 23;
  }
  repeated metip.common.v1.CadNumber cads = 24;
}

// Holds a line.
message Line {
  string text = 1;
  int32 place = 2;
  Line inner = 3;
}

// Gives one example.
message GetExampleResponse {
  Line line = 1;
  repeated Outcome outcomes = 2;
}

// Says how one source ended.
message Outcome {
  string source = 1;
  Status status = 2;
  uint32 matches = 3;
  google.protobuf.Duration elapsed = 4;
  string explanation = 5;
}

// Says how a source can end.
enum Status {
  STATUS_UNSPECIFIED = 0;
  STATUS_ANSWERED = 1;
  STATUS_TIMED_OUT = 3;
}

// Says of which kind an example is.
enum Kind {
  KIND_UNSPECIFIED = 0;
  KIND_FIRST = 1;
  KIND_SECOND_BEST = 2;
}
"""


def descriptor_set(folder: Path, *, options: str = ANNOTATED) -> bytes:
    """The example contract with all that it imports, as a serialised FileDescriptorSet; `options` are those of its operation."""
    return compiled(folder, {"metip/example/v1/example_service.proto": CONTRACT % {"options": options}}, against=ROOT / "protos")
