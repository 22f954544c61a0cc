"""Compares what two systems answered to one call: how it ended, then the reply or the replies, by the operation's contract."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2

from hub.contracts import Contracts
from hub.parity.comparing import Comparing
from hub.parity.differences import Difference, Kind
from hub.parity.pairs import Answer
from hub.parity.rules import Rule, rule_of_replies

OK: Final = 0
REASON: Final = re.compile(r"[A-Z][A-Z0-9_]{0,62}")
"""The form of a reason by google.rpc.ErrorInfo; whatever else a far system sends might name people."""
STATUS, REPLY = "(status)", "(reply)"


@dataclass(frozen=True, slots=True)
class Compared:
    """How the answers of one operation are read."""

    operation: str
    request: type[Message]
    reply: type[Message]
    streams: bool
    rule: Rule
    """Of the replies of a stream."""


class Answers:
    """Compares answers to any operation of a set of contracts."""

    def __init__(self, contracts: Contracts) -> None:
        self._contracts = contracts
        self._comparing = Comparing()
        self._known: dict[str, Compared] = {}
        self._pool: Any = None

    def operation(self, name: str) -> Compared:
        """How an operation is compared. Raises `KeyError` for one that did not load."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._compiled(name)
        return found

    def differences(self, operation: Compared, one: Answer, other: Answer) -> list[Difference]:
        """Differences of two answers, `one` being the primary's."""
        if one.code != other.code or one.reason != other.reason:
            return [Difference(STATUS, Kind.STATUS, f"{_word(other)} instead of {_word(one)}")]
        if operation.streams:
            return self._streams(operation, one.replies, other.replies)
        if one.reply == other.reply:
            return []
        read = [_read(operation.reply, reply) for reply in (one.reply, other.reply)]
        if read[0] is None or read[1] is None:
            return _unreadable(read[0] is None, read[1] is None)
        return self._comparing.messages(read[0], read[1])

    def _streams(self, operation: Compared, one: Sequence[bytes], other: Sequence[bytes]) -> list[Difference]:
        if one == other:
            return []
        mine, theirs = ([_read(operation.reply, reply) for reply in replies] for replies in (one, other))
        if None in mine or None in theirs:
            return _unreadable(None in mine, None in theirs)
        return self._comparing.streams([x for x in mine if x is not None], [x for x in theirs if x is not None], operation.rule)

    @property
    def pool(self) -> Any:
        """The types of all contracts."""
        if self._pool is None:
            self._pool = DescriptorPool()
            for file in FileDescriptorSet.FromString(self._contracts.descriptor_set).file:
                self._pool.Add(file)
        return self._pool

    def _compiled(self, name: str) -> Compared:
        operation = self._contracts.operations[name]
        method = self.pool.FindServiceByName(operation.interface).methods_by_name[operation.method]
        kinds = [GetMessageClass(self.pool.FindMessageTypeByName(one)) for one in (operation.request, operation.reply)]
        return Compared(name, kinds[0], kinds[1], operation.server_streams, rule_of_replies(method))


def _read(kind: type[Message], reply: bytes) -> Message | None:
    try:
        return kind.FromString(reply)
    except DecodeError:
        return None


def _unreadable(primary: bool, shadow: bool) -> list[Difference]:
    side = "both" if primary and shadow else "primary" if primary else "shadow"
    return [Difference(REPLY, Kind.UNREADABLE, f"of the {side}" if side != "both" else "of both")]


def _word(answer: Answer) -> str:
    """A status with its reason, `NOT_FOUND NO_TRACE`."""
    code = code_pb2.Code.Name(answer.code) if answer.code in code_pb2.Code.values() else f"code {answer.code}"
    reason = answer.reason if not answer.reason or REASON.fullmatch(answer.reason) else "ANOTHER_REASON"
    return f"{code} {reason}".strip()
