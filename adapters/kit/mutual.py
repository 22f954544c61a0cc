"""The way into an adapter that listens on TCP: mutual TLS under the adapter's own identity, and nobody comes in but Envoy.

Any workload of the trust domain has a certificate of the same authority, so the handshake alone would let each of them in; every call,
health included, is answered only to `spiffe://<trust domain>/edge`.
"""

import ssl
from collections.abc import Awaitable, Callable
from inspect import isasyncgenfunction
from typing import Any

import grpc
from cryptography import x509

from adapters.kit.site import Identity

EDGE = "edge"
PEER = "peer_spiffe_id"
"""gRPC sets it only where the peer's certificate has exactly one URI name, as SPIFFE demands (X.509-SVID section 2)."""


def credentials(identity: Identity) -> grpc.ServerCredentials:
    """Credentials of the adapter that demand a certificate of its authority; a changed file counts from the next handshake on.

    Raises `OSError` for a file that can't be read.
    """
    read: list[tuple[int, ...]] = [_stamp(identity)]

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        try:
            now = _stamp(identity)
            if now == read[0]:
                return None
            found = _configuration(identity)
        except OSError:
            return None  # being replaced: the next handshake asks again
        read[0] = now
        return found

    first = _configuration(identity)
    return grpc.dynamic_ssl_server_credentials(first, renewed, require_client_authentication=True)  # type: ignore[arg-type]  # may say None


def edge_of(identity: Identity) -> str:
    """The SPIFFE ID of the Envoy that may call: of its own trust domain. Raises `ValueError` for a certificate that names none."""
    try:
        own = spiffe_id_of(x509.load_pem_x509_certificate(identity.certificate.read_bytes()))
    except ValueError as error:
        raise ValueError(f"{identity.certificate} {error}") from None
    return f"spiffe://{own.removeprefix('spiffe://').partition('/')[0]}/{EDGE}"


def spiffe_id_of(certificate: x509.Certificate) -> str:
    """The SPIFFE ID of a workload's certificate. Raises `ValueError` where it has not exactly one URI name, or is an authority's
    (X509-SVID, sections 2 and 4)."""
    extensions = certificate.extensions
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    found = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(found) != 1 or not found[0].startswith("spiffe://"):
        raise ValueError("does not name exactly one SPIFFE ID")
    try:
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise ValueError("is the certificate of an authority")
    except x509.ExtensionNotFound:
        pass
    return found[0]


class OnlyFrom(grpc.aio.ServerInterceptor):
    """Answers one peer, known by its SPIFFE ID, and refuses everybody else before anything is read."""

    def __init__(self, peer: str) -> None:
        self._peer = [peer.encode()]

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        """The method's handler behind the question who asks."""
        found = await continuation(handler_call_details)
        if found is None:
            return None  # type: ignore[return-value]  # gRPC then says itself that there is no such method
        made, behaviour = (
            (grpc.unary_stream_rpc_method_handler, found.unary_stream)
            if found.response_streaming
            else (grpc.unary_unary_rpc_method_handler, found.unary_unary)
        )
        return made(self._guarded(behaviour), found.request_deserializer, found.response_serializer)

    def _guarded(self, behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Awaitable[Any]]:
        if isasyncgenfunction(behaviour):
            raise TypeError("streams are written to the context here")

        async def answer(request: Any, context: Any) -> Any:
            if list(context.auth_context().get(PEER, ())) != self._peer:
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "CONSUMER_UNKNOWN: only Envoy is answered here")
            return await behaviour(request, context)

        return answer


def _stamp(identity: Identity) -> tuple[int, ...]:
    return tuple(path.stat().st_mtime_ns for path in (identity.certificate, identity.key, identity.authority))


def _configuration(identity: Identity) -> grpc.ServerCertificateConfiguration:
    # A key that is not the certificate's is an `ssl.SSLError` here, an `OSError`; gRPC would end each handshake with it instead.
    ssl.create_default_context().load_cert_chain(identity.certificate, identity.key)
    pair = (identity.key.read_bytes(), identity.certificate.read_bytes())
    return grpc.ssl_server_certificate_configuration([pair], root_certificates=identity.authority.read_bytes())
