"""Nothing personal is shown: of any message of any contract, filled with anything, no value of a field that is not marked as harmless."""

import base64
import json
import random
from collections.abc import Iterator
from typing import Any, Final

import protovalidate
import pytest
from checkout import ROOT
from contract_sets import compiled
from every_message import every_message
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.cli.messages import installed
from hub.cli.rendering import lines, one_line
from metip.admission import admission
from metip.call import Call, Officer
from metip.contracts import Operation
from metip.faults import Fault, status_of
from metip.masking import MASK, VALUES, field_options, masked
from metip.options.v1 import options_pb2 as options

DEEPEST: Final = 6
EVERY: Final = every_message()
CLASSES: Final = {kind.DESCRIPTOR.full_name: kind for kind in EVERY}
CONTRACT: Final = """syntax = "proto3";
package metip.masks.v1;
import "google/protobuf/any.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "metip/common/v1/time.proto";
import "metip/options/v1/options.proto";
message Harmless {
  option (metip.options.v1.message).personal = PERSONAL_DATA_NONE;
  google.protobuf.Any any = 1;
  google.protobuf.Struct struct = 2;
  google.protobuf.Value value = 3;
  google.protobuf.StringValue text = 4;
  google.protobuf.Int64Value number = 5;
  map<string, string> words = 6;
  map<string, Harmless> more = 7;
  google.protobuf.FieldMask paths = 8;
  bytes raw = 9;
  string shown = 10;
  Kind kind = 11;
  string said = 12 [(metip.options.v1.field).personal = PERSONAL_DATA_SENSITIVE];
  Kind kept = 13 [(metip.options.v1.field).personal = PERSONAL_DATA_PERSONAL];
  google.protobuf.Timestamp at = 14;
  metip.common.v1.CivilDate born = 15 [(metip.options.v1.field).personal = PERSONAL_DATA_PERSONAL];
  metip.common.v1.CivilDate due = 16;
}
enum Kind { KIND_UNSPECIFIED = 0; KIND_ONE = 1; }
"""


