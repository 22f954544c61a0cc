"""The native records of the vehicle register's enquiry service, whose fields have the names of its published description.

Words are kept as it writes them; None stands for what it left out. No `repr` shows content: a registration mark is personal data.
"""

from adapters.kit.json_documents import record


@record
class Enquiry:
    """Asks for the vehicle that bears a mark, in capitals and without blanks."""

    registration_number: str


@record
class Vehicle:
    """What the register says of a vehicle; it never says who keeps it. Days as `2016-12-31`, months as `2016-12`."""

    registration_number: str
    tax_status: str | None = None
    tax_due_date: str | None = None
    mot_status: str | None = None
    mot_expiry_date: str | None = None
    make: str | None = None
    colour: str | None = None
    year_of_manufacture: int | None = None
    month_of_first_registration: str | None = None
    engine_capacity: int | None = None
    co2_emissions: int | None = None
    fuel_type: str | None = None
    marked_for_export: bool | None = None
    type_approval: str | None = None
    euro_status: str | None = None
    wheelplan: str | None = None
    date_of_last_v5_c_issued: str | None = None


@record
class Problem:
    """One of the reasons why it gives no vehicle. The detail may repeat what was asked."""

    status: str = ""
    code: str = ""
    title: str = ""
    detail: str = ""


@record
class Refused:
    """Answers with problems instead of a vehicle. What the gateway before the service says has a message and no problems."""

    errors: tuple[Problem, ...] = ()
    message: str = ""


Document = Enquiry | Vehicle | Refused
