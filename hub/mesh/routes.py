"""From an operation and those who may call it: the route, exact to the path, with its time limit, retries, identities and token rule.

There is no route but these, so whatever they do not name is refused.
"""

from functools import cache, lru_cache
from itertools import groupby
from typing import Any, Final

from hub.contracts import Contracts, Operation
from hub.mesh.answering import answer_of
from hub.mesh.going import Going, Shares, goings
from hub.mesh.grants import Right, needed, rights_of, text_of
from hub.mesh.injecting import FAULT, fault_of
from hub.mesh.inputs import AS_OWNED, Policy, Traffic, adapter_identity, cluster_name
from hub.mesh.limits import PRODUCTION, Limits
from hub.mesh.rates import INTERFACE_LIMIT, RATE_LIMIT, counted_towards, interface_limits, share
from hub.mesh.resources import Resource, ResourceType
from hub.mesh.steering import FaultInjection
from hub.mesh.types import Any as Packed
from hub.mesh.types import core, joined, jwt, matcher, packed, previous_hosts, rbac, rbac_filter, route, seconds
from metip.grants import PURPOSES_HEADER
from metip.tokens import WRITER_HEADER, Token

NAME: Final = "operations"
RETRIES: Final = 2
# `reset` and `connect-failure` are how UNAVAILABLE looks when Envoy itself notices that a worker died.
RETRY_ON: Final = "unavailable,connect-failure,refused-stream,reset"
RBAC: Final = "envoy.filters.http.rbac"
JWT: Final = "envoy.filters.http.jwt_authn"
PREVIOUS_HOSTS: Final = "envoy.retry_host_predicates.previous_hosts"
OFFICER_REQUIRED, OFFICER_OPTIONAL = "officer_required", "officer_optional"
OFFICER_METADATA: Final = "officer"
BEARER: Final = "authorization"
WEIGHT: Final = "weight"
"""Weights are runtime keys of Envoy, `weight.<cluster>`: traffic can be moved with nothing but its admin interface, without a new route."""
SERVED_BY: Final = "x-metip-served-by"
"""Names the system that answered, where there are several for an operation."""
# What no adapter reads and each would pay for with every call.
UNREAD: Final = ("user-agent", "x-envoy-external-address", "x-forwarded-for", "x-forwarded-proto")
REFLECTION: Final = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
HEALTH: Final = "grpc.health.v1.Health"
SERVICES_OF_THE_HUB: Final = (*REFLECTION, HEALTH)
HUB: Final = "metip.hub.v1.CatalogueService"
"""The interface whose cluster also answers reflection and health: all three are the hub."""
HUB_LIMIT: Final = 300.0
CERTIFIED: Final = "x-forwarded-client-cert"
VIRTUAL_HOSTS, ROUTES = 2, 3
"""Numbers of these fields in `RouteConfiguration` and `VirtualHost`."""


@lru_cache(maxsize=8)
def routes_of(
    contracts: Contracts, policy: Policy, trust_domain: str, traffic: Traffic = AS_OWNED, limits: Limits = PRODUCTION
) -> Resource:
    """The one route table, which every listener uses. What is said of rates stands here and not in the listeners, since another listener
    would end every connection.

    The table is put together of routes that are bytes already: a change of one of them costs that one, and not all.
    """
    rights = rights_of(contracts, policy, trust_domain)
    adapters = adapter_identity(trust_domain, "")
    found = [
        _route_of(operation, rights[operation.name], adapters, going)
        for interface in contracts.interfaces
        if not interface.private
        for operation in interface.operations
        for going in goings(contracts, interface, operation, traffic)
    ]
    clusters = {interface.name for interface in contracts.interfaces if not interface.private}
    others = {cluster_name(name, system) for name in clusters for system in contracts.back_ends_of(name)}
    if HUB in clusters:
        everybody = tuple(sorted({grant.consumer for grant in policy.grants}))
        found += [_service_of_the_hub(service, everybody) for service in SERVICES_OF_THE_HUB]
    rates = {RATE_LIMIT: packed(share(limits, policy.limits))} if policy.limits else {}
    if traffic.limits:
        rates[INTERFACE_LIMIT] = packed(interface_limits(traffic.limits))
    host = route.VirtualHost(name=NAME, domains=["*"], request_headers_to_remove=list(UNREAD), typed_per_filter_config=rates)
    body = route.RouteConfiguration(name=NAME, validate_clusters=False)
    whole = bytes(body) + joined(VIRTUAL_HOSTS, [bytes(host) + joined(ROUTES, found)])
    return Resource(ResourceType.ROUTE, NAME, whole, frozenset((ResourceType.CLUSTER, name) for name in clusters | others))


