"""The ledger's service on a unix socket, as the hub serves it: real files, a real journal of the hub, officer tokens of a real issuer."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
from gathered import Gathered
from waiting import until

import hub.contracts
from hub.api.ledger import LedgerApi
from hub.api.ledger_people import identify
from hub.identity import Officer, Store, issue_token
from hub.ledger import running, signing
from hub.ledger.postgres.connecting import Server
from hub.ledger.recording import HubJournal
from hub.ledger.running import Files, Ledger
from metip.common.v1.access_pb2 import AccessContext
from metip.journal.keys import ensure_keys
from metip.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub, add_LedgerServiceServicer_to_server
from metip.logs import Log
from metip.options.v1 import options_pb2

ORIGIN = "metip.local/ledger"
OPERATOR = "os://desk/alex"
ASSESSED = date(2026, 11, 23)
WHY = AccessContext(purpose=options_pb2.PURPOSE_AUDIT, justification="complaint 17")
MONTH = 30 * 86_400


@dataclass
class Served:
    """A ledger that is served."""

    folder: Path
    files: Files
    ledger: Ledger
    journal: HubJournal
    stub: Any
    written: io.StringIO

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.written.getvalue().splitlines()]

    async def ask(self, rpc: str, request: Any, *, token: str = "", operator: str = OPERATOR) -> Any:
        """The answer to a question."""
        return await getattr(self.stub, rpc)(request, metadata=self.metadata(token, operator), timeout=20)

    def metadata(self, token: str = "", operator: str = OPERATOR) -> list[tuple[str, str]]:
        """What an operator sends beside a question."""
        found = [("x-metip-operator", operator)] if operator else []
        return [*found, ("authorization", f"Bearer {token}")] if token else found

    def token(self, *roles: str, lifetime: timedelta = timedelta(hours=1), now: datetime | None = None) -> str:
        """A token of an officer with those roles."""
        officer = Officer("700007XX", "01", "DPS", roles)
        party = "spiffe://metip.local/consumer/desk"
        return issue_token(
            Store(self.folder / "identity"), officer, authorised_party=party, lifetime=lifetime, now=now or datetime.now(UTC)
        )

    def estate(self) -> Gathered:
        """Writes journals beside this ledger; gathers nothing itself."""
        found = Gathered.__new__(Gathered)
        found.folder, found.keys_folder, found.journals, found.keys = self.folder, self.files.keys, self.files.journals, self.ledger.keys
        return found

    async def gathered(self, count: int) -> None:
        """Waits until the ledger has so many leaves."""
        await until(lambda: self.ledger.store.head.size >= count, within=20)


@asynccontextmanager
async def served(folder: Path, server: Server | None = None) -> AsyncIterator[Served]:
    """The service for the length of the block; its folder is kept from one to the next."""
    import asyncio

    files = Files(
        folder / "ledger.sqlite",
        folder / "journals",
        folder / "identity" / "ledger",
        folder / "retention.yaml",
        folder / "witness.vkey",
        server=server,
    )
    Store(folder / "identity").ensure(trust_domain="metip.local")
    ensure_keys(files.keys)
    signing.ensure(files.keys / signing.FOLDER, ORIGIN)
    if not (folder / "retention.yaml").exists():
        (folder / "retention.yaml").write_text("months: 72\n")
    written, api_server = io.StringIO(), grpc.aio.server()
    later = asyncio.get_running_loop().call_soon_threadsafe
    with running.opened(files, ORIGIN, Log(written), later) as (ledger, journal):
        contracts = hub.contracts.load(ASSESSED)
        api = LedgerApi(ledger, contracts, journal.record, identify(folder / "identity", "metip"))
        add_LedgerServiceServicer_to_server(api, api_server)
        api_server.add_insecure_port(f"unix:{folder / 's'}")
        await api_server.start()
        try:
            async with grpc.aio.insecure_channel(f"unix:{folder / 's'}") as channel:
                yield Served(folder, files, ledger, journal, LedgerServiceStub(channel), written)
        finally:
            await api_server.stop(1)
