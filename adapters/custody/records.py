"""Custody records as NSPIS Custody exports them. Codes and instants are its own; nothing here is checked beyond its type."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, kw_only=True)
class Offence:
    """An offence for which the person was arrested."""

    number: int
    code: str
    """CJS offence code."""
    recordable: bool = False


@dataclass(frozen=True, kw_only=True)
class Arrest:
    """The arrest that led to the detention."""

    at: datetime
    place: str = ""
    officer: str = ""
    """Warrant number."""
    offences: tuple[Offence, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Detainee:
    """The person as the custody officer recorded them."""

    surname: str = ""
    forenames: str = ""
    """In order, parted by blanks."""
    sex: str = ""
    """M, F or U."""
    born: date | None = None
    observed: int = 0
    """Ethnic appearance, 6+1 code."""
    self_defined: str = ""
    """Ethnicity given, 16+1 code."""
    height: int = 0
    pnc_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How long the person may be held, and on whose authority."""

    relevant: datetime | None = None
    authorised: datetime | None = None
    expires: datetime | None = None
    authority: str = ""


@dataclass(frozen=True, kw_only=True)
class Review:
    """A review of detention."""

    due: datetime
    done: datetime | None = None
    officer: str = ""
    method: str = ""


@dataclass(frozen=True, kw_only=True)
class Disposal:
    """What was decided on an offence."""

    offence: int
    code: str
    kind: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Release:
    """How the detention ended."""

    at: datetime
    kind: str


@dataclass(frozen=True, kw_only=True)
class Footwear:
    """What became of the person's footwear."""

    taken: bool
    size: str = ""
    make: str = ""
    model: str = ""
    pattern: str = ""
    scan: str = ""
    scanned: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CustodyRecord:
    """One version of one custody record. Instants are UTC, to the minute."""

    number: str
    version: int
    status: str
    recorded: datetime
    suite: str
    suite_name: str = ""
    arrived: datetime
    asn: str = ""
    """As PNC prints it; '' until the person is charged."""
    risk: str = ""
    """Observation level, 1 to 4; '' until assessed."""
    arrest: Arrest
    detainee: Detainee
    clock: Clock | None = None
    reviews: tuple[Review, ...] = ()
    disposals: tuple[Disposal, ...] = ()
    release: Release | None = None
    footwear: Footwear | None = None
