"""Where the hub says what it or an operator did to the platform: a seam, behind which the journal stands where there is one.

The law: what can't be recorded is not done. A recorder that raises keeps the change from coming into force.
"""

from collections.abc import Awaitable, Callable
from typing import Final

Recorder = Callable[[str, str, str], Awaitable[None]]
"""Takes the action's name, its author, and what else there is to say, without anything personal; returns when that is durable."""

ACCESS_CHANGE: Final = "access_policy_change"
ACCESS_CHANGE_REFUSED: Final = "access_policy_change_refused"
"""Envoy did not take a policy whose change was recorded, so the one before stays in force."""
TRAFFIC_CHANGE: Final = "traffic/change"
TRAFFIC_CHANGE_REFUSED: Final = "traffic/refused"
TRAFFIC_OVERRIDE: Final = "traffic/override"
"""Somebody set a runtime key by hand in Envoy, or took it back; it was in force before the hub noticed."""


async def unrecorded(_action: str, _author: str, _detail: str) -> None:
    """Keeps nothing: for a hub without a journal."""
