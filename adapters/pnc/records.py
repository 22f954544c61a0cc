"""The native records of the PNC host interface: header, segment, trailer, transaction, and the codec's one error.

The records are values. What was decoded also remembers, outside equality, how it was spelt, so that `wire.encode` gives
back the same bytes; a copy made by `dataclasses.replace` has no spelling and is written from its values.
Bodies hold personal data and never show in a `repr` or an error.
"""

import dataclasses
import datetime
import enum
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from adapters.pnc.segments import (
    ENQUIRY_ROOTS,
    HEADER,
    MIXED_CASE,
    OPERATIONS,
    TRAILER,
    TRAILER_WIDTH,
    WRAPPERS,
    Layout,
    layout_of,
    positions,
)


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
    UNKNOWN_FIELD = "no such field"
    UNKNOWN_FUNCTION = "no such function"
    TOO_WIDE = "value is wider than its field"
    WRONG_WIDTH = "value does not fill its field"
    UNCARRIABLE = "character that the host cannot carry"
    EMPTY_FRAME = "frame without a message"


class WireError(ValueError):
    """Bytes that are no message, or values that make none: reason, place and byte offset, never the content."""

    def __init__(self, reason: Reason, *, where: str = "", offset: int | None = None) -> None:
        self.reason = reason
        self.where = where
        self.offset = offset
        place = f" at byte {offset}" if offset is not None else ""
        super().__init__(f"{where}: {reason}{place}" if where else f"{reason}{place}")


class Direction(enum.StrEnum):
    """The direction mark in header and trailer, as this interface writes it."""

    SENT = "S"
    REPLY = "R"
    ERROR = "E"


@dataclass(frozen=True, slots=True)
class Header:
    """The header segment GMH, each part at its full width and in the order of the wire.

    `date` is YYYYMMDD and `time` HHMM, on a clock whose zone is not told: in Bichard 7's recorded exchanges a reply is
    stamped one hour after its request (host on summer time, requester on UTC), so never subtract one from the other.
    """

    sender: str
    group: str
    serial: str
    direction: str
    function: str
    application: str
    route: str
    date: str
    time: str
    terminal: str
    filler: str
    kind: str
    sequence: str

    @classmethod
    def of(cls, function: str, *, serial: int, sequence: int, at: datetime.datetime) -> Self:
        """The header of a request.

        Raises `WireError` for a function that is not in `OPERATIONS` and for a number too long for its field.
        """
        operation = OPERATIONS.get(function)
        if operation is None:
            raise WireError(Reason.UNKNOWN_FUNCTION, where="GMH.function")
        return cls(
            sender="073",
            group=operation.group,
            serial=_digits(serial, HEADER["serial"], "GMH.serial"),
            direction=Direction.SENT,
            function=function,
            application="PNCA05A",
            route="730000173000001",
            date=at.strftime("%Y%m%d"),
            time=at.strftime("%H%M"),
            terminal="73000001",
            filler=" " * HEADER["filler"],
            kind=operation.kind,
            sequence=_digits(sequence, HEADER["sequence"], "GMH.sequence"),
        )

    @classmethod
    def read(cls, body: str) -> Self | None:
        """Slices a GMH body; `None` if it is not 116 characters."""
        parts = _HEADER.fullmatch(body)
        return None if parts is None else cls(*parts.groups())

    def body(self) -> str:
        """The 116 characters. Raises `WireError` if a part does not have its exact width."""
        parts: list[str] = []
        for name, width in HEADER.items():
            part: str = getattr(self, name)
            if len(part) != width:
                raise WireError(Reason.WRONG_WIDTH, where=f"GMH.{name} ({width})")
            parts.append(part)
        return "".join(parts)

    def reply(self, *, at: datetime.datetime, error: bool = False) -> Self:
        """The header the host answers with: same serial and sequence.

        An answer that refuses (`error`) has direction E, and `ERR` for the first three letters of its function.
        """
        return dataclasses.replace(
            self,
            direction=Direction.ERROR if error else Direction.REPLY,
            function=f"ERR{self.function[3:]}" if error else self.function,
            date=at.strftime("%Y%m%d"),
            time=at.strftime("%H%M"),
        )

    @property
    def identity(self) -> str:
        """What the trailer repeats: sender, group, serial and direction, 14 characters."""
        return self.sender + self.group + self.serial + self.direction


@dataclass(frozen=True, slots=True)
class Trailer:
    """The trailer segment GMT: number of segments, then the identity of the header."""

    count: int
    identity: str

    @classmethod
    def read(cls, body: str) -> Self | None:
        """Slices a GMT body; `None` if it is not 6 digits and 14 characters."""
        digits = body[_TRAILER["count"]]
        if len(body) != TRAILER_WIDTH or not (digits.isascii() and digits.isdigit()):
            return None
        return cls(int(digits), body[_TRAILER["count"].stop :])

    def body(self) -> str:
        """The 20 characters. Raises `WireError` if count or identity do not fit."""
        if len(self.identity) != TRAILER_WIDTH - TRAILER["count"]:
            raise WireError(Reason.WRONG_WIDTH, where="GMT.identity")
        return _digits(self.count, TRAILER["count"], "GMT.count") + self.identity


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
        """Builds a segment of the table: padded, blank where no value is given, upper case but for `MIXED_CASE`.

        `update`, where the tag has it, is the tag's usual type unless given. Raises `WireError`, which names tag, field
        and width, for an unknown tag or field, a value too wide, or one that holds an unprintable character (control
        characters, line breaks and the like, which the host would drop or read as something else).
        """
        layout = layout_of(tag)
        if layout is None:
            raise WireError(Reason.UNKNOWN_SEGMENT, where=tag)
        for name in fields.keys() - layout.fields.keys():
            raise WireError(Reason.UNKNOWN_FIELD, where=f"{tag}.{name}")
        if layout.update_type:
            fields.setdefault("update", layout.update_type)
        return cls(tag, "".join(_cell(layout, name, fields.get(name, "")) for name in layout.fields))

    def __getitem__(self, name: str) -> str:
        """A field without its padding, `""` where the body is cut short.

        Raises `KeyError` if the table has no such field.
        """
        layout = layout_of(self.tag)
        if layout is None or name not in layout.fields:
            raise KeyError(f"{self.tag}.{name}")
        return self.body[layout.fields[name]].strip()

    def fields(self) -> dict[str, str]:
        """Every field by name; empty for a tag that the table does not know."""
        layout = layout_of(self.tag)
        return {name: self.body[at].strip() for name, at in layout.fields.items()} if layout else {}

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
            layout = layout_of(segment.tag)
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


def _cell(layout: Layout, name: str, value: str) -> str:
    width = layout.fields[name].stop - layout.fields[name].start
    text = value if name in MIXED_CASE else value.upper()
    if not text.isprintable():
        raise WireError(Reason.UNCARRIABLE, where=f"{layout.tag}.{name}")
    if len(text) > width:
        raise WireError(Reason.TOO_WIDE, where=f"{layout.tag}.{name} ({width})")
    return text.ljust(width)


def _digits(number: int, width: int, where: str) -> str:
    text = f"{number:0{width}d}"
    if number < 0 or len(text) > width:
        raise WireError(Reason.TOO_WIDE, where=f"{where} ({width})")
    return text


_HEADER = re.compile("".join(f"(.{{{width}}})" for width in HEADER.values()), re.DOTALL)
_TRAILER = positions(TRAILER)