class Filler:
    """Fills messages, and keeps every value that must not be seen; each of them is one that nothing else has."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self.secrets: set[str] = set()
        self._numbers: set[int] = set()

    def fill(self, message: Any, depth: int = 0, *, shown: bool = False) -> Any:
        """Sets every field but some; in a value that its holder says is harmless nothing is kept."""
        for field in message.DESCRIPTOR.fields:
            if self._dice.random() < 0.1:
                continue
            if field.message_type is not None:
                self._nested(message, field, depth, shown=shown)
            else:
                for _ in range(self._dice.randint(1, 2) if field.is_repeated else 1):
                    self._set(message, field, self._value(field, secret=not (shown or harmless(field))))
        return message

    def _nested(self, message: Any, field: Any, depth: int, *, shown: bool) -> None:
        if depth >= DEEPEST:
            return
        if field.message_type.GetOptions().map_entry:
            key = self._value(field.message_type.fields_by_name["key"], secret=True)
            value = field.message_type.fields_by_name["value"]
            if value.message_type is None:
                getattr(message, field.name)[key] = self._value(value, secret=True)
            else:
                self.fill(getattr(message, field.name)[key], depth + 1)
            return
        one = getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name)
        if not field.is_repeated:
            one.SetInParent()
        if field.message_type.full_name.startswith("google.protobuf.") and field.message_type.full_name.endswith(("Timestamp", "Duration")):
            one.seconds = self._number(field, secret=not (shown or harmless(field)))
            return
        self.fill(one, depth + 1, shown=shown or (field.message_type.full_name in VALUES and harmless(field)))

    def _value(self, field: Any, *, secret: bool) -> Any:
        kind = field.cpp_type
        if kind == FieldDescriptor.CPPTYPE_STRING:
            text = f"Zq{self._dice.getrandbits(60):015x}"
            if secret:
                self.secrets |= {text, base64.b64encode(text.encode()).decode()[:-4], text.encode().hex(" ")}
            return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
        if kind == FieldDescriptor.CPPTYPE_ENUM:
            return self._dice.choice(field.enum_type.values).number
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return True
        if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
            return float(self._number(field, secret=secret))
        return self._number(field, secret=secret)

    def _number(self, field: Any, *, secret: bool) -> int:
        del field
        number = self._dice.randint(1, 9_000) * 100_003 + 100_000_000
        while number in self._numbers:
            number = number + 1
        self._numbers.add(number)
        if secret:
            self.secrets.add(str(number))
        return number

    def _set(self, message: Any, field: Any, value: Any) -> None:
        if field.is_repeated:
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)


def harmless(field: Any) -> bool:
    """Whether the contract says so, of the field or of its message."""
    own = field_options(field).personal
    if own != options.PERSONAL_DATA_UNSPECIFIED:
        return bool(own == options.PERSONAL_DATA_NONE)
    said: Any = options.Message()
    for extension, value in field.containing_type.GetOptions().ListFields():
        if extension.full_name == "metip.options.v1.message":
            said = options.Message.FromString(value.SerializeToString())
    return bool(said.personal == options.PERSONAL_DATA_NONE)


def leaves(message: Any, shown: Any) -> Iterator[tuple[str, Any]]:
    """Each field without messages in it that is not harmless, and what is shown of it."""
    for field, value in message.ListFields():
        told = shown[field.name]
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            if field.message_type is not None or not harmless(field):
                yield from ((field.full_name, one) for one in (told if isinstance(told, list) else [told]))
        elif field.message_type.full_name in VALUES:
            if not harmless(field):
                yield from ((field.full_name, one) for one in (told if isinstance(told, list) else [told]))
        else:
            for one, below in zip(value, told, strict=True) if field.is_repeated else [(value, told)]:
                yield from leaves(one, below)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.DESCRIPTOR.full_name)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_personal_value_of_any_message_is_shown(kind: type[Message], seed: int) -> None:
    filler = Filler(seed)
    message = filler.fill(kind())
    shown = masked(message)
    text = json.dumps(shown, ensure_ascii=False)
    told = "\n".join([*lines(message, masked=True), one_line(message)])
    assert not [secret for secret in filler.secrets if secret in text]
    assert not [secret for secret in filler.secrets if secret in told]
    assert {(name, one) for name, one in leaves(message, shown) if one != MASK} == set()


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.DESCRIPTOR.full_name)
def test_a_field_that_the_contract_does_not_know_is_left_out(kind: type[Message]) -> None:
    stranger = bytes([0xFA, 0xFF, 0xFF, 0xFF, 0x0F, 7]) + b"Stewart"
    message = kind.FromString(stranger)
    assert message.SerializeToString() == stranger
    assert masked(message) == {}


@pytest.fixture(scope="module")
def holder(tmp_path_factory: pytest.TempPathFactory) -> type[Message]:
    """A message that says that all of it is harmless, and holds what carries no marks of its own."""
    pool = DescriptorPool()
    files = {"metip/masks/v1/masks.proto": CONTRACT}
    for file in FileDescriptorSet.FromString(compiled(tmp_path_factory.mktemp("masks"), files, against=ROOT / "protos")).file:
        pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("metip.masks.v1.Harmless"))


def test_what_carries_no_marks_is_masked_whatever_holds_it(holder: type[Message]) -> None:
    message: Any = holder()
    message.any.type_url, message.any.value = "type.googleapis.com/metip.masks.v1.Harmless", b"\x52\x07Stewart"
    message.struct.update({"Stewart": ["Stewart", {"Stewart": 1}]})
    message.value.string_value = message.text.value = message.said = "Stewart"
    message.number.value = 19_800_517
    message.words["Stewart"] = "Stewart"
    message.more["Stewart"].shown = "Stewart"
    message.paths.paths.append("Stewart")
    message.raw, message.kind, message.kept = b"12345", 1, 1
    message.born.year, message.due.year, message.at.seconds = 1980, 2027, 1
    shown = masked(message)
    assert "Stewart" not in json.dumps(shown)
    assert "19800517" not in json.dumps(shown)
    assert shown["struct"] == {"fields": MASK}
    assert (shown["words"], shown["more"], shown["said"], shown["kept"], shown["born"]) == (MASK, MASK, MASK, MASK, MASK)
    assert (shown["raw"], shown["kind"], shown["due"]) == ("5 bytes", "KIND_ONE", {"year": 2027})
    text = "\n".join([*lines(message, masked=True), one_line(message)])
    assert "Stewart" not in text
    assert "1980" not in text


REQUESTS: Final = [one for one in installed().contracts.operations.values() if one.personal]
VALIDATOR: Final = protovalidate.Validator()


@pytest.mark.parametrize("operation", REQUESTS, ids=lambda one: one.name)
def test_no_broken_rule_quotes_what_broke_it(operation: Operation) -> None:
    """What is said of a request that breaks the contract's rules travels to logs and callers, so it names fields and rules only."""
    kind = CLASSES[operation.request]
    for seed in range(3):
        filler = Filler(seed)
        request = filler.fill(kind())
        request.access.purpose = 0  # which is against the rules of every operation, whatever else is
        call = Call("call-1", operation.name, "spiffe://metip.local/consumer/desk", Officer("P123456", "01", "ZD", ()), 0.0)
        with pytest.raises(Fault) as refused:
            admission(operation, kind, VALIDATOR)(request.SerializeToString(), call)
        said = status_of(refused.value, system="far", call_id="call-1").SerializeToString() + str(refused.value).encode()
        assert not [secret for secret in filler.secrets if secret.encode() in said]
