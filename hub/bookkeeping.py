"""The hub's books, opened together: its own journal, the ledger, the watch over the edge's log, the way to the witness.

Where the settings name no ledger nothing is kept, and whatever may only be done with a record is refused.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

import grpc

from hub import settings as settings_files
from hub.api.actions import Recorder as ActionRecorder
from hub.api.edge_seen import seen
from hub.api.ledger import LedgerApi
from hub.api.ledger_asking import Asking
from hub.api.ledger_people import identify
from hub.contracts import Contracts
from hub.exchange.running import Kept
from hub.ledger import running, signing
from hub.ledger.actions import Identify
from hub.ledger.cosigning import Cosigning
from hub.ledger.edge import Reconciling
from hub.ledger.finding import Finder
from hub.ledger.recording import HubJournal
from hub.ledger.watching import Watching
from hub.mesh.inputs import hub_identity
from hub.recording import Recorder
from metip.contracts import Operation
from metip.journal.records import Recording
from metip.ledger.v1.ledger_service_pb2_grpc import add_LedgerServiceServicer_to_server
from metip.logs import Log
from metip.options.v1.options_pb2 import PURPOSE_AUDIT

EDGE: Final = "edge"
"""Envoy, as the platform of what it refused by itself."""
LEDGER: Final = "metip.ledger.v1.LedgerService"


class Books:
    """What one hub keeps. Not open until `open`."""

    def __init__(self, settings: settings_files.Settings, log: Log, recorder: Recorder, record_action: ActionRecorder) -> None:
        """`recorder` hears of changes, and `record_action` of what operators do, where there is no journal."""
        self._settings, self._log = settings, log
        self._recorder, self._record_action = recorder, record_action
        self.ledger: running.Ledger | None = None
        """None until it is open, and where there is none."""
        self._people: Identify | None = None
        self._journal: HubJournal | None = None
        self._watching: Watching | None = None
        self._cosigning: Cosigning | None = None
        self.finder: Finder | None = None
        """Finds messages by subject; None without a ledger."""

    def open(self, contracts: Contracts, edge_log: str, server: grpc.aio.Server, stack: ExitStack) -> Kept | None:
        """Opens everything for the life of the stack and serves questions; where the rest of the hub records, None without a ledger.

        Raises `SettingsError`.
        """
        said, settings = self._settings.ledger, self._settings
        if said is None:
            return None
        files, name = running.files(said, settings.folder, settings.state), signing.origin(settings.trust_domain)
        later = asyncio.get_running_loop().call_soon_threadsafe
        ledger, self._journal = stack.enter_context(running.opened(files, name, self._log, later))
        self.ledger = ledger
        self._cosigning = ledger.cosigning
        if edge_log:
            self._watching = self._watched(ledger, self._journal, Path(edge_log), contracts.operations)
        self.finder = Finder(ledger.readers, ledger.keys)
        self._people = people = identify((settings.folder / settings.edge.token_keys).parent, settings.edge.token_audience)
        if LEDGER in {interface.name for interface in contracts.interfaces}:
            add_LedgerServiceServicer_to_server(LedgerApi(ledger, contracts, self._journal.record, people, self._watching), server)
        return Kept(self._journal.journal, ledger.keys)

    @property
    def work(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """What runs for as long as the books are open."""
        return tuple(one.run for one in (self._watching, self._cosigning) if one is not None)

    @property
    def standing(self) -> "tuple[running.Ledger, HubJournal, Watching | None] | None":
        """The ledger, the hub's journal and the watch over the edge's log; None where nothing is kept."""
        return (self.ledger, self._journal, self._watching) if self.ledger is not None and self._journal is not None else None

    def asking(self, contracts: Contracts, service: str) -> Asking | None:
        """How questions are asked that are recorded; None where nothing is."""
        if self._journal is None or self._people is None:
            return None
        return Asking(contracts, self._journal.record, self._people, service)

    async def record_change(self, action: str, author: str, detail: str) -> None:
        """A change of the platform's own settings. Raises `Fault` JOURNAL."""
        if self._journal is None:
            await self._recorder(action, author, detail)
        else:
            await self._journal.record_action(action, author, PURPOSE_AUDIT, detail)

    async def record_action(self, action: str, author: str, purpose: int, detail: str) -> None:
        """What an operator does. Raises `Fault` JOURNAL."""
        record = self._record_action if self._journal is None else self._journal.record_action
        await record(action, author, purpose, detail)

    def _watched(self, ledger: running.Ledger, journal: HubJournal, log: Path, operations: Mapping[str, Operation]) -> Watching:
        recording, hub = Recording(EDGE, ledger.keys), hub_identity(self._settings.trust_domain)
        read, marks = partial(seen, hub=hub), journal.journal.marks
        return Watching(ledger, journal.journal, Reconciling(log, operations, read, recording, marks), self._log)
