"""The codec of Merlin's interface: native records to elements in Merlin's namespace and back, with no I/O.

What the law of one field is, its record says; `adapters.kit.binding` does the same for every record and in both directions. Attributes
and elements that no record has are passed over, so that a newer Merlin can say more. Everything that can go wrong is a `WireError`, which
names the place and never what stands there.
"""

from collections.abc import Mapping
from typing import Any, Final

from adapters.kit.binding import Documents, WireError, standing_alone
from adapters.merlin import records
from adapters.merlin.layout import KINDS
from adapters.merlin.records import NAMESPACE

__all__ = ["NAMESPACE", "PATH", "ROOTS", "WireError", "action", "element_of", "record_of"]

PATH: Final = "/merlin/reports"
DOCUMENTS: Final = Documents(*standing_alone(records), texts=KINDS, prefixes={NAMESPACE: {"m": NAMESPACE}})
element_of, record_of = DOCUMENTS.element_of, DOCUMENTS.record_of
ROOTS: Final[Mapping[type[Any], str]] = {kind: root for root, kind in DOCUMENTS.kinds.items()}
"""Tags of the records that stand alone in a header or a body; the tag of a question is the name of its action too."""


def action(record: object) -> str:
    """The SOAP action of a question."""
    return f"{NAMESPACE}#{ROOTS[type(record)]}"
