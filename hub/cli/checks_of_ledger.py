"""Checks of the ledger: every journal follows, every answered call has its record, and what is recorded can be opened."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import grpc

from hub.cli.client import PATIENCE, Place, hub_client
from hub.cli.exchange.moments import age
from hub.cli.findings import LEDGER, Finding, Section
from hub.cli.ledger.status import LATE, witnessed
from hub.cli.printing import count, span
from metip.ledger.v1.ledger_service_pb2 import GetStatusRequest
from metip.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub

MEANING: Final = "docs/ledger.md says what each gap means, and what to do"


async def of_ledger(where: Place) -> AsyncIterator[Finding]:
    """Nothing is missing of what was done, and nobody took anything away."""
    section = Section(LEDGER)
    try:
        found = await _status(where)
    except grpc.aio.AioRpcError as error:
        none = error.code() is grpc.StatusCode.UNIMPLEMENTED
        yield section.unknown("this hub keeps no ledger" if none else "how it stands is the hub's to say")
        return
    for finding in judged(found, datetime.now(UTC)):
        yield finding


def judged(found: Any, now: datetime) -> Iterator[Finding]:
    """What its status says."""
    agrees = ", and every answered call has its record" if found.HasField("reconciliation") else ""
    well = f"holds {count(found.size, 'record')}; {count(len(found.journals), 'journal')} followed{agrees}"
    yield from Section(LEDGER).faults_or(well, [*_of_journals(found, now), *_of_books(found)])


def _of_journals(found: Any, now: datetime) -> list[tuple[str, str, bool]]:
    gaps = [
        (f"the journal {one.name} has a gap ({one.gap}) at {one.gap_position}, for {age(one.gap_since, now)}", MEANING, True)
        for one in found.journals
        if one.gap
    ]
    late = [
        (f"the journal {one.name} is {span(one.lag_seconds)} behind", "read the log of the hub, which gathers it", False)
        for one in found.journals
        if not one.gap and one.lag_seconds > LATE
    ]
    return gaps + late


def _of_books(found: Any) -> list[tuple[str, str, bool]]:
    faults = []
    if found.reconciliation.missing:
        words = f"{count(found.reconciliation.missing, 'answered call')} without a record"
        faults.append((words, "metip ledger status names them; docs/ledger.md says what to do", True))
    if found.unopened:
        words = f"{count(found.unopened, 'record')} whose particulars can't be opened, so that no subject finds them"
        faults.append((words, "give the hub the sealing keys that it lacks: docs/ledger.md", True))
    if not witnessed(found):
        faults.append((f"the witness has lagged for {span(found.witness.lag_seconds)}", "metip ledger status says why", True))
    return faults


async def _status(where: Place) -> Any:
    async with hub_client(where) as hub:
        stub: Any = LedgerServiceStub(hub.channel)
        return await stub.GetStatus(GetStatusRequest(), timeout=PATIENCE)
