"""The native records of the PNC host interface: header, segment, trailer, transaction, and the codec's one error.

The records are values. What was decoded also remembers, outside equality, how it was spelt, so that `wire.encode` gives
back the same bytes; a copy made by `dataclasses.replace` has no spelling and is written from its values.
Bodies hold personal data and never show in a `repr` or an error.
"""

import dataclasses
import datetime
import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Self, get_type_hints

from adapters.kit.fixed_width import Field, Layout, Misfit, Problem, digits, layouts
from metip.tables import read_table


class Reason(enum.StrEnum):
    """Everything that can be wrong with a message, read or built."""

    TOO_LARGE = "larger than the limit"
    TRUNCATED = "cut short"
    NOT_A_DOCUMENT = "does not begin with an element"
    MALFORMED = "markup that this interface does not use"
    MISMATCHED = "closing tag of another element"
    TOO_DEEP = "segments nested too deeply"
    STRAY_TEXT = "text outside a segment"
    TRAILING_DATA = "data after the end of the transaction"
    NO_HEADER = "first segment is not the header GMH"
    HEADER_WIDTH = "header GMH is not 116 characters"
    NO_TRAILER = "last segment is not the trailer GMT"
    TRAILER_WIDTH = "trailer GMT is not a 6-digit count and 14 characters"
    TRAILER_COUNT = "trailer counts another number of segments"
    TRAILER_IDENTITY = "trailer belongs to another header"
    BODY_WIDTH = "segment is longer than its table says"
    UNKNOWN_SEGMENT = "no such segment"
    UNKNOWN_FUNCTION = "no such function"
    UNKNOWN_FIELD = Problem.UNKNOWN_FIELD
    TOO_WIDE = Problem.TOO_WIDE
    WRONG_WIDTH = Problem.WRONG_WIDTH
    UNCARRIABLE = Problem.UNCARRIABLE


class WireError(ValueError):
    """Bytes that are no message, or values that make none: reason, place and byte offset, never the content."""

    def __init__(self, reason: Reason, *, where: str = "", offset: int | None = None) -> None:
        self.reason = reason
        self.where = where
        self.offset = offset
        place = f" at byte {offset}" if offset is not None else ""
        super().__init__(f"{where}: {reason}{place}" if where else f"{reason}{place}")

    @classmethod
    def of(cls, tag: str, misfit: Misfit) -> Self:
        """A value that does not fit into a segment."""
        return cls(Reason(misfit.problem), where=f"{tag}.{misfit.where}")


class Direction(enum.StrEnum):
    """The direction mark in header and trailer, as this interface writes it."""

    SENT = "S"
    REPLY = "R"
    ERROR = "E"


@dataclass(frozen=True, slots=True)
class Operation:
    """What goes with a function code of the header; `data` is the segment without which a reply to an enquiry brings nothing."""

    root: str
    group: str
    kind: str
    data: str = ""

    @property
    def update(self) -> bool:
        """Whether it changes the record."""
        return self.kind == "09"


