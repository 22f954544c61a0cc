"""The old platform on the mesh: operations of PNC, CRIS and Merlin, and messages to others, by way of the old bus."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from adapters.kit import Call, Site
from adapters.kit.outcomes import PROCESSED
from adapters.kit.tabled import Handler, served
from adapters.metip1.services import CRIS, MERLIN, OPERATIONS, PNC, UPDATES, SoapOperation
from adapters.metip1.upstream import Bus
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.metip1.v1.settings_pb2 import Settings

SYSTEM: Final = "METIP1"
"""In provenance, where each system spells itself in capitals."""
BRIDGED: Final = (PNC, UPDATES, CRIS, MERLIN)
"""Services whose operations answer at once; the others' are messages, which the exchange takes."""
DELIVERED: Final = ("SendCustodyRecord", "SubmitCase")
"""Messages that the bus delivers while it owns them; it passes results on to nobody here."""


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """The servicers for the length of the block."""
    async with Bus.connected(settings, site.log) as bus:
        yield served(_rows(bus))


def _rows(bus: Bus) -> Iterator[tuple[str, str, Handler]]:
    for operation in OPERATIONS:
        handler = _answer if operation.service in BRIDGED else _delivered if operation.name in DELIVERED else None
        if handler is not None:
            interface, _, name = operation.contract.partition("/")
            yield interface, name, partial(handler, bus, operation)


async def _answer(bus: Bus, operation: SoapOperation, request: Any, response: Any, call: Call) -> Any:
    """The bus's answer. It says who answered: this system, of whatever age the bus calls what it told."""
    answer = await bus.ask(operation, request, call)
    if "provenance" in answer.DESCRIPTOR.fields_by_name:
        answer.provenance.system = SYSTEM
        if not answer.provenance.HasField("as_of"):
            answer.provenance.as_of.FromDatetime(datetime.now(UTC).replace(microsecond=0))
    return answer


async def _delivered(bus: Bus, operation: SoapOperation, request: Any, response: Any, call: Call) -> Receipt:
    """PROCESSED when the bus has the message: delivering it is its own business from then on. It knows one that comes again by its key."""
    await bus.ask(operation, request, call)
    return PROCESSED
