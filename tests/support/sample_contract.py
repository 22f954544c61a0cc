"""A small contract compiled for tests, and any set of servicers of it behind the real pipeline on a unix socket.

It has one operation for each thing that the pipeline decides from a contract: an officer, a purpose, a justification, a size, a stream, and
none of these.
"""

import io
import json
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import protovalidate
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

import metip.contracts
from adapters.kit.pipeline import Gate, Pipeline
from adapters.kit.serving import add_to_server, handlers
from buf.validate import validate_pb2  # noqa: F401 - the pool needs the rules before it takes a file that has some
from metip.common.v1 import access_pb2, answer_pb2, pole_pb2  # noqa: F401 - imported by the contract
from metip.faults import Fault
from metip.journal.records import Facts
from metip.logs import Log
from metip.options.v1 import options_pb2

TODAY = date(2026, 11, 23)
CONSUMER = "spiffe://metip.local/consumer/test"
INTERFACE = "metip.sample.v1.SampleService"
STRICT = "metip.sample.v1.StrictService"
MOST_BYTES = 2000
_FILE = "metip/sample/v1/sample.proto"
_PROTO = """
syntax = "proto3";
package metip.sample.v1;
import "buf/validate/validate.proto";
import "metip/common/v1/access.proto";
import "metip/common/v1/answer.proto";
import "metip/common/v1/identifiers.proto";
import "metip/common/v1/pole.proto";
import "metip/common/v1/time.proto";
import "metip/options/v1/options.proto";

service SampleService {
  option (metip.options.v1.interface) = {
    owner: "Tests" dpia: {reference: "none" review_by: "2099-01-01"}
    classification: CLASSIFICATION_OFFICIAL legal_regime: LEGAL_REGIME_UK_GDPR
  };
  rpc GetSample(Asked) returns (Told) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (metip.options.v1.operation) = {
      timeout: {seconds: 5} verb: VERB_CONSULTATION purposes: [PURPOSE_STREET_STOP, PURPOSE_AUDIT] max_request_bytes: 2000
    };
  }
  rpc RecordSample(Asked) returns (Told) {
    option (metip.options.v1.operation) = {
      timeout: {seconds: 5} verb: VERB_COLLECTION purposes: [PURPOSE_STREET_STOP] unattended: true
    };
  }
  rpc WatchSamples(Asked) returns (stream Told) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (metip.options.v1.operation) = {timeout: {seconds: 5} verb: VERB_CONSULTATION purposes: [PURPOSE_STREET_STOP]};
  }
  rpc Count(Plain) returns (Told) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (metip.options.v1.operation) = {timeout: {seconds: 5} verb: VERB_NONE};
  }
}

service StrictService {
  option (metip.options.v1.interface) = {
    owner: "Tests" dpia: {reference: "none" review_by: "2099-01-01"} justification_required: true
    classification: CLASSIFICATION_OFFICIAL legal_regime: LEGAL_REGIME_UK_GDPR
  };
  rpc GetStrictly(Asked) returns (Told) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (metip.options.v1.operation) = {timeout: {seconds: 5} verb: VERB_CONSULTATION purposes: [PURPOSE_STREET_STOP]};
  }
}

message Asked {
  metip.common.v1.AccessContext access = 1 [(buf.validate.field).required = true];
  string surname = 2 [(buf.validate.field).string = {min_len: 2 max_len: 40}];
  repeated Place places = 3;
  string vrm = 4 [(metip.options.v1.field).subject_identifier = "vrm"];
}
message Place {
  option (metip.options.v1.message).personal = PERSONAL_DATA_NONE;
  string postcode = 1 [(buf.validate.field).string.pattern = "^[A-Z0-9 ]*$"];
}
message Told {
  string words = 1;
  Seen one = 2;
  repeated Seen many = 3;
  repeated Source sources = 4;
  metip.common.v1.Provenance provenance = 5;
  metip.common.v1.PncId pnc_id = 6;
  repeated Place places = 7;
}
message Seen {
  metip.common.v1.Person person = 1;
  metip.common.v1.Vrm vrm = 2;
  repeated string learner_ids = 3 [(metip.options.v1.field).subject_identifier = "learner_id"];
  repeated Seen with = 4;
  Described described = 5;
  map<string, Seen> by_name = 6;
}
message Described {
  string family_name = 1 [(metip.options.v1.field).subject_identifier = "surname"];
  string given_names = 2 [(metip.options.v1.field).subject_identifier = "forename"];
  metip.common.v1.CivilDate date_of_birth = 3 [(metip.options.v1.field).subject_identifier = "birth"];
  metip.common.v1.DateRange born = 4 [(metip.options.v1.field).subject_identifier = "birth"];
  repeated metip.common.v1.CivilDate others = 5 [(metip.options.v1.field).subject_identifier = "birth"];
  repeated metip.common.v1.PersonName aliases = 6;
  uint64 uprn = 7 [(metip.options.v1.field).subject_identifier = "uprn"];
}
message Source {
  string name = 1 [(metip.options.v1.field).personal = PERSONAL_DATA_NONE];
  repeated Seen found = 2;
}
message Plain { uint32 count = 1; Plain inside = 2; }
"""


