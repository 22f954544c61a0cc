"""What an id is: found out by its form alone, so that only a business key, which is personal, is asked for with a purpose."""

import re
from enum import Enum
from typing import Final

from metip.identifiers import PARSERS
from metip.tracing import CALL_ID, TRACE_ID, trace_id_in

RECORD: Final = re.compile(r"0|[1-9][0-9]{0,11}")


class IdKind(Enum):
    """What an id is; the number is that of the contract. A call id and a message id look alike."""

    CALL = 1
    MESSAGE = 2
    TRACE = 3
    RECORD = 4
    BUSINESS_KEY = 5


def kind_of(text: str) -> IdKind:
    """What an id looks like; of calls and messages, a call."""
    plain = text.strip().lower()
    if CALL_ID.fullmatch(plain):
        return IdKind.CALL
    if TRACE_ID.fullmatch(plain) or trace_id_in(plain):
        return IdKind.TRACE
    return IdKind.RECORD if RECORD.fullmatch(plain) else IdKind.BUSINESS_KEY


def identified(text: str, identifier: str = "") -> dict[str, str]:
    """Normal forms of a business key by kind of identifier: of the one that is named, or of each that it may be."""
    kinds = (identifier,) if identifier else tuple(PARSERS)
    parsed = {kind: PARSERS[kind](text) for kind in kinds if kind in PARSERS}
    return {kind: one.canonical for kind, one in parsed.items() if one.valid}
