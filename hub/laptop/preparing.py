"""Writes what the processes need: identities, the hub's settings, a policy to begin with, Envoy's bootstrap. What exists is kept."""

import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hub.contracts.folders import adapters_folder
from hub.identity import Store, describe, issue, needs_renewal
from hub.identity.tokens import AUDIENCE, issuer_of
from hub.laptop.claiming import free_ports
from hub.laptop.facades import Door, doors
from hub.laptop.layout import DEVELOPER, EDGE, TRUST_DOMAIN, Home
from hub.ledger import signing
from hub.mesh.inputs import CONSOLE_CONSUMER, HUB_SYSTEM, adapter_identity, console_identity, hub_identity
from metip.journal.keys import ensure_keys

BOOTSTRAP = Path(__file__).parent.parent.parent / "envoy" / "bootstrap.yaml"
FIRST_TRAFFIC = """# Who answers where several systems serve one interface, by weight; without a share, the system that owns it.
# Written once by `metip up`, then yours: the hub puts each change in force, and `metip status` shows it.
# shares:
#   - interface: metip.example.v1.ExampleService
#     weights: {example: 90, successor: 10}
shares: []
"""
FIRST_MIGRATION = """# How interfaces are moved from the old platform to the new one, beyond what systems say of themselves.
# `metip migrate plan` shows all of it.
# Written once by `metip up`, then yours: the hub takes each change up. docs/parallel-running.md says what there is.
# interfaces:
#   - interface: metip.example.v1.ExampleService
#     rings: [5, 25]
#     bars:
#       - {to: STATE_CANARY, up_to_percent: 5, comparisons: 2000, parity_percent: 99.5, soak: 3600s}
interfaces: []
"""
FIRST_RETENTION = """# For how long the ledger keeps what is personal in records: whole months after the month of a record.
# What is over may be erased with `metip ledger erase`; records themselves stay. 72 months are the six years of the general floor of
# police records. Written once by `metip up`, then yours.
# interfaces:
#   - interface: metip.example.v1.ExampleService
#     months: 84
#     basis: the force's retention schedule, line 12
months: 72
"""
FREE = "127.0.0.1:0"
"""Where metrics are shown: on a port that is free, which `metrics/` then tells."""
XDS = {"delta": "DELTA_GRPC", "sotw": "GRPC"}


@dataclass(frozen=True)
class Ports:
    """Where the edge listens on 127.0.0.1."""

    grpc: int = 8443
    json: int = 8444
    deliveries: int = field(default_factory=lambda: free_ports(1)[0])
    """Where the hub hands messages to Envoy; nobody else is let in, so any port will do."""
    console: int = 0
    """Where the console listens on 127.0.0.1; 0 for no console."""
    soap: int = 0
    """Where the first façade listens on 127.0.0.1; 0 for no façades."""


def systems() -> tuple[str, ...]:
    """Names of the adapters, which are the names of their folders; nothing of theirs is imported."""
    return tuple(sorted(path.parent.name for path in adapters_folder().glob("*/adapter.py")))


def has_simulator(system: str) -> bool:
    """Whether a system has a simulator to stand in for its far side."""
    return (adapters_folder() / system / "simulator.py").exists()


def prepare(home: Home, ports: Ports, *, xds: str = "delta", traces: str = "") -> None:
    """Makes a home ready for its processes. `traces` is the `host:port` of a collector; empty sends none."""
    for folder in (home.root, home.logs, home.state, home.journals, home.run, home.metrics):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    facades = tuple(doors(home, ports.soap, adapters_folder()))
    _identities(home, facades)
    for one in facades:
        one.write(ports.grpc)
    ensure_keys(home.ledger_keys)
    _write(home.hub_settings, _hub_settings(home, ports) + _telemetry(home, traces))
    if not home.access.exists():
        _write(home.access, first_policy())
    signing.ensure(home.ledger_keys / signing.FOLDER, signing.origin(TRUST_DOMAIN))
    signing.ensure(home.witness_keys, f"{TRUST_DOMAIN}/witness", signing.WITNESS)
    _write(home.witness_settings, _witness_settings(home))
    if not home.retention.exists():
        _write(home.retention, FIRST_RETENTION)
    if not home.traffic.exists():
        _write(home.traffic, FIRST_TRAFFIC)
    if not home.migration.exists():
        _write(home.migration, FIRST_MIGRATION)
    _write(home.bootstrap, bootstrap(home, xds=xds))


def bootstrap(home: Home, *, xds: str) -> str:
    """Envoy's bootstrap for this home."""
    template = string.Template(BOOTSTRAP.read_text(encoding="utf-8").replace("the ${…}", "the rest"))
    return template.substitute(node="laptop", admin_socket=home.admin_socket, hub_socket=home.hub_socket, xds=XDS[xds])


