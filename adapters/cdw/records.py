"""The rows of the warehouse's custody dataset, as values. They hold personal data, so none shows its content in a `repr`."""

from dataclasses import dataclass
from datetime import date, datetime

Key = tuple[str, int]
"""Custody record number and version."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Offence:
    """An offence for which somebody was arrested."""

    number: int
    cjs_code: str
    recordable: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Disposal:
    """What was decided on an offence."""

    offence_number: int
    cjs_code: str
    kind: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Review:
    """A review of detention."""

    due_at: datetime
    done_at: datetime | None = None
    officer: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that the warehouse could not take as it came: the column, and what is wrong with it; never the value."""

    column: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Version:
    """One version of one custody record. Codes are the warehouse's own; '' and None are null; instants are aware, in UTC."""

    custody_number: str
    version: int
    message_id: str = ""
    business_date: date
    status: str
    recorded_at: datetime
    suite: str
    suite_name: str = ""
    arrived_at: datetime
    arrested_at: datetime
    arrest_place: str = ""
    arresting_officer: str = ""
    family_name: str = ""
    given_names: str = ""
    birth_year: int | None = None
    birth_month: int | None = None
    birth_day: int | None = None
    sex: str = ""
    observed_ethnicity: int | None = None
    self_defined_ethnicity: str = ""
    pnc_id: str = ""
    cro_number: str = ""
    arrest_summons_number: str = ""
    relevant_time: datetime | None = None
    authorised_at: datetime | None = None
    expires_at: datetime | None = None
    authority: str = ""
    risk: int | None = None
    released_at: datetime | None = None
    release_kind: str = ""
    footwear_taken: bool | None = None
    offences: tuple[Offence, ...] = ()
    disposals: tuple[Disposal, ...] = ()
    reviews: tuple[Review, ...] = ()
    issues: tuple[Issue, ...] = ()

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.custody_number, self.version


@dataclass(frozen=True, slots=True)
class Load:
    """What the warehouse holds of one business date."""

    records: int
    versions: int
    sha256: str
    issues: int
    as_at: datetime
