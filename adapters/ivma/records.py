"""The native records of the vehicle register's enquiry service. Words are kept as it writes them; None stands for what it left out.

A registration mark is personal data, so none shows its content in a `repr`.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Enquiry:
    """Asks for the vehicle that bears a mark, in capitals and without blanks."""

    registration: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Vehicle:
    """What the register says of a vehicle; it never says who keeps it."""

    registration: str
    tax_status: str | None = None
    tax_due: date | None = None
    mot_status: str | None = None
    mot_expiry: date | None = None
    make: str | None = None
    colour: str | None = None
    year: int | None = None
    first_registered: str | None = None
    """Year and month, `2016-12`."""
    engine_cc: int | None = None
    co2: int | None = None
    fuel: str | None = None
    exported: bool | None = None
    type_approval: str | None = None
    euro_status: str | None = None
    wheelplan: str | None = None
    v5c_issued: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Problem:
    """One of the reasons why it gives no vehicle. The detail may repeat what was asked."""

    status: str
    code: str = ""
    title: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Refused:
    """Answers with problems instead of a vehicle. What the gateway before the service says has a message and no problems."""

    problems: tuple[Problem, ...] = ()
    message: str = ""


Document = Enquiry | Vehicle | Refused