TABLE: Final = read_table(__file__, "segments.yaml")
OPERATIONS: Final[Mapping[str, Operation]] = {function: Operation(*row) for function, row in TABLE["functions"].items()}
"""By function code of the header."""
ENQUIRY_ROOTS: Final = frozenset(operation.root for operation in OPERATIONS.values() if not operation.update)
SEGMENTS: Final[Mapping[str, Layout]] = layouts(TABLE["segments"])
"""By tag."""
WRAPPERS: Final = frozenset({"ASI"})
"""Tags that hold segments instead of text. The trailer counts each of them twice, once for either tag."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header segment GMH, each part at its full width and in the order of the wire.

    What `application`, `route`, `terminal` and `kind` mean is not public. They never vary in what has been recorded, but for `kind`: 05 on
    enquiries and their replies, 09 on updates and theirs. `date` is YYYYMMDD and `time` HHMM, on a clock whose zone is not told: in
    Bichard 7's recorded exchanges a reply is stamped one hour after its request (host on summer time, requester on UTC), so never subtract
    one from the other.
    """

    sender: Annotated[str, 3]
    group: Annotated[str, 4]
    serial: Annotated[str, 6]
    direction: Annotated[str, 1]
    function: Annotated[str, 6]
    application: Annotated[str, 7] = field(default="PNCA05A", kw_only=True)
    route: Annotated[str, 15] = field(default="730000173000001", kw_only=True)
    date: Annotated[str, 8]
    time: Annotated[str, 4]
    terminal: Annotated[str, 8] = field(default="73000001", kw_only=True)
    filler: Annotated[str, 45] = field(default=" " * 45, kw_only=True)
    kind: Annotated[str, 2]
    sequence: Annotated[str, 7]

    @classmethod
    def of(cls, function: str, *, serial: int, sequence: int, at: datetime.datetime, sender: str = "073") -> Self:
        """The header of a request.

        Raises `WireError` for a function that is not in `OPERATIONS` and for a number too long for its field.
        """
        operation = OPERATIONS.get(function)
        if operation is None:
            raise WireError(Reason.UNKNOWN_FUNCTION, where="GMH.function")
        try:
            numbers = digits(serial, 6, "serial"), digits(sequence, 7, "sequence")
        except Misfit as misfit:
            raise WireError.of("GMH", misfit) from None
        day, time = f"{at:%Y%m%d}", f"{at:%H%M}"
        return cls(sender, operation.group, numbers[0], Direction.SENT, function, day, time, operation.kind, numbers[1])

    @classmethod
    def read(cls, body: str) -> Self | None:
        """Slices a GMH body; `None` if it is not 116 characters."""
        return cls(**{name: body[at] for name, at in HEADER.at.items()}) if len(body) == HEADER.width else None

    def body(self) -> str:
        """The 116 characters. Raises `WireError` if a part does not have its exact width."""
        try:
            return HEADER.exactly(dataclasses.asdict(self))
        except Misfit as misfit:
            raise WireError.of("GMH", misfit) from None

    def reply(self, *, at: datetime.datetime, error: bool = False) -> Self:
        """The header the host answers with: same serial and sequence.

        An answer that refuses (`error`) has direction E, and `ERR` for the first three letters of its function.
        """
        direction, function = (Direction.ERROR, f"ERR{self.function[3:]}") if error else (Direction.REPLY, self.function)
        return dataclasses.replace(self, direction=direction, function=function, date=f"{at:%Y%m%d}", time=f"{at:%H%M}")

    @property
    def identity(self) -> str:
        """What the trailer repeats: sender, group, serial and direction, 14 characters."""
        return self.sender + self.group + self.serial + self.direction


@dataclass(frozen=True, slots=True)
class Trailer:
    """The trailer segment GMT: number of segments, then the identity of the header."""

    count: Annotated[int, 6]
    identity: Annotated[str, 14]

    @classmethod
    def read(cls, body: str) -> Self | None:
        """Slices a GMT body; `None` if it is not 6 digits and 14 characters."""
        count = body[TRAILER.at["count"]]
        fits = len(body) == TRAILER.width and count.isascii() and count.isdigit()
        return cls(int(count), body[TRAILER.at["identity"]]) if fits else None

    def body(self) -> str:
        """The 20 characters. Raises `WireError` if count or identity do not fit."""
        try:
            return TRAILER.exactly({"count": digits(self.count, 6, "count"), "identity": self.identity})
        except Misfit as misfit:
            raise WireError.of("GMT", misfit) from None


def _annotated(tag: str, record: type) -> Layout:
    """The layout of a record whose fields are annotated with their widths."""
    hints = get_type_hints(record, include_extras=True)
    return Layout(tag, "", tuple(Field(part.name, hints[part.name].__metadata__[0]) for part in dataclasses.fields(record)))


HEADER: Final = _annotated("GMH", Header)
TRAILER: Final = _annotated("GMT", Trailer)


