"""A far system's errors as a table: what each code means to an enquiry and to an update, by the reasons of the platform; pure."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from metip.faults import Fault, Reason

NONE: Final = "-"
FIRST, ANY = "!", "*"


class Row(NamedTuple):
    """A reason for an enquiry and one for an update, each with another system's word for it, told as `exception`, or `-`."""

    enquiry: str
    update: str
    enquiry_exception: str
    update_exception: str


class Refusals:
    """Lines of a code and a `Row`. A code that begins with `!` goes before all others; the line `*` is for codes that nobody knows."""

    def __init__(self, text: str) -> None:
        """Raises `KeyError` for a reason that there is not, and for a table without `*`."""
        rows = {code: Row(*row) for code, *row in map(str.split, text.strip().splitlines())}
        for row in rows.values():
            _ = Reason[row.enquiry], Reason[row.update]
        self._unknown = rows.pop(ANY)
        self._first = {code.removeprefix(FIRST) for code in rows if code.startswith(FIRST)}
        self._rows: Mapping[str, Row] = {code.removeprefix(FIRST): row for code, row in rows.items()}

    def fault(self, codes: Iterable[str], *, update: bool, who: str, again: Mapping[Reason, timedelta] | None = None) -> Fault:
        """What an error is that goes by these codes, the telling one first. What `who` said goes on as a code of the table, or as the last.

        `again` says by reason when it is worth another try.
        """
        said = list(codes)
        known = [code for code in said if code in self._first] or [code for code in said if code in self._rows]
        row, code = (self._rows[known[0]], known[0]) if known else (self._unknown, said[-1])
        told = next((one for one in said if one in self._rows), said[-1]) if known else code
        name, exception = (row.update, row.update_exception) if update else (row.enquiry, row.enquiry_exception)
        metadata = {"code": told} | ({"exception": exception} if exception != NONE else {})
        return Fault(Reason[name], f"{who} answered {told}", metadata=metadata, retry_after=(again or {}).get(Reason[name]))