def _weighted(shares: Shares, epoch: int | None) -> route.WeightedCluster:
    return route.WeightedCluster(
        clusters=[
            route.WeightedClusterClusterWeight(
                name=name, weight=weight, request_headers_to_add=_whose(system, epoch), response_headers_to_add=[_served_by(system)]
            )
            for system, name, weight in shares
        ],
        runtime_key_prefix=WEIGHT,
    )


def _served_by(system: str) -> core.HeaderValueOption:
    return core.HeaderValueOption(header=core.HeaderValue(key=SERVED_BY, value=system))


def _whose(system: str, epoch: int | None) -> list[core.HeaderValueOption]:
    """Tells a system that a call that writes is its own, and since which change."""
    if epoch is None:
        return []
    header = core.HeaderValue(key=WRITER_HEADER, value=Token(system, epoch).text)
    return [core.HeaderValueOption(header=header, append_action=core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD)]


@lru_cache(maxsize=8192)
def _route_of(operation: Operation, rights: tuple[Right, ...], adapters: str, going: Going) -> bytes:
    by_token = operation.officer_admissible or any(right.roles for right in rights)
    told = [_served_by(going.pinned[0])] if going.pinned else []
    asked = [_purposes(rights)] if operation.personal and rights else []
    asked += _whose(going.pinned[0], going.epoch) if going.pinned else []
    where: dict[str, Any] = {"route": _to_a_system(operation, going)}
    if going.answer is not None:
        answer, details, as_json = answer_of(going.answer)
        where, told = {"direct_response": answer, "metadata": as_json}, [details]
    return bytes(
        route.Route(
            name=operation.name,
            match=route.RouteMatch(path=operation.path, headers=[_of(going.consumer)] if going.consumer else []),
            **where,
            # What the contract allows may be held until an adapter takes it, and sent again; nothing longer.
            request_body_buffer_limit=operation.max_request_bytes,
            # Who consults nobody on the officer's behalf has no use for the token; what it says comes verified, in a header of Envoy's.
            request_headers_to_remove=[] if operation.consults else [BEARER],
            request_headers_to_add=asked,
            response_headers_to_add=told,
            typed_per_filter_config={
                RBAC: _only(needed(rights), adapters, by_token=by_token),
                JWT: _token(by_token=by_token, officer_required=operation.officer_required),
                FAULT: fault_of(going.fault or FaultInjection(operation.interface)),
            },
        )
    )


def _to_a_system(operation: Operation, going: Going) -> route.RouteAction:
    limit = seconds(operation.timeout)
    to: dict[str, Any] = {"cluster": going.pinned[1] if going.pinned else operation.interface}
    if going.shares and not going.pinned:
        to = {"weighted_clusters": _weighted(going.shares, going.epoch)}
    return route.RouteAction(
        **to,
        # Envoy's own timeout would end a call with UNAVAILABLE, which invites a retry; these two end it with DEADLINE_EXCEEDED.
        timeout=seconds(0),
        max_stream_duration=route.RouteActionMaxStreamDuration(grpc_timeout_header_max=limit, max_stream_duration=limit),
        # A message that comes twice is known by its key, whatever its subscribers may do only once.
        retry_policy=_retry() if operation.delivery_class.repeatable or operation.delivery else None,
        rate_limits=list(counted_towards(operation.interface)) if going.limited else [],
    )


def _of(consumer: str) -> route.HeaderMatcher:
    """That consumer's calls, by the name in its certificate as Envoy itself wrote it down: whatever came under this header was dropped."""
    return route.HeaderMatcher(name=CERTIFIED, string_match=matcher.StringMatcher(suffix=f";URI={consumer}"))


def _purposes(rights: tuple[Right, ...]) -> core.HeaderValueOption:
    """Tells whoever answers which purposes each consumer may state: only the body says which one it is. One text for all consumers, so that
    it comes into force in one step with the identities below."""
    header = core.HeaderValue(key=PURPOSES_HEADER, value=text_of(rights))
    return core.HeaderValueOption(header=header, append_action=core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD)


