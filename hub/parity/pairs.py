"""One call that both platforms answered: what is compared."""

from dataclasses import dataclass
from typing import Final

REPLICA: Final = "REPLICA"
"""The shadow is a copy or a simulator, so its data may be kept as cases are."""
RECORDED: Final = "RECORDED"
"""The primary's answer was recorded on the old platform and played again to the new one."""
SAMPLED: Final = "SAMPLED"
"""Both platforms are live, asked under the migration's own purpose and cap."""
ORIGINS: Final = (REPLICA, RECORDED, SAMPLED)
"""The contract's mirror policies, by which pairs come about."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one system answered.

    `platform` is METIP or METIP2; `code` the gRPC status, 0 for OK; `reason` the error's `ErrorInfo.reason`, empty without one.
    `reply` holds the serialized reply of a unary operation, `replies` those of a server stream in their order, also the ones that came
    before an error; both are empty otherwise. `seconds` is how long the answer took, to its last message.
    """

    system: str
    platform: str
    code: int = 0
    reason: str = ""
    reply: bytes = b""
    replies: tuple[bytes, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Pair:
    """What both answered to one request. `primary` answered the caller; `shadow` was asked by the comparator.

    `operation` is named as in `Contracts.operations`; `at` is in seconds since 1970; `again` is the primary's answer to the same request a
    second time, from which noise is learned; `origin` is one of `ORIGINS`.
    """

    operation: str
    call_id: str
    at: float
    request: bytes
    primary: Answer
    shadow: Answer
    again: Answer | None = None
    origin: str = REPLICA
