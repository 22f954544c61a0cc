"""Text of fixed width, cut and filled by a table: what a field is called, where it stands, and what it stands for; pure.

One line says everything about a field, and what is read, written and checked follows from it. In a table a segment is

    COU I:                                 # tag, and the character that each body begins with, where there is one
      court_code: 4 court.code             # name: width, then the field's place in the message that the segment holds
      hearing_date: 8 date
      remarks: 64 text mixed               # as somebody typed it; everything else is upper case
      tics: 4 offences number              # the codec, where the type of the place does not say it (see `segments`)
      filler: 3                            # no place at all; `-` stands for none where words follow
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

LEAD = "update"
"""The field that holds the character which a body begins with."""


class Problem(enum.StrEnum):
    """Why values make no text."""

    UNKNOWN_FIELD = "no such field"
    TOO_WIDE = "value is wider than its field"
    WRONG_WIDTH = "value does not fill its field"
    UNCARRIABLE = "character that the host cannot carry"


class Misfit(ValueError):
    """A value that does not fit: the field and why, never the value."""

    def __init__(self, problem: Problem, field: "Field") -> None:
        self.problem = problem
        self.field = field.name
        self.where = f"{field.name} ({field.width})" if problem in (Problem.TOO_WIDE, Problem.WRONG_WIDTH) else field.name
        super().__init__(f"{self.where}: {problem}")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a segment."""

    name: str
    width: int
    place: str = ""
    codec: str = ""
    mixed: bool = False

    @classmethod
    def of(cls, name: str, row: str | int) -> "Field":
        """A field of its line in a table."""
        width, place, *words = *str(row).split(), "-"
        codec = next((word for word in words if word not in ("mixed", "-")), "")
        return cls(name, int(width), "" if place == "-" else place, codec, "mixed" in words)


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of one segment in order; `lead` is the usual first character of its bodies, "" where they have none."""

    tag: str
    lead: str
    fields: tuple[Field, ...]
    at: Mapping[str, slice] = field(init=False)
    """Where each field stands, the first character included."""
    width: int = field(init=False)

    def __post_init__(self) -> None:
        """Counts the columns. Raises `ValueError` for a name that is there twice."""
        at: dict[str, slice] = {LEAD: slice(0, 1)} if self.lead else {}
        start = len(at)
        for one in self.fields:
            if one.name in at:
                raise ValueError(f"{self.tag}.{one.name} is there twice")
            at[one.name] = slice(start, start + one.width)
            start += one.width
        object.__setattr__(self, "at", at)
        object.__setattr__(self, "width", start)

    def cut(self, body: str) -> dict[str, str]:
        """Every field without its padding; "" for what a short body does not reach."""
        return {name: body[at].strip() for name, at in self.at.items()}

    def fill(self, values: Mapping[str, str]) -> str:
        """The body: values at the left of their fields, blanks where there is none, capitals but for fields of mixed case.

        Raises `Misfit`; a character that can't be printed (a line break, a control character, a mark of direction) is one.
        """
        for name in values.keys() - self.at.keys():
            raise Misfit(Problem.UNKNOWN_FIELD, Field(name, 0))
        lead = (_filled(Field(LEAD, 1), values.get(LEAD, self.lead)),) if self.lead else ()
        return "".join((*lead, *(_filled(one, values.get(one.name, "")) for one in self.fields)))

    def exactly(self, values: Mapping[str, str]) -> str:
        """The body of values that each fill their field as they are. Raises `Misfit`."""
        for one in self.fields:
            if len(values[one.name]) != one.width:
                raise Misfit(Problem.WRONG_WIDTH, one)
        return "".join(values[one.name] for one in self.fields)


def _filled(one: Field, value: str) -> str:
    text = value if one.mixed else value.upper()
    if not text.isprintable():
        raise Misfit(Problem.UNCARRIABLE, one)
    if len(text) > one.width:
        raise Misfit(Problem.TOO_WIDE, one)
    return text.ljust(one.width)


def digits(number: int, width: int, name: str) -> str:
    """A number in that many digits, zeros before it. Raises `Misfit` under that field's name."""
    text = f"{number:0{width}d}"
    if number < 0 or len(text) > width:
        raise Misfit(Problem.TOO_WIDE, Field(name, width))
    return text


def layouts(rows: Mapping[str, Mapping[str, str | int]]) -> dict[str, Layout]:
    """The layouts of a table by tag."""
    return {layout.tag: layout for layout in _layouts(rows)}


def _layouts(rows: Mapping[str, Mapping[str, str | int]]) -> Iterable[Layout]:
    for heading, fields in rows.items():
        tag, _, lead = heading.partition(" ")
        yield Layout(tag, lead, tuple(Field.of(name, row) for name, row in fields.items()))
