"""Golden files of the compiler: YAML in, YAML out, and the same snapshot as a bootstrap that the real Envoy can judge."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import grpc_tools
from google.protobuf import json_format
from ruamel.yaml import YAML

import hatch_build
from hub.contracts import Contracts, load
from hub.mesh.inputs import Console, Edge, Grant, Instance, Policy, SignIn, Tokens, Traffic
from hub.mesh.resources import ResourceType, Snapshot
from hub.mesh.types import cluster, endpoint, listener, route, tls
from hub.traffic.layers import state_of, traffic_of
from hub.traffic.words import setting_of
from metip.traffic.v1.traffic_state_pb2 import Setting

TODAY = date(2026, 11, 23)
ROOT = Path(hatch_build.__file__).parent
CLASSES: dict[ResourceType, Any] = {
    ResourceType.SECRET: tls.Secret,
    ResourceType.CLUSTER: cluster.Cluster,
    ResourceType.ENDPOINT: endpoint.ClusterLoadAssignment,
    ResourceType.LISTENER: listener.Listener,
    ResourceType.ROUTE: route.RouteConfiguration,
}
CONSOLE = Console(port=8446, hub="/run/metip/hub.sock", files="/run/metip/console.sock", access_log="/dev/null")
SIGN_IN = SignIn(
    issuer="https://sso.metip.example",
    authorization_endpoint="https://sso.metip.example/authorize",
    token_endpoint="https://sso.metip.example/token",
    keys_endpoint="https://keys.metip.example:8443/jwks",
    end_session_endpoint="",
    client_id="metip-console",
    client_secret="(client secret)",
    cookie_secret="(cookie secret)",
    authority="(authority)",
    audience="metip-console",
    address="https://console.metip.example",
)
PLACEHOLDERS = Edge(
    trust_domain="metip.local",
    address="127.0.0.1",
    port=8443,
    json_port=8444,
    certificate="(certificate)",
    key="(key)",
    authority="(authority)",
    tokens=Tokens("https://token-issuer.metip.local", "metip", "(keys)"),
    access_log="/var/log/metip/access.log",
    deliveries_port=8445,
)


def compile_protos(into: Path, *folders: Path) -> Contracts:
    """Compiles the contracts below folders as the build does, and reads them."""
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    files = [str(path.relative_to(folder)) for folder in folders for path in sorted(folder.rglob("*.proto"))]
    places = [f"-I{folder}" for folder in (*folders, ROOT / "protos", well_known)]
    command = [sys.executable, "-m", "grpc_tools.protoc", *places]
    rules = f"--descriptor_set_in={ROOT / 'protos' / 'buf' / 'validate.binpb'}"
    subprocess.run([*command, rules, "--include_imports", "--include_source_info", f"--descriptor_set_out={into}", *files], check=True)
    return load(TODAY, descriptor_set=into.read_bytes())


def read_inputs(path: Path) -> tuple[tuple[Instance, ...], Policy, Traffic]:
    """The instances, the policy and the traffic settings of one golden case: shares, and whatever else there is as the contract has it."""
    said = YAML(typ="safe", pure=True).load(path)
    instances = tuple(
        Instance(one["id"], one["system"], tuple(one["interfaces"]), one["address"], one.get("version", "")) for one in said["instances"]
    )
    policy = Policy(tuple(_grant(one) for one in said["policy"]))
    shares = Traffic(tuple((interface, tuple(weights.items())) for interface, weights in said.get("traffic", {}).items()))
    others = (setting_of(json_format.ParseDict(one, Setting())) for one in said.get("settings", ()))
    return instances, policy, traffic_of(state_of(shares).put(*others))


def edge_of(path: Path, edge: Edge) -> Edge:
    """The edge of one golden case: with a console where the case has one, and with what people sign in to it by."""
    said = YAML(typ="safe", pure=True).load(path).get("console", "")
    sign_in = replace(SIGN_IN, authority=edge.authority) if said == "sign_in" else None
    return replace(edge, console=replace(CONSOLE, sign_in=sign_in)) if said else edge


def _grant(said: dict[str, Any]) -> Grant:
    return Grant(said["consumer"], tuple(said["operations"]), tuple(said.get("purposes", ())), tuple(said.get("roles", ())))


def readable(snapshot: Snapshot) -> str:
    """A snapshot as YAML, resource by resource; long bytes are shown by their hash."""
    shown = [
        {
            "type": one.type.word,
            "name": one.name,
            "needs": sorted(f"{kind.word} {name}" for kind, name in one.refers_to),
            "body": _short(as_dict(one.type, one.body)),
        }
        for one in snapshot.all()
    ]
    text = StringIO()
    yaml = YAML()
    yaml.width = 140
    yaml.default_flow_style = False
    yaml.dump(shown, text)
    return text.getvalue()


def as_dict(kind: ResourceType, body: bytes) -> Any:
    """A resource as Envoy's own JSON."""
    return CLASSES[kind].parse(body).to_dict(casing=str)


def static_bootstrap(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as static resources, so that `envoy --mode validate` checks every one of them.

    What would come over the stream is put in place: routes in listeners, endpoints in clusters. Secrets stay secrets.
    """
    routes = {one.name: as_dict(one.type, one.body) for one in snapshot.all() if one.type is ResourceType.ROUTE}
    endpoints = {one.name: as_dict(one.type, one.body) for one in snapshot.all() if one.type is ResourceType.ENDPOINT}
    listeners = [as_dict(one.type, one.body) for one in snapshot.all() if one.type is ResourceType.LISTENER]
    clusters = [as_dict(one.type, one.body) for one in snapshot.all() if one.type is ResourceType.CLUSTER]
    for one in listeners:
        chain = one["filter_chains"][0]
        manager = chain["filters"][0]["typed_config"]
        manager["route_config"] = routes[manager.pop("rds")["route_config_name"]]
        context = chain["transport_socket"]["typed_config"]["common_tls_context"]
        authority = context.get("validation_context_sds_secret_config")
        for secret in (*context["tls_certificate_sds_secret_configs"], *((authority,) if authority else ()), *_of_sign_in(manager)):
            secret.pop("sds_config")
    for one in clusters:
        if one.pop("eds_cluster_config", None) is None:
            continue
        one["type"] = "STATIC"
        one["load_assignment"] = endpoints[one["name"]]
        for match in one.get("transport_socket_matches", ()):
            context = match["transport_socket"]["typed_config"]["common_tls_context"]
            for secret in (
                *context["tls_certificate_sds_secret_configs"],
                context["combined_validation_context"]["validation_context_sds_secret_config"],
            ):
                secret.pop("sds_config")
    secrets = [as_dict(one.type, one.body) for one in snapshot.all() if one.type is ResourceType.SECRET]
    return {"static_resources": {"listeners": listeners, "clusters": clusters, "secrets": secrets}}


def _of_sign_in(manager: dict[str, Any]) -> list[dict[str, Any]]:
    """Where the filter that signs people in has its secrets from."""
    configs = [one["typed_config"]["config"]["credentials"] for one in manager["http_filters"] if one["name"].endswith("oauth2")]
    return [one[name] for one in configs for name in ("token_secret", "hmac_secret")]


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _short(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_short(inner) for inner in value]
    if isinstance(value, str) and len(value) > 500:
        return f"({len(value)} characters, {hashlib.blake2b(value.encode(), digest_size=8).hexdigest()})"
    return value
