"""What CRIS asks and answers, as values: one class for each document on the wire and for each group within it.

A field's name in capitals is its element's name. '' means that CRIS has nothing there; for a field that may be None, None means that.
Dates and times are local, as CRIS prints them.
"""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from adapters.kit.binding import record

NAMESPACE: Final = "urn:x-cris:crime-report:1"


@dataclass(frozen=True, slots=True, order=True)
class Day:
    """A date of which parts may be unknown; those are 0."""

    year: int
    month: int
    day: int


@record(NAMESPACE)
class Requestor:
    """Who asks and why: CRIS keeps it with the transaction."""

    account: str = ""
    warrant_no: str = ""
    force: str = ""
    unit: str = ""
    reason_code: str = ""
    reason_text: str = ""
    reference: str = ""
    on_behalf_of: str = ""
    device_id: str = ""
    need_to_know: bool
    """Whether the officer may see restricted reports."""


@record(NAMESPACE)
class Address:
    """An address in BS7666 parts or, when `lines` has any, in lines; the postcode goes with both."""

    secondary: str = ""
    primary: str = ""
    street: str = ""
    locality: str = ""
    town: str = ""
    uprn: int = 0
    lines: tuple[str, ...] = ()
    postcode: str = ""


@record(NAMESPACE)
class Person:
    """A person as one report has them."""

    title: str = ""
    given_names: tuple[str, ...] = ()
    family_name: str = ""
    date_of_birth: Day | None = None
    sex: str = ""
    ic_code: int = 0
    """The 6+1 code of ethnic appearance; 0 when nobody noted it."""
    sde_code: str = ""
    """The self-defined ethnicity, such as `W1`."""
    height_cm: int = 0
    pnc_id: str = ""
    address: Address | None = None


@record(NAMESPACE)
class Party:
    """Somebody's part in a report. Numbers count within a role, from 1; 0 is a party still to be numbered."""

    number: int
    role: str = ""
    person: Person


@record(NAMESPACE)
class PropertyLine:
    """Property in a report; number 0 is a line still to be numbered."""

    number: int
    involvement: str = ""
    description: str = ""
    mark: str = ""
    value_pounds: int = 0


@record(NAMESPACE)
class Period:
    """When a crime was committed."""

    from_date: Day
    from_time: time | None = None
    to_date: Day | None = None
    to_time: time | None = None


@record(NAMESPACE)
class Sheet:
    """What is reported."""

    channel: str = ""
    borough: str = ""
    beat: str = ""
    class_code: str = ""
    class_title: str = ""
    committed: Period
    venue: Address | None = None
    easting: int = 0
    northing: int = 0
    mo_text: str = ""
    flags: tuple[str, ...] = ()
    parties: tuple[Party, ...] = ()
    property: tuple[PropertyLine, ...] = ()
    first_officer: str = ""
    cad_no: str = ""


@record(NAMESPACE)
class Det:
    """One entry of the details pages."""

    number: int
    page: str = ""
    author: str = ""
    entered_at: datetime
    text: str = ""


@record(NAMESPACE)
class Report:
    """One crime report as it stands."""

    crime_no: str = ""
    version: int
    status: str = ""
    restricted: bool
    recorded_at: datetime
    sheet: Sheet
    dets: tuple[Det, ...] = ()


@record(NAMESPACE)
class Changes:
    """Changes to a sheet; '', None and () leave a part as it is."""

    class_code: str = ""
    class_reason: str = ""
    committed: Period | None = None
    mo_text: str | None = None
    add_flags: tuple[str, ...] = ()
    remove_flags: tuple[str, ...] = ()
    parties: tuple[Party, ...] = ()
    property: tuple[PropertyLine, ...] = ()


@record(NAMESPACE)
class Hit:
    """One report that a search found; `person` and `role` are of the party that fits."""

    crime_no: str = ""
    role: str = ""
    person: Person | None = None
    class_code: str = ""
    class_title: str = ""
    committed_from: Day
    summary: str = ""
    restricted: bool
    status: str = ""
    borough: str = ""


@record(NAMESPACE, "SEARCH_REPORTS")
class Search:
    """Asks for reports by person, by place, by property, by time."""

    requestor: Requestor
    family_name: str = ""
    given_names: str = ""
    date_of_birth: Day | None = None
    postcode: str = ""
    street: str = ""
    mark: str = ""
    committed_from: Day | None = None
    committed_to: Day | None = None
    maximum: int


@record(NAMESPACE, "SEARCH_REPORTS_REPLY")
class Found:
    """Answers a search."""

    as_at: datetime
    more: bool
    hits: tuple[Hit, ...] = ()


@record(NAMESPACE, "GET_REPORT")
class Get:
    """Asks for one report."""

    requestor: Requestor
    crime_no: str = ""


@record(NAMESPACE, "GET_REPORT_REPLY")
class Given:
    """Gives one report with its latest details entries; `more` when older ones were left out."""

    as_at: datetime
    more: bool
    report: Report


@record(NAMESPACE, "CREATE_REPORT")
class Create:
    """Records a crime, once for each `client_ref`."""

    requestor: Requestor
    client_ref: str = ""
    sheet: Sheet


@record(NAMESPACE, "CREATE_REPORT_REPLY")
class Created:
    """Confirms a recorded crime; `duplicate` when it had been recorded before."""

    as_at: datetime
    crime_no: str = ""
    version: int
    duplicate: bool


@record(NAMESPACE, "ADD_DETS")
class AddDet:
    """Adds an entry to the details pages."""

    requestor: Requestor
    crime_no: str = ""
    page: str = ""
    text: str = ""


@record(NAMESPACE, "ADD_DETS_REPLY")
class Added:
    """Confirms an entry."""

    as_at: datetime
    det_no: int
    entered_at: datetime


@record(NAMESPACE, "UPDATE_REPORT")
class Update:
    """Changes a report that still has the version named."""

    requestor: Requestor
    crime_no: str = ""
    version: int
    changes: Changes


@record(NAMESPACE, "UPDATE_REPORT_REPLY")
class Updated:
    """Confirms changes and tells the version that they made."""

    as_at: datetime
    version: int


Question = Search | Get | Create | AddDet | Update
Answer = Found | Given | Created | Added | Updated