@lru_cache(maxsize=64)
def _service_of_the_hub(service: str, consumers: tuple[str, ...]) -> bytes:
    limit = seconds(HUB_LIMIT)
    return bytes(
        route.Route(
            name=service,
            match=route.RouteMatch(prefix=f"/{service}/"),
            route=route.RouteAction(
                cluster=HUB,
                timeout=seconds(0),
                max_stream_duration=route.RouteActionMaxStreamDuration(grpc_timeout_header_max=limit, max_stream_duration=limit),
            ),
            request_headers_to_remove=[BEARER],
            typed_per_filter_config={
                RBAC: _only(tuple(map(Right, consumers)), "", by_token=False),
                JWT: _token(by_token=False, officer_required=False),
            },
        )
    )


@cache
def _retry() -> route.RetryPolicy:
    return route.RetryPolicy(
        retry_on=RETRY_ON,
        num_retries=RETRIES,
        retry_host_predicate=[
            route.RetryPolicyRetryHostPredicate(name=PREVIOUS_HOSTS, typed_config=packed(previous_hosts.PreviousHostsPredicate()))
        ],
        host_selection_retry_max_attempts=5,
        retry_back_off=route.RetryPolicyRetryBackOff(base_interval=seconds(0.01), max_interval=seconds(0.1)),
    )


@lru_cache(maxsize=1024)
def _only(rights: tuple[Right, ...], adapters: str, *, by_token: bool) -> Packed:
    """Lets in who has a right, and nobody else. With no right there is no policy, and no policy lets nobody in."""
    roles = {consumer: [right.roles for right in of_one] for consumer, of_one in groupby(rights, key=lambda right: right.consumer)}
    principals = [_is(consumer, _roles(demanded), adapters, by_token) for consumer, demanded in sorted(roles.items())]
    policies = {"consumers": rbac.Policy(permissions=[rbac.Permission(any=True)], principals=principals)} if principals else {}
    return packed(rbac_filter.RbacPerRoute(rbac=rbac_filter.Rbac(rules=rbac.Rbac(policies=policies))))


def _roles(demanded: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Roles one of which a consumer needs; none where one of its rights asks for none."""
    return () if () in demanded else tuple(sorted({role for roles in demanded for role in roles}))


def _is(consumer: str, roles: tuple[str, ...], adapters: str, by_token: bool) -> rbac.Principal:
    """That consumer and, where a token is there, one that was issued to it: a token that another consumer caught is worth nothing. Where a
    role is demanded a token must be there, and name one of them.

    Adapters are let pass with the token of whoever asked them; they pass it on.
    """
    certificate = rbac.Principal(authenticated=rbac.PrincipalAuthenticated(principal_name=matcher.StringMatcher(exact=consumer)))
    passing_on = bool(adapters) and consumer.startswith(adapters)
    if not by_token or (passing_on and not roles):
        return certificate
    own = said("azp", matcher.ValueMatcher(string_match=matcher.StringMatcher(exact=consumer)))
    no_token = rbac.Principal(not_id=said("iss", matcher.ValueMatcher(present_match=True)))
    if not roles:
        return all_of(certificate, one_of(own, no_token))
    in_role = one_of(*(said("roles", holding(role)) for role in roles))
    return all_of(certificate, *(() if passing_on else (own,)), in_role)


def all_of(*principals: rbac.Principal) -> rbac.Principal:
    """Whoever is each of them."""
    return rbac.Principal(and_ids=rbac.PrincipalSet(ids=list(principals)))


def one_of(*principals: rbac.Principal) -> rbac.Principal:
    """Whoever is any of them."""
    return principals[0] if len(principals) == 1 else rbac.Principal(or_ids=rbac.PrincipalSet(ids=list(principals)))


def said(claim: str, value: matcher.ValueMatcher) -> rbac.Principal:
    """What the verified token says."""
    path = [matcher.MetadataMatcherPathSegment(key=OFFICER_METADATA), matcher.MetadataMatcherPathSegment(key=claim)]
    in_token = matcher.MetadataMatcher(filter=JWT, path=path, value=value)
    return rbac.Principal(sourced_metadata=rbac.SourcedMetadata(metadata_matcher=in_token))


def holding(text: str) -> matcher.ValueMatcher:
    """A list with that text in it."""
    one = matcher.ValueMatcher(string_match=matcher.StringMatcher(exact=text))
    return matcher.ValueMatcher(list_match=matcher.ListMatcher(one_of=one))


@cache
def _token(*, by_token: bool, officer_required: bool) -> Packed:
    if not by_token:
        return packed(jwt.PerRouteConfig(disabled=True))
    return packed(jwt.PerRouteConfig(requirement_name=OFFICER_REQUIRED if officer_required else OFFICER_OPTIONAL))
