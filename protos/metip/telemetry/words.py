"""The words that contracts and code declare for labels; a process adds those of its settings."""

from collections.abc import Iterable
from typing import Final

import grpc

from metip.breaker import State
from metip.contracts import Contracts
from metip.faults import Reason
from metip.telemetry.samples import Words

OK: Final = "OK"
CANCELLED: Final = "CANCELLED"
MOST_WORKERS: Final = 64
"""Workers of one adapter, as its settings bound them."""
FATES: Final = ("exported", "failed", "dropped")
"""What becomes of spans."""
STATUSES: Final = tuple(status.name for status in grpc.StatusCode)
OUTCOMES: Final = (OK, CANCELLED, *(reason.name for reason in Reason))


def words_of(contracts: Contracts, *, platform: Iterable[str] = ("hub",)) -> Words:
    """What contracts declare. `platform` names what serves beside the systems."""
    systems = {one.system for one in contracts.interfaces} | {one.system for one in contracts.back_ends} | set(platform)
    return Words(
        interface=[one.name for one in contracts.interfaces],
        operation=contracts.operations,
        system=systems,
        subscription=[one.name for one in contracts.subscriptions],
        journal=[*platform, *(f"{system}-{number}" for system in systems for number in range(MOST_WORKERS))],
        outcome=OUTCOMES,
        status=STATUSES,
        state=[one.value for one in State],
        process=("hub", "adapter"),
        folder=("state", "journals"),
        use=("edge", "authority", "hub", "adapter"),
        fate=FATES,
    )
