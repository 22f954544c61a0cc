"""Signing operators in with OpenID Connect: Envoy's own filter plays the code flow with PKCE, and keeps the session in cookies.

A cookie goes with whatever a browser sends, so a call that does not come from the console's own page is refused before it is looked at:
by `csrf`, which compares the page's origin with the address that was called.
"""

from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from hub.mesh.clusters import CONNECT_TIMEOUT
from hub.mesh.inputs import Console, SignIn
from hub.mesh.resources import Resource, ResourceType
from hub.mesh.types import (
    ads,
    cluster,
    core,
    csrf,
    endpoint,
    hcm,
    jwt,
    matcher,
    oauth2,
    packed,
    percent,
    route,
    seconds,
    tls,
)

CLIENT_SECRET, COOKIE_SECRET = "console-client-secret", "console-cookie-secret"
SIGNED_IN_AT, SIGN_OUT = "/signed-in", "/sign-out"
KEYS_LAST: Final = 300.0
ANSWERED_WITHIN: Final = 10.0


def sign_in_filters(console: Console) -> list[hcm.HttpFilter]:
    """The two filters; none where browsers bring their token themselves."""
    if console.sign_in is None:
        return []
    always = core.RuntimeFractionalPercent(default_value=percent.FractionalPercent(numerator=100))
    return [
        hcm.HttpFilter(name="envoy.filters.http.csrf", typed_config=packed(csrf.CsrfPolicy(filter_enabled=always))),
        hcm.HttpFilter(name="envoy.filters.http.oauth2", typed_config=packed(oauth2.OAuth2(config=_flow(console.sign_in)))),
    ]


def sign_in_secrets(console: Console) -> tuple[Resource, ...]:
    """The client's secret, and the one that seals cookies."""
    if console.sign_in is None:
        return ()
    return (_secret(CLIENT_SECRET, console.sign_in.client_secret), _secret(COOKIE_SECRET, console.sign_in.cookie_secret))


def issuers_of(console: Console) -> tuple[Resource, ...]:
    """Clusters of the issuer's hosts that Envoy itself calls."""
    if console.sign_in is None:
        return ()
    sign_in = console.sign_in
    hosts = sorted({_place(address) for address in (sign_in.token_endpoint, sign_in.keys_endpoint)})
    return tuple(_issuer(host, port, sign_in.authority) for host, port in hosts)


def remote_keys(sign_in: SignIn) -> jwt.RemoteJwks:
    """The issuer's keys, fetched ahead of the first call, so that a key put in use there is known here within minutes."""
    return jwt.RemoteJwks(
        http_uri=_uri(sign_in.keys_endpoint), cache_duration=seconds(KEYS_LAST), async_fetch=jwt.JwksAsyncFetch(fast_listener=True)
    )


def _flow(sign_in: SignIn) -> oauth2.OAuth2Config:
    # `Lax` and not `Strict`: the way back from the issuer begins on another site, so a strict cookie would not come with it.
    lax = oauth2.CookieConfig(same_site=oauth2.CookieConfigSameSite.LAX)
    return oauth2.OAuth2Config(
        token_endpoint=_uri(sign_in.token_endpoint),
        authorization_endpoint=sign_in.authorization_endpoint,
        end_session_endpoint=sign_in.end_session_endpoint,
        credentials=oauth2.OAuth2Credentials(
            client_id=sign_in.client_id,
            token_secret=tls.SdsSecretConfig(name=CLIENT_SECRET, sds_config=ads()),
            hmac_secret=tls.SdsSecretConfig(name=COOKIE_SECRET, sds_config=ads()),
        ),
        redirect_uri=f"{sign_in.address}{SIGNED_IN_AT}",
        redirect_path_matcher=_exactly(SIGNED_IN_AT),
        signout_path=_exactly(SIGN_OUT),
        # What is verified behind it is the issuer's access token, whatever the browser sent under that name.
        forward_bearer_token=True,
        auth_scopes=list(sign_in.scopes),
        use_refresh_token=True,
        # A call can't follow a redirect to a page for people.
        deny_redirect_matcher=[route.HeaderMatcher(name="content-type", string_match=matcher.StringMatcher(prefix="application/grpc"))],
        cookie_configs=oauth2.CookieConfigs(
            bearer_token_cookie_config=lax,
            oauth_hmac_cookie_config=lax,
            oauth_expires_cookie_config=lax,
            id_token_cookie_config=lax,
            refresh_token_cookie_config=lax,
            oauth_nonce_cookie_config=lax,
            code_verifier_cookie_config=lax,
        ),
    )


def _exactly(path: str) -> matcher.PathMatcher:
    return matcher.PathMatcher(path=matcher.StringMatcher(exact=path))


def _secret(name: str, text: str) -> Resource:
    generic = tls.GenericSecret(secret=core.DataSource(inline_string=text))
    return Resource(ResourceType.SECRET, name, bytes(tls.Secret(name=name, generic_secret=generic)))


def _place(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    return parts.hostname or "", parts.port or 443


def _named(host: str, port: int) -> str:
    return f"console-issuer/{host}:{port}"


def _uri(address: str) -> core.HttpUri:
    return core.HttpUri(uri=address, cluster=_named(*_place(address)), timeout=seconds(ANSWERED_WITHIN))


@lru_cache(maxsize=8)
def _issuer(host: str, port: int, authority: str) -> Resource:
    """One host of the issuer, by its name in the certificate."""
    named = tls.SubjectAltNameMatcher(san_type=tls.SubjectAltNameMatcherSanType.DNS, matcher=matcher.StringMatcher(exact=host))
    context = tls.UpstreamTlsContext(
        sni=host,
        common_tls_context=tls.CommonTlsContext(
            tls_params=tls.TlsParameters(tls_minimum_protocol_version=tls.TlsParametersTlsProtocol.TLSv1_2),
            validation_context=tls.CertificateValidationContext(
                trusted_ca=core.DataSource(inline_string=authority), match_typed_subject_alt_names=[named]
            ),
        ),
    )
    there = endpoint.Endpoint(address=core.Address(socket_address=core.SocketAddress(address=host, port_value=port)))
    name = _named(host, port)
    body = cluster.Cluster(
        name=name,
        type=cluster.ClusterDiscoveryType.STRICT_DNS,
        dns_lookup_family=cluster.ClusterDnsLookupFamily.V4_PREFERRED,
        connect_timeout=seconds(CONNECT_TIMEOUT * 5),
        load_assignment=endpoint.ClusterLoadAssignment(
            cluster_name=name, endpoints=[endpoint.LocalityLbEndpoints(lb_endpoints=[endpoint.LbEndpoint(endpoint=there)])]
        ),
        transport_socket=core.TransportSocket(name="envoy.transport_sockets.tls", typed_config=packed(context)),
    )
    return Resource(ResourceType.CLUSTER, name, bytes(body))
