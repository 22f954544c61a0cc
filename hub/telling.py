"""The telling of journeys, wired together: what of the hub's parts and files each source is."""

from pathlib import Path

import grpc

from hub.api import journey
from hub.api.journey import JourneyApi, Personal
from hub.bookkeeping import Books
from hub.contracts import Contracts
from hub.exchange.port import Engine
from hub.journey.reading import AdapterLogs, EnvoyLog, works
from hub.journey.sources import ExchangeSource, HubSources, LedgerSource
from hub.mesh.edge_causes import reason_of
from hub.mesh.inputs import hub_identity
from hub.settings import Settings
from metip.journey.v1.journey_service_pb2_grpc import add_JourneyServiceServicer_to_server


def serve_journeys(
    settings: Settings, contracts: Contracts, books: Books, engine: Engine | None, edge_log: str, server: grpc.aio.Server
) -> None:
    """Serves journeys, once books and exchange are open. `edge_log` is Envoy's log of calls; empty where it keeps none."""
    if journey.SERVICE not in {interface.name for interface in contracts.interfaces}:
        return
    hub, known = hub_identity(settings.trust_domain), works(contracts)
    log = Path(edge_log) if edge_log else None
    sources = HubSources(
        LedgerSource(books.ledger, hub),
        ExchangeSource(engine),
        EnvoyLog(log, hub, known, reason_of),
        AdapterLogs(settings.adapter_logs, hub, [log.name] if log is not None else []),
    )
    asking = books.asking(contracts, journey.SERVICE)
    personal = Personal(asking, books.ledger.keys) if asking is not None and books.ledger is not None else None
    add_JourneyServiceServicer_to_server(JourneyApi(sources, known, personal), server)
