"""The hub's settings and the files they name, read together: a fault in any of them is reported before anything starts."""

from dataclasses import dataclass
from pathlib import Path

from hub.contracts import Contracts
from hub.mesh.inputs import AS_OWNED, Edge, Grant, Policy, Tokens, Traffic
from metip.hub.v1 import settings_pb2
from metip.settings import SettingsError, read_settings


@dataclass(frozen=True)
class Settings:
    """Settings with every path made absolute."""

    trust_domain: str
    socket: Path
    state: Path
    access: Path
    edge: settings_pb2.Edge
    exchange: settings_pb2.Exchange | None
    """None where the hub takes no messages."""
    folder: Path
    ledger: settings_pb2.Ledger | None = None
    """None where the hub keeps no ledger."""
    traffic: Path | None = None
    """None where each interface is left to the system that owns it."""

    @property
    def watched(self) -> tuple[Path, ...]:
        """Files whose change is put in force without a restart."""
        named = (self.edge.certificate, self.edge.key, self.edge.authority, self.edge.token_keys)
        return (self.access, *(self.folder / path for path in named), *((self.traffic,) if self.traffic else ()))


def read(path: Path) -> Settings:
    """Reads the settings file. Raises `SettingsError` with every problem."""
    message = read_settings(path, settings_pb2.Settings)
    folder = path.resolve().parent
    return Settings(
        trust_domain=message.trust_domain,
        socket=folder / message.socket,
        state=folder / message.state,
        access=folder / message.access,
        edge=message.edge,
        exchange=message.exchange if message.HasField("exchange") else None,
        ledger=message.ledger if message.HasField("ledger") else None,
        folder=folder,
        traffic=folder / message.traffic if message.traffic else None,
    )


def read_policy(settings: Settings) -> Policy:
    """Reads the access policy. Raises `SettingsError`."""
    message = read_settings(settings.access, settings_pb2.AccessPolicy)
    return Policy(tuple(Grant(grant.consumer, tuple(grant.operations)) for grant in message.grants))


def read_traffic(settings: Settings, contracts: Contracts) -> Traffic:
    """Reads how calls are shared out. Raises `SettingsError` for an interface or a system that no contract puts behind it."""
    if settings.traffic is None:
        return AS_OWNED
    message, problems = read_settings(settings.traffic, settings_pb2.Traffic), []
    known = {one.name: {one.system, *contracts.back_ends_of(one.name)} for one in contracts.interfaces}
    for share in message.shares:
        strangers = sorted(set(share.weights) - known.get(share.interface, set()))
        if share.interface not in known:
            problems.append(f"shares: no contract has {share.interface}")
        elif strangers:
            problems.append(f"shares: no contract puts {', '.join(strangers)} behind {share.interface}")
        elif not any(share.weights.values()):
            problems.append(f"shares: nobody has any weight for {share.interface}")
    names = [share.interface for share in message.shares]
    problems += [f"shares: {name} is there twice" for name in sorted({one for one in names if names.count(one) > 1})]
    if problems:
        raise SettingsError(str(settings.traffic), tuple(problems))
    return Traffic(tuple((share.interface, tuple(sorted(share.weights.items()))) for share in message.shares))


def read_edge(settings: Settings) -> Edge:
    """Reads the files that the edge shows and checks with. Raises `SettingsError` naming each that can't be read."""
    said, problems = settings.edge, []

    def content(name: str, path: str) -> str:
        try:
            return (settings.folder / path).read_text(encoding="utf-8")
        except OSError as error:
            problems.append(f"edge.{name}: {path} can't be read: {error.strerror}")
        except UnicodeDecodeError:
            problems.append(f"edge.{name}: {path} is not text")
        return ""

    edge = Edge(
        trust_domain=settings.trust_domain,
        address=said.address or "127.0.0.1",
        port=said.port,
        json_port=said.json_port,
        certificate=content("certificate", said.certificate),
        key=content("key", said.key),
        authority=content("authority", said.authority),
        tokens=Tokens(said.token_issuer, said.token_audience, content("token_keys", said.token_keys)),
        access_log=str(settings.folder / said.access_log) if said.access_log else "",
        deliveries_port=settings.exchange.deliveries_port if settings.exchange else 0,
    )
    if problems:
        raise SettingsError(str(settings.folder), tuple(problems))
    return edge