@dataclass(frozen=True, slots=True)
class Segment:
    """One tag with its text, or a wrapper with segments inside.

    `body` has its entities decoded and its line breaks undone. `spelling` is what the source said: all of a leaf or a
    wrapper's start, then a wrapper's end, then the white space behind; `None` for a segment that was built.
    """

    tag: str
    body: str = field(default="", repr=False)
    children: tuple["Segment", ...] = ()
    spelling: tuple[str, str, str] | None = field(default=None, init=False, compare=False, repr=False)

    @classmethod
    def of(cls, tag: str, /, **fields: str) -> Self:
        """Builds a segment of the table: padded, blank where no value is given, upper case but for what is prose.

        `update`, where the tag has it, is the tag's usual type unless given. Raises `WireError`, which names tag, field
        and width, for an unknown tag or field, a value too wide, or one that holds an unprintable character (control
        characters, line breaks and the like, which the host would drop or read as something else).
        """
        try:
            return cls(tag, SEGMENTS[tag].fill(fields))
        except KeyError:
            raise WireError(Reason.UNKNOWN_SEGMENT, where=tag) from None
        except Misfit as misfit:
            raise WireError.of(tag, misfit) from None

    def __getitem__(self, name: str) -> str:
        """A field without its padding, `""` where the body is cut short.

        Raises `KeyError` if the table has no such field.
        """
        layout = SEGMENTS.get(self.tag)
        if layout is None or name not in layout.at:
            raise KeyError(f"{self.tag}.{name}")
        return self.body[layout.at[name]].strip()

    def fields(self) -> dict[str, str]:
        """Every field by name; empty for a tag that the table does not know."""
        layout = SEGMENTS.get(self.tag)
        return layout.cut(self.body) if layout else {}

    def walk(self) -> Iterator["Segment"]:
        """This segment, then those inside it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Transaction:
    """One message of the host interface, request or reply.

    `spelling` is the source before the first and after the last of `segments`; `None` for a transaction that was built.
    """

    root: str
    header: Header
    segments: tuple[Segment, ...]
    trailer: Trailer
    spelling: tuple[str, str] | None = field(default=None, init=False, compare=False, repr=False)

    @classmethod
    def of(cls, root: str, header: Header, segments: Iterable[Segment]) -> Self:
        """A transaction with the trailer that these segments need."""
        held = tuple(segments)
        return cls(root, header, held, Trailer(_count(held), header.identity))

    @property
    def update(self) -> bool:
        """Whether it may change the record. A root that is no known enquiry counts as an update: the careful reading."""
        return self.root not in ENQUIRY_ROOTS

    def walk(self) -> Iterator[Segment]:
        """Every segment between header and trailer in order, wrappers before what they hold."""
        for segment in self.segments:
            yield from segment.walk()

    def find(self, tag: str) -> Segment | None:
        """The first segment of a tag, at any depth."""
        return next((segment for segment in self.walk() if segment.tag == tag), None)

    def all(self, tag: str) -> tuple[Segment, ...]:
        """All segments of a tag in order, at any depth."""
        return tuple(segment for segment in self.walk() if segment.tag == tag)

    def problems(self) -> tuple[WireError, ...]:
        """What contradicts itself in a message that can be read, as errors to raise or to count.

        A session must not trust a reply with problems: it may be half of one, or two. `decode` lets them pass because
        published stand-ins for the host answer with another message's trailer.
        """
        found: list[WireError] = []
        if self.trailer.count != _count(self.segments):
            found.append(WireError(Reason.TRAILER_COUNT, where="GMT.count"))
        if self.trailer.identity != self.header.identity:
            found.append(WireError(Reason.TRAILER_IDENTITY, where="GMT.identity"))
        for segment in self.walk():
            layout = SEGMENTS.get(segment.tag)
            if layout is not None and len(segment.body) > layout.width:
                found.append(WireError(Reason.BODY_WIDTH, where=f"{segment.tag} ({layout.width})"))
        return tuple(found)


def runs(segments: Iterable[Segment], *leaders: str) -> list[tuple[Segment, ...]]:
    """Groups a flat list: a run starts at each leader's tag; what stands before the first leader is left out.

    `runs(asi.children, "CCR", "PCR")` is one run a case, and `runs(case, "COF")` one run an offence.
    """
    found: list[list[Segment]] = []
    for segment in segments:
        if segment.tag in leaders:
            found.append([segment])
        elif found:
            found[-1].append(segment)
    return [tuple(run) for run in found]


def _count(segments: Iterable[Segment]) -> int:
    """As the trailer counts: header and trailer too, a wrapper twice (seen in every recorded reply)."""
    return 2 + sum(_tags(segment) for segment in segments)


def _tags(segment: Segment) -> int:
    if not segment.children and segment.tag not in WRAPPERS:
        return 1
    return 2 + sum(_tags(child) for child in segment.children)
