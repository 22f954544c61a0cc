"""The files that the hub's settings name, read together: a fault in any of them is reported before anything starts."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from hub.access import approving
from hub.access.standing import Rules
from hub.access.standing import standing as standing_by
from hub.contracts import Contracts
from hub.identity import IdentityError
from hub.identity.private_files import read_private
from hub.mesh.inputs import AS_OWNED, Console, Edge, Policy, SignIn, Tokens, Traces, Traffic
from hub.settings import Settings
from metip.hub.v1 import settings_pb2
from metip.settings import SettingsError, read_settings
from metip.telemetry.v1.telemetry_pb2 import Telemetry

SAMPLED_PERCENT = 1.0
"""Share of calls of which Envoy begins to trace where the settings say nothing of it."""


def rules(settings: Settings) -> Rules:
    """Where the access policy lies, and whose approval it needs."""
    return Rules(settings.access, settings.state, settings.folder, settings.trust_domain, settings.approvals)


def watched(settings: Settings) -> tuple[Path, ...]:
    """Files whose change is put in force without a restart."""
    edge = settings.edge
    named = [edge.certificate, edge.key, edge.authority, edge.token_keys]
    if settings.console is not None:
        said = settings.console.sign_in
        named += [settings.console.certificate, settings.console.key, said.client_secret, said.cookie_secret, said.authority]
    more = [settings.traffic] if settings.traffic else []
    if settings.approvals.required:
        more += [approving.beside(settings.access), *(settings.folder / one.key for one in settings.approvals.approvers)]
    return (settings.access, *(settings.folder / path for path in named if path), *more)


def read_policy(settings: Settings, contracts: Contracts) -> Policy:
    """Reads the access policy that is in force: where approval is required, not always the one in the file. Raises `SettingsError`."""
    return standing_by(rules(settings), contracts).policy


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


def _traces(said: Telemetry) -> Traces | None:
    """Whom Envoy sends its spans; it begins to trace one call in a hundred where nothing else is said."""
    return Traces(said.traces.collector, said.traces.sampled_percent or SAMPLED_PERCENT) if said.HasField("traces") else None


def read_edge(settings: Settings) -> Edge:
    """Reads the files that the edge shows and checks with. Raises `SettingsError` naming each that can't be read."""
    said, problems = settings.edge, list[str]()
    content = partial(_content, settings.folder, problems)
    edge = Edge(
        trust_domain=settings.trust_domain,
        address=said.address or "127.0.0.1",
        port=said.port,
        json_port=said.json_port,
        certificate=content("edge.certificate", said.certificate),
        key=content("edge.key", said.key),
        authority=content("edge.authority", said.authority),
        tokens=Tokens(said.token_issuer, said.token_audience, content("edge.token_keys", said.token_keys)),
        access_log=str(settings.folder / said.access_log) if said.access_log else "",
        deliveries_port=settings.exchange.deliveries_port if settings.exchange else 0,
        traces=_traces(settings.telemetry),
        console=_console(settings, settings.console, content) if settings.console else None,
    )
    if problems:
        raise SettingsError(str(settings.folder), tuple(problems))
    return edge


def _content(folder: Path, problems: list[str], name: str, path: str, *, private: bool = False) -> str:
    """What a file says; what keeps it from being read is one of the problems. A private one may be open to nobody else."""
    try:
        return (read_private(folder / path) if private else (folder / path).read_bytes()).decode()
    except IdentityError as error:
        problems.append(f"{name}: {error.fault.problem}; {error.fault.fix}")
    except OSError as error:
        problems.append(f"{name}: {path} can't be read: {error.strerror}")
    except UnicodeDecodeError:
        problems.append(f"{name}: {path} is not text")
    return ""


def _console(settings: Settings, said: settings_pb2.Console, content: Callable[..., str]) -> Console:
    return Console(
        port=said.port,
        hub=str(settings.socket),
        files=str(settings.folder / said.socket),
        access_log=str(settings.folder / said.access_log) if said.access_log else "",
        certificate=content("console.certificate", said.certificate) if said.certificate else "",
        key=content("console.key", said.key) if said.certificate else "",
        sign_in=_sign_in(said.sign_in, content) if said.HasField("sign_in") else None,
    )


def _sign_in(said: settings_pb2.SignIn, content: Callable[..., str]) -> SignIn:
    return SignIn(
        issuer=said.issuer,
        authorization_endpoint=said.authorization_endpoint,
        token_endpoint=said.token_endpoint,
        keys_endpoint=said.keys_endpoint,
        end_session_endpoint=said.end_session_endpoint,
        client_id=said.client_id,
        client_secret=content("console.sign_in.client_secret", said.client_secret, private=True).strip(),
        cookie_secret=content("console.sign_in.cookie_secret", said.cookie_secret, private=True).strip(),
        authority=content("console.sign_in.authority", said.authority),
        audience=said.audience,
        address=said.address,
        scopes=tuple(said.scopes) or ("openid",),
    )