@cache
def _compiled() -> FileDescriptorSet:
    """The contract and all that it imports, in the pool of this process too."""
    known = resources.files("metip.contracts").joinpath(metip.contracts.DESCRIPTORS).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        source, imported, result = (Path(folder) / name for name in (_FILE, "known", "result"))
        source.parent.mkdir(parents=True)
        source.write_text(_PROTO, encoding="utf-8")
        imported.write_bytes(known)
        arguments = [f"-I{folder}", f"--descriptor_set_in={imported}", "--include_imports", f"--descriptor_set_out={result}", _FILE]
        if protoc.main(["protoc", *arguments]) != 0:
            raise ValueError("the sample contract does not compile")
        found = FileDescriptorSet.FromString(result.read_bytes())
    pool: Any = descriptor_pool.Default()
    pool.Add(next(file for file in found.file if file.name == _FILE))
    return found


@cache
def sample_contracts() -> metip.contracts.Contracts:
    """The contract as the platform reads it."""
    return metip.contracts.read(_compiled().SerializeToString(), today=TODAY)


def message(name: str) -> type[Any]:
    """A message of the contract, by its short name."""
    _compiled()
    found: type[Message] = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(f"metip.sample.v1.{name}"))
    return found


if TYPE_CHECKING:
    Asked: TypeAlias = Any
    Told: TypeAlias = Any
    Plain: TypeAlias = Any
else:  # the annotations of a test's servicers name them, so they are compiled as soon as a test imports this
    Asked, Told, Plain = (message(name) for name in ("Asked", "Told", "Plain"))


def asking(purpose: "options_pb2.Purpose.ValueType" = options_pb2.PURPOSE_STREET_STOP, **access: str) -> access_pb2.AccessContext:
    """Why somebody asks."""
    return access_pb2.AccessContext(purpose=purpose, **access)


class Remembering:
    """A journal that keeps what it is given, or fails with `error`."""

    def __init__(self) -> None:
        self.entries: list[Facts] = []
        """Of calls that a handler saw."""
        self.refusals: list[Facts] = []
        self.attempts = 0
        self.error: Exception | None = None
        self.closed: Fault | None = None
        """Why it takes nothing."""

    def check(self) -> None:
        """Takes calls, or not."""
        if self.closed is not None:
            raise self.closed

    async def record(self, facts: Facts) -> None:
        """Keeps what is known of one call."""
        self.attempts += 1
        if self.error is not None:
            raise self.error
        self.note(facts)

    def note(self, facts: Facts) -> None:
        """Keeps what is known of one call."""
        (self.refusals if facts.refused else self.entries).append(facts)


@dataclass
class Refused:
    """A status as a caller sees it."""

    code: grpc.StatusCode
    message: str
    reason: str
    domain: str
    metadata: Mapping[str, str]
    fields: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None


def refused(error: grpc.aio.AioRpcError) -> Refused:
    """Reads a status with its details."""
    found = Refused(error.code(), error.details() or "", "", "", {})
    status: Any = rpc_status.from_call(error)  # type: ignore[arg-type]  # its stub knows the synchronous call only
    for detail in status.details if status else ():
        info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            found.reason, found.domain, found.metadata = info.reason, info.domain, dict(info.metadata)
        elif detail.Unpack(bad):
            found.fields = {violation.field: violation.description for violation in bad.field_violations}
        elif detail.Unpack(retry):
            found.retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    return found


@dataclass
class Served:
    """Servicers behind the pipeline."""

    channel: grpc.aio.Channel
    gate: Gate
    journal: Remembering
    written: io.StringIO

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.written.getvalue().splitlines()]

    def unary(self, operation: str) -> Any:
        """A method that takes bytes or a message."""
        return self.channel.unary_unary(f"/{operation}", request_serializer=_bytes, response_deserializer=Told.FromString)

    def stream(self, operation: str) -> Any:
        """A method that answers with a stream."""
        return self.channel.unary_stream(f"/{operation}", request_serializer=_bytes, response_deserializer=Told.FromString)


@cache
def _validator() -> protovalidate.Validator:
    """One for all tests: it compiles each message's rules once, which takes longer than a test."""
    return protovalidate.Validator()


def _bytes(request: Any) -> bytes:
    return request if isinstance(request, bytes) else bytes(request.SerializeToString())


@asynccontextmanager
async def served(servicers: Sequence[object], directory: Path, *, limit: int = 10) -> AsyncIterator[Served]:
    """Serves for the length of the block."""
    journal, written, gate = Remembering(), io.StringIO(), Gate(limit)
    pipeline = Pipeline("sample", journal, Log(written), gate, _validator())
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 1024 * 1024)])
    add_to_server(server, handlers(pipeline, servicers, sample_contracts()))
    server.add_insecure_port(f"unix:{directory / 's'}")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"unix:{directory / 's'}") as channel:
            yield Served(channel, gate, journal, written)
    finally:
        await server.stop(None)
