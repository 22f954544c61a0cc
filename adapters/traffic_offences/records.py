"""What is in the files that go to the Home Office and come back. Codes are the far side's own; nothing here is checked beyond its type."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Speed:
    """A speed in miles an hour."""

    measured: int
    limit: int
    device: str = ""
    calibrated: str = ""
    """A date, `yyyy-mm-dd`, with zeros for what is unknown; '' when all of it is."""


@dataclass(frozen=True, kw_only=True)
class Premises:
    """An address by British Standard 7666."""

    secondary: str = ""
    primary: str = ""
    street: str = ""
    locality: str = ""
    town: str = ""
    uprn: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of an address."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Address:
    """An address, either in parts or in lines."""

    postcode: str = ""
    premises: Premises | None = None
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Driver:
    """A driver."""

    surname: str
    forenames: str = ""
    """In order, parted by blanks."""
    born: str = ""
    """As `Speed.calibrated`."""
    number: str = ""
    address: Address | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A reference of evidence."""

    reference: str


@dataclass(frozen=True, kw_only=True)
class Offence:
    """One notice of a batch."""

    reference: str
    """The sender's reference, which comes back with the result: the exchange's message id."""
    notice: str
    kind: str
    code: str
    """CJS offence code."""
    at: str
    """UTC, `yyyy-mm-ddThh:mm:ssZ`."""
    place: str
    street: int = 0
    mark: str
    make: str = ""
    officer: str = ""
    points: int = 0
    penalty: str = ""
    """Pounds and pence, `100.00`."""
    speed: Speed | None = None
    driver: Driver | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Header:
    """Who sent a batch, and when."""

    sender: str
    batch: str
    created: str


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A file of notices."""

    header: Header
    offences: tuple[Offence, ...]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one notice."""

    reference: str
    outcome: str
    """A for accepted, R for refused."""
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a batch as a whole."""

    batch: str
    """Name of its file."""
    outcome: str
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """A file of results. A batch that was refused as a whole has none."""

    verdict: Verdict
    results: tuple[Result, ...] = ()
