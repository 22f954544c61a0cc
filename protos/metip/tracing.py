"""The trace that a call belongs to: W3C trace context, or one that everybody makes of the call's id alike where the caller traced nothing.

Nothing has to be added for the second: whoever reads a call id knows its trace. An id that is a UUID, as Envoy's are, is its own trace id
without the dashes. A call names the call that made it in a header of its own, since spans may be somebody else's.

Source: W3C Trace Context, section 3.2 (`traceparent`).
"""

import re
from hashlib import sha256
from typing import Final

HEADER: Final = "traceparent"
PARENT_HEADER: Final = "x-metip-parent"
"""Names the call that made this one, by its call id. Anybody may send it; it says nothing unless both are of one trace."""
NOT_SAMPLED: Final = "00"
CALL_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TRACE_ID: Final = re.compile(r"(?!0{32})[0-9a-f]{32}")
_TRACEPARENT: Final = re.compile(r"(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


def trace_id_in(traceparent: str) -> str:
    """The trace id of a `traceparent`, 32 hexadecimal digits; empty where it is none."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or (found[1] == "00" and found[5]):  # only later versions may say more
        return ""
    return found[2]


def trace_id_of(call_id: str) -> str:
    """The trace id of a call that came without a trace; empty for one without an id."""
    if not call_id:
        return ""
    if CALL_ID.fullmatch(call_id):
        return call_id.replace("-", "")
    return sha256(call_id.encode()).hexdigest()[:32]


def trace_id(traceparent: str, call_id: str) -> str:
    """The trace that a call belongs to."""
    return trace_id_in(traceparent) or trace_id_of(call_id)


def context_of(traceparent: str, call_id: str) -> str:
    """The `traceparent` that a call hands on: the one that it came with, as whoever makes no spans does, or that of its own trace, which
    nobody samples. Empty for a call that has neither."""
    if trace_id_in(traceparent):
        return traceparent
    made = trace_id_of(call_id)
    return f"00-{made}-{made[16:]}-{NOT_SAMPLED}" if made and made[16:].strip("0") else ""


def parent_in(said: str) -> str:
    """The call that made this one, as its header says; empty where that is no call id: it is somebody else's words."""
    return said if CALL_ID.fullmatch(said) else ""
