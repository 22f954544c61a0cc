"""A real Envoy serves with our certificate, verifies with our authority, and verifies tokens with our key set, from the files."""

import asyncio
import http.client
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from envoy_process import running_envoy, short_directory
from hostile_certificates import CERTIFICATES, Stage, ground_of, hostile_certificate
from hostile_tokens import TOKENS, TokenGround, hostile_token

from hub.identity import Officer, Store, issue, issue_token
from hub.identity.store import read_key

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABLET = "spiffe://metip.local/consumer/handset"
TYPES = "type.googleapis.com/envoy.extensions"

# Where Envoy answers otherwise than 401. It doesn't know `azp`: whose token it is has to be compared behind this filter.
BY_ENVOY = {"wrong_audience": 403, "without_audience": 403, "without_consumer": 200}


@dataclass(frozen=True)
class Edge:
    """A running Envoy and the store whose files it reads."""

    listener: Path
    store: Store

    async def status(self, certificate: Path, key: Path, token: str | None) -> int:
        """Call once and return the HTTP status; raises ssl.SSLError or ConnectionError where the handshake is refused."""
        return await asyncio.to_thread(self._call, certificate, key, token)

    def _call(self, certificate: Path, key: Path, token: str | None) -> int:
        context = ssl.create_default_context(cafile=str(self.store.ca_certificate))
        context.load_cert_chain(certificate, key)
        connection = http.client.HTTPConnection("localhost")
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(10)
            plain.connect(str(self.listener))
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                connection.sock = secured
                headers = {} if token is None else {"authorization": f"Bearer {token}"}
                connection.request("GET", "/", headers=headers)
                return connection.getresponse().status


def _bootstrap(listener: Path, store: Store) -> dict[str, Any]:
    def file(path: Path) -> dict[str, str]:
        return {"filename": str(path)}

    tokens = {
        "@type": f"{TYPES}.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {
            "officer": {
                "issuer": "https://token-issuer.metip.local",
                "audiences": ["metip"],
                "require_expiration": True,
                "local_jwks": file(store.jwks),
            }
        },
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "officer"}}],
    }
    connections = {
        "@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
                }
            ]
        },
        "http_filters": [
            {"name": "tokens", "typed_config": tokens},
            {"name": "router", "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"}},
        ],
    }
    security = {
        "@type": f"{TYPES}.transport_sockets.tls.v3.DownstreamTlsContext",
        "require_client_certificate": True,
        "common_tls_context": {
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
            "tls_certificates": [{"certificate_chain": file(store.certificate("edge")), "private_key": file(store.key("edge"))}],
            "validation_context": {"trusted_ca": file(store.ca_certificate)},
        },
    }
    chain = {
        "transport_socket": {"name": "tls", "typed_config": security},
        "filters": [{"name": "connections", "typed_config": connections}],
    }
    address = {"pipe": {"path": str(listener), "mode": 0o600}}
    return {
        "node": {"id": "edge", "cluster": "edge"},
        "static_resources": {"listeners": [{"name": "edge", "address": address, "filter_chains": [chain]}]},
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(pattern: Path) -> AsyncIterator[Edge]:
    with short_directory() as directory:
        store = Store(Path(shutil.copytree(pattern, directory / "identity")))
        issue(store, "spiffe://metip.local/edge", dns=("localhost",))
        issue(store, TABLET, name="handset")
        listener = directory / "edge.sock"
        async with running_envoy(_bootstrap(listener, store), directory):
            yield Edge(listener, store)


def _token(store: Store, now: datetime) -> str:
    return issue_token(store, Officer("100001XX", "01", "CO10", ("response",)), authorised_party=TABLET, now=now)


async def test_our_certificate_and_our_token_are_accepted(edge: Edge, now: datetime) -> None:
    certificate, key = edge.store.certificate("handset"), edge.store.key("handset")
    assert await edge.status(certificate, key, _token(edge.store, now)) == 200
    assert await edge.status(certificate, key, None) == 401


@pytest.mark.parametrize("case", [case for case, forgery in TOKENS.items() if forgery.reason is not None])
async def test_a_hostile_token_gets_the_same_judgement_from_envoy(edge: Edge, now: datetime, case: str) -> None:
    ground = TokenGround(read_key(edge.store.token_issuer_key), "metip.local", TABLET, now)
    status = await edge.status(edge.store.certificate("handset"), edge.store.key("handset"), hostile_token(case, ground).text)
    assert status == BY_ENVOY.get(case, 401)


@pytest.mark.parametrize("case", [case for case, forgery in CERTIFICATES.items() if forgery.stage is Stage.HANDSHAKE])
async def test_a_hostile_chain_is_refused_by_envoy_too(edge: Edge, now: datetime, tmp_path: Path, case: str) -> None:
    paths = hostile_certificate(case, ground_of(edge.store.authority(), TABLET, now)).write(tmp_path / "hostile")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await edge.status(*paths, _token(edge.store, now))
