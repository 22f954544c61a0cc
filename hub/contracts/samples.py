"""The recorded cases of the systems, found by folder and read by the contracts alone; those marked as samples are what commands show."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import Message

from hub.contracts import Operation
from hub.contracts.folders import adapters_folder
from hub.contracts.messages import CASE, Messages

DEADLINE = 10.0
"""Seconds, for a case that sets none; the case's contract promises it."""


@dataclass(frozen=True)
class Dial:
    """A fault dial of one system's simulator."""

    system: str
    name: str
    setting: str = ""
    share: float = 0.0
    times: int = 0


@dataclass(frozen=True)
class Sample:
    """One case, with its messages in the contracts' own types."""

    path: Path
    title: str
    operation: Operation
    request: Message
    deadline: float
    dials: tuple[Dial, ...]
    answers: tuple[Message, ...]
    """Replies that are expected; empty when a refusal is."""
    status: str
    """The gRPC status that is expected, `OK` for an answer."""
    reason: str
    marked: bool
    """Whether it is its operation's sample."""

    @property
    def system(self) -> str:
        """The system whose folder it lies in."""
        return self.path.parent.parent.name


class CaseError(Exception):
    """A case that can't be read; the text names the file and what is wrong in it."""


def case_files(folder: Path | None = None) -> tuple[Path, ...]:
    """Every case of every system, in order."""
    return tuple(sorted((folder or adapters_folder()).glob("*/cases/*.txtpb")))


def cases(messages: Messages, folder: Path | None = None) -> Iterator[Sample]:
    """Every case of every system. Raises `CaseError` for one that can't be read."""
    for path in case_files(folder):
        yield read_case(path, messages)


def samples(messages: Messages, folder: Path | None = None, *, method: str = "") -> tuple[Sample, ...]:
    """One sample for each operation that has one, by operation; only of operations with that method when one is named.

    Files that can't be read are passed over: `metip check` names them.
    """
    found: dict[str, Sample] = {}
    for path in case_files(folder):
        if not _may_be_sample(path, method):
            continue
        try:
            case = read_case(path, messages)
        except CaseError:
            continue
        if case.marked:
            found.setdefault(case.operation.name, case)
    return tuple(found[name] for name in sorted(found))


def _may_be_sample(path: Path, method: str) -> bool:
    """Whether a look at the text leaves it open that a case is marked, and of that method; to read one takes fifty times longer."""
    try:
        text = path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError):
        return False
    return "sample" in text and method in text


def playable(sample: Sample, served: Collection[str]) -> bool:
    """Whether an operation and all that it consults are on interfaces that are served."""
    return all(name.partition("/")[0] in served for name in (sample.operation.name, *sample.operation.consults))


def sample_of(operation: Operation, messages: Messages, folder: Path | None = None) -> Sample | None:
    """The sample of one operation; None when no case is marked for it."""
    return next((one for one in samples(messages, folder, method=operation.method) if one.operation.name == operation.name), None)


def read_case(path: Path, messages: Messages) -> Sample:
    """Reads one file. Raises `CaseError`."""
    case: Any = messages.kind(CASE)()
    try:
        text_format.Parse(path.read_text(encoding="utf-8"), case, descriptor_pool=messages.pool)
    except (text_format.ParseError, UnicodeDecodeError, OSError) as error:
        raise CaseError(f"{path}: {error}") from None
    operation = messages.contracts.operations.get(case.operation)
    if operation is None:
        raise CaseError(f"{path}: names {case.operation or 'no operation'}, which is not loaded")
    if case.request.TypeName() != operation.request:
        raise CaseError(f"{path}: sends {case.request.TypeName() or 'nothing'}, and {operation.method} takes {operation.request}")
    answered = case.WhichOneof("outcome") != "refused"
    return Sample(
        path=path,
        title=case.title,
        operation=operation,
        request=messages.kind(operation.request).FromString(case.request.value),
        deadline=_seconds(case.deadline) if case.HasField("deadline") else DEADLINE,
        dials=tuple(_dial(fault, path.parent.parent.name) for fault in case.faults),
        answers=tuple(messages.kind(one.TypeName()).FromString(one.value) for one in case.answered.replies),
        status="OK" if answered else case.refused.status,
        reason="" if answered else case.refused.reason,
        marked=case.sample,
    )


def agrees(expected: Message, actual: Message) -> bool:
    """Whether every field set in `expected` has the same value in `actual`; lists agree item by item, maps for the keys named."""
    return all(_agree(field, value, getattr(actual, field.name)) for field, value in expected.ListFields())


def _agree(field: Any, expected: Any, actual: Any) -> bool:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        value = field.message_type.fields_by_name["value"]
        return all(key in actual and _same(value, one, actual[key]) for key, one in expected.items())
    if field.is_repeated:
        return len(expected) == len(actual) and all(_same(field, one, other) for one, other in zip(expected, actual, strict=True))
    return _same(field, expected, actual)


def _same(field: Any, expected: Any, actual: Any) -> bool:
    return agrees(expected, actual) if field.message_type is not None else bool(expected == actual)


def _dial(fault: Any, system: str) -> Dial:
    """A dial belongs to the case's own system unless it is written `<system>/<dial>`."""
    owner, _, name = fault.dial.rpartition("/")
    return Dial(owner or system, name, fault.setting, fault.share, fault.times)


def _seconds(duration: Any) -> float:
    span: timedelta = duration.ToTimedelta()
    return span.total_seconds()
