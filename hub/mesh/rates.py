"""How often each consumer may call: a bucket for each, by the name in its certificate, or one that the access policy gives it; and how
often an interface may be called, by one consumer or by all together, as the traffic settings say."""

from functools import cache, lru_cache
from typing import Final

from hub.mesh.inputs import Limit
from hub.mesh.limits import Limits
from hub.mesh.steering import CallLimit
from hub.mesh.types import core, local_limit, packed, percent, rate_key, rate_limit, route, seconds

RATE_LIMIT: Final = "envoy.filters.http.local_ratelimit"
INTERFACE_LIMIT: Final = "metip.interface_limit"
"""The same filter again, for limits of interfaces: a call has to pass both."""
UNLIMITED: Final = 4_000_000_000
CONSUMER: Final = "consumer"
INTERFACE: Final = "interface"
ENFORCED: Final = "limit.enforced"
"""A runtime key of Envoy: the per cent of calls above an interface's limit that are refused, 100 unless somebody says otherwise."""


def share(limits: Limits, own: tuple[Limit, ...] = ()) -> local_limit.LocalRateLimit:
    """A bucket of calls for each consumer, its own where the policy says so; none for all together."""
    always = core.RuntimeFractionalPercent(default_value=percent.FractionalPercent(numerator=100))
    return local_limit.LocalRateLimit(
        stat_prefix="consumer",
        token_bucket=_bucket(UNLIMITED, UNLIMITED),
        filter_enabled=always,
        filter_enforced=always,
        rate_limits=[route.RateLimit(actions=[_by_consumer()])],
        descriptors=[
            *(_descriptor(one.consumer, one.rate_per_second, one.burst or one.rate_per_second) for one in own if one.rate_per_second),
            _descriptor("", limits.calls_per_second, limits.burst),
        ],
        max_dynamic_descriptors=limits.consumers,
        rate_limited_as_resource_exhausted=True,
    )


@cache
def no_interface_limit() -> local_limit.LocalRateLimit:
    """What the filter for interfaces is by itself: nothing is counted where no route table says so."""
    return local_limit.LocalRateLimit(stat_prefix=INTERFACE)


@lru_cache(maxsize=64)
def interface_limits(limits: tuple[CallLimit, ...]) -> local_limit.LocalRateLimit:
    """The buckets of interfaces: one for all consumers together, one for each consumer that has a limit there. All operations of an
    interface take from the same."""
    always = percent.FractionalPercent(numerator=100)
    return local_limit.LocalRateLimit(
        stat_prefix=INTERFACE,
        token_bucket=_bucket(UNLIMITED, UNLIMITED),
        filter_enabled=core.RuntimeFractionalPercent(default_value=always),
        filter_enforced=core.RuntimeFractionalPercent(default_value=always, runtime_key=ENFORCED),
        descriptors=[_of_interface(one) for one in limits],
        rate_limited_as_resource_exhausted=True,
    )


@lru_cache(maxsize=1024)
def counted_towards(interface: str) -> tuple[route.RateLimit, ...]:
    """What a route of that interface says, so that its calls are counted: once for all, once for the consumer."""
    named = route.RateLimitAction(generic_key=route.RateLimitActionGenericKey(descriptor_key=INTERFACE, descriptor_value=interface))
    return (
        route.RateLimit(actions=[named]),
        route.RateLimit(actions=[named, _by_consumer()]),
    )


@cache
def _by_consumer() -> route.RateLimitAction:
    # The generated module has a class of this name, which mypy takes for protobuf's own.
    key = rate_key.Descriptor(descriptor_key=CONSUMER, text="connection.uri_san_peer_certificate")  # type: ignore[call-arg]
    named = core.TypedExtensionConfig(name="envoy.rate_limit_descriptors.expr", typed_config=packed(key))
    return route.RateLimitAction(extension=named)


def _of_interface(limit: CallLimit) -> rate_limit.LocalRateLimitDescriptor:
    entries = [rate_limit.RateLimitDescriptorEntry(key=INTERFACE, value=limit.interface)]
    if limit.consumer:
        entries.append(rate_limit.RateLimitDescriptorEntry(key=CONSUMER, value=limit.consumer))
    bucket = _bucket(limit.rate_per_second, limit.burst or limit.rate_per_second)
    return rate_limit.LocalRateLimitDescriptor(entries=entries, token_bucket=bucket)


def _descriptor(consumer: str, rate: int, burst: int) -> rate_limit.LocalRateLimitDescriptor:
    """The bucket of one consumer, or of each that has none of its own."""
    entry = rate_limit.RateLimitDescriptorEntry(key=CONSUMER, value=consumer)
    return rate_limit.LocalRateLimitDescriptor(entries=[entry], token_bucket=_bucket(rate, burst))


def _bucket(rate: int, burst: int) -> percent.TokenBucket:
    return percent.TokenBucket(max_tokens=max(rate, burst), tokens_per_fill=rate, fill_interval=seconds(1))