def _identities(home: Home, facades: Sequence[Door]) -> None:
    store = Store(home.identity)
    store.ensure(trust_domain=TRUST_DOMAIN)
    now = datetime.now(UTC)
    names = {EDGE: f"spiffe://{TRUST_DOMAIN}/edge", DEVELOPER: f"spiffe://{TRUST_DOMAIN}/consumer/{DEVELOPER}"}
    names |= {HUB_SYSTEM: hub_identity(TRUST_DOMAIN), CONSOLE_CONSUMER: console_identity(TRUST_DOMAIN)}
    names |= {f"adapter-{system}": adapter_identity(TRUST_DOMAIN, system) for system in systems()}
    names |= {name: spiffe_id for one in facades for name, spiffe_id in one.identities().items()}
    for name, spiffe_id in names.items():
        if store.certificate(name).exists() and not needs_renewal(describe(store.certificate(name)), now):
            continue
        serves = name in (EDGE, *(one.name for one in facades))
        issue(store, spiffe_id, name=name, dns=("localhost",) if serves else (), addresses=("127.0.0.1",) if serves else ())


def _hub_settings(home: Home, ports: Ports) -> str:
    return f"""# Written by `metip up` at each start. Settings: metip.hub.v1.Settings.
trust_domain: {TRUST_DOMAIN}
socket: {home.hub_socket}
state: state
access: access.yaml
traffic: traffic.yaml
migration: {home.migration.name}
envoy_admin: {home.admin_socket}
adapter_logs: logs
edge:
  port: {ports.grpc}
  json_port: {ports.json}
  certificate: identity/{EDGE}/cert.pem
  key: identity/{EDGE}/key.pem
  authority: identity/ca.pem
  token_keys: identity/jwks.json
  token_issuer: {issuer_of(TRUST_DOMAIN)}
  token_audience: {AUDIENCE}
  access_log: logs/{home.access_log.name}
exchange:
  deliveries_port: {ports.deliveries}
  certificate: identity/{HUB_SYSTEM}/cert.pem
  key: identity/{HUB_SYSTEM}/key.pem
  sqlite: {{}}
ledger:
  keys: {home.ledger_keys.relative_to(home.root)}
  retention: {home.retention.name}
  witness_key: {(home.witness_keys / signing.WITNESS.public).relative_to(home.root)}
  witness_socket: {home.witness_socket}
{_console_settings(home, ports) if ports.console else ""}"""


def _console_settings(home: Home, ports: Ports) -> str:
    return f"""console:
  port: {ports.console}
  socket: {home.console_socket}
  access_log: logs/{home.console_log.name}
  consumer_certificate: identity/{CONSOLE_CONSUMER}/cert.pem
  consumer_key: identity/{CONSOLE_CONSUMER}/key.pem
"""


def _telemetry(home: Home, traces: str) -> str:
    sent = f"  traces: {{collector: {traces}, sampled_percent: 100}}\n" if traces else ""
    return f"telemetry:\n  metrics: {FREE}\n  targets: {home.metrics.name}\n{sent}"


def _witness_settings(home: Home) -> str:
    return f"""# Written by `metip up` at each start. Settings: metip.hub.v1.WitnessSettings.
# In production the witness runs as another user, best on another machine.
socket: {home.witness_socket}
file: state/witness.sqlite
name: {TRUST_DOMAIN}/witness
keys: {home.witness_keys.relative_to(home.root)}
logs: [{(home.ledger_keys / signing.FOLDER / signing.LEDGER.public).relative_to(home.root)}]
"""


def first_policy() -> str:
    """The access policy that a new estate begins with."""
    return f"""# Who may call what; everything else is refused. Written once by `metip up`, then yours: the hub puts each change in force.
# An adapter whose contract says that it consults an operation may call that one without being named here. A grant may be narrowed:
#   - name: tablets
#     consumer: spiffe://{TRUST_DOMAIN}/consumer/tablet
#     operations: ["metip.example.v1.ExampleService/*"]
#     purposes: [PURPOSE_STREET_STOP]
#     roles: [response]
# `metip access check` judges the file, `metip access explain` a call, `metip access diff` a change before it is made.
grants:
  - consumer: spiffe://{TRUST_DOMAIN}/consumer/{DEVELOPER}
    operations: ["*"]
  # What operators try out from the console.
  - name: console
    consumer: {console_identity(TRUST_DOMAIN)}
    operations: ["*"]
    roles: [operations]
"""


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
