"""Our certificates in use: two verifiers and a real mutual TLS handshake accept ours and refuse the hostile ones."""

import socket
import ssl
import threading
from datetime import datetime
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509
from cryptography.x509 import verification
from hostile_certificates import CERTIFICATES, Ground, Stage, ground_of, hostile_certificate

from hub.identity import Store, issue

VICTIM = "spiffe://metip.local/consumer/tablet"
AT_HANDSHAKE = [case for case, forgery in CERTIFICATES.items() if forgery.stage is Stage.HANDSHAKE]
BY_NAME = [case for case, forgery in CERTIFICATES.items() if forgery.stage is Stage.IDENTITY]


@pytest.fixture
def ground(store: Store, now: datetime) -> Ground:
    return ground_of(store.authority(), VICTIM, now)


@pytest.fixture
def server(store: Store) -> ssl.SSLContext:
    """A server that demands a client certificate, with the strictest checks OpenSSL has."""
    issued = issue(store, "spiffe://metip.local/edge", dns=("localhost",), addresses=("127.0.0.1",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_cert_chain(issued.certificate_path, issued.key_path)
    context.load_verify_locations(store.ca_certificate)
    return context


def _client(store: Store, certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(store.ca_certificate))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_cert_chain(certificate, key)
    return context


def _names_seen_by(server: ssl.SSLContext, client: ssl.SSLContext, host: str = "localhost") -> list[tuple[str, str]]:
    """Shake hands over a real socket; return the client's names as the server saw them, or raise what the server raised."""
    outcome: list[list[tuple[str, str]] | ssl.SSLError] = []

    def serve() -> None:
        connection, _ = listener.accept()
        connection.settimeout(10)
        try:
            with server.wrap_socket(connection, server_side=True) as secured:
                certificate = secured.getpeercert()
                assert certificate is not None
                # typeshed allows any shape here; names are pairs of kind and text.
                outcome.append(cast("list[tuple[str, str]]", list(certificate.get("subjectAltName", ()))))
                secured.sendall(b".")
        except ssl.SSLError as error:
            outcome.append(error)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with (
                socket.create_connection(listener.getsockname(), timeout=10) as connection,
                client.wrap_socket(connection, server_hostname=host) as secured,
            ):
                # In TLS 1.3 a client learns of its refusal with the first read only.
                assert secured.recv(1) == b"."
        except (ssl.SSLError, ConnectionError):
            pass
        finally:
            thread.join(10)
    (result,) = outcome
    if isinstance(result, ssl.SSLError):
        raise result
    return result


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_two_workloads_shake_hands_and_the_server_knows_the_client(store: Store, server: ssl.SSLContext, host: str) -> None:
    tablet = issue(store, VICTIM)
    assert _names_seen_by(server, _client(store, tablet.certificate_path, tablet.key_path), host) == [("URI", VICTIM)]


def test_a_renewed_pair_shakes_hands_too(store: Store, server: ssl.SSLContext) -> None:
    issue(store, VICTIM)
    tablet = issue(store, VICTIM, new_key_too=True)
    assert _names_seen_by(server, _client(store, tablet.certificate_path, tablet.key_path)) == [("URI", VICTIM)]


def test_the_chain_passes_an_independent_verifier_as_client_and_as_server(store: Store, now: datetime) -> None:
    issued = issue(store, "spiffe://metip.local/edge", dns=("localhost",))
    leaf = x509.load_pem_x509_certificate(issued.certificate_path.read_bytes())
    policy = verification.PolicyBuilder().store(verification.Store(list(store.authorities()))).time(now)
    verified = policy.build_client_verifier().verify(leaf, [])
    assert verified.subjects is not None
    assert x509.UniformResourceIdentifier("spiffe://metip.local/edge") in verified.subjects
    assert policy.build_server_verifier(x509.DNSName("localhost")).verify(leaf, [])[0] == leaf


@pytest.mark.parametrize("case", AT_HANDSHAKE)
def test_a_hostile_chain_is_refused_by_both_verifiers(
    store: Store, server: ssl.SSLContext, ground: Ground, tmp_path: Path, case: str
) -> None:
    hostile = hostile_certificate(case, ground)
    with pytest.raises(ssl.SSLError, match=r"certificate verify failed|excessive message size"):
        _names_seen_by(server, _client(store, *hostile.write(tmp_path / "hostile")))
    leaf, *chain = x509.load_pem_x509_certificates(hostile.chain)
    policy = verification.PolicyBuilder().store(verification.Store(list(store.authorities()))).time(ground.now)
    with pytest.raises(verification.VerificationError):
        policy.build_client_verifier().verify(leaf, chain)


@pytest.mark.parametrize("case", BY_NAME)
def test_a_hostile_name_passes_tls_so_somebody_else_must_stop_it(
    store: Store, server: ssl.SSLContext, ground: Ground, tmp_path: Path, case: str
) -> None:
    hostile = hostile_certificate(case, ground)
    names = _names_seen_by(server, _client(store, *hostile.write(tmp_path / "hostile")))
    assert names != [("URI", VICTIM)] or case == "authority_as_leaf"
